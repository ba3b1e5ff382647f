"""The files in `deploy/` name what there is: settings, commands, and limits that fit together."""

from __future__ import annotations

import re
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from passerelle.app.processes import ENDS_WITHIN
from passerelle.app.settings import PREFIX, Settings
from passerelle.cli.main import app
from passerelle.kit import workshop
from passerelle.kit.version import VERSION
from passerelle.resources import opening
from passerelle.resources.uploads import LARGEST

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = yaml.safe_load((DEPLOY / "monitoring" / "passerelle.rules.yml").read_text())["groups"][0]["rules"]
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
COMMANDS = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}


@pytest.fixture
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.*")), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_each_setting_that_is_named_exists(path: Path) -> None:
    assert set(re.findall(r"PASSERELLE_[A-Z0-9_]+", path.read_text())) <= SETTINGS


def test_services_run_commands_that_exist(compose: dict[str, Any]) -> None:
    ours = [service for service in compose["services"].values() if service.get("image") == "passerelle"]
    assert {service["command"][0] for service in ours} == {"migrate", "serve", "worker"} <= COMMANDS


def test_what_services_wait_for_exists(compose: dict[str, Any]) -> None:
    waited_for = {name for service in compose["services"].values() for name in service.get("depends_on", {})}
    assert waited_for <= compose["services"].keys()


@pytest.mark.parametrize("unit", ["serve", "worker"])
def test_units_start_commands_that_exist(unit: str) -> None:
    text = (DEPLOY / "systemd" / f"passerelle-{unit}.service").read_text()
    found = re.search(r"^ExecStart=\S+ (\w+)", text, re.MULTILINE)
    assert found
    assert found[1] == unit
    assert unit in COMMANDS


def test_a_shell_reads_the_units_environment_as_systemd_does(tmp_path: Path) -> None:
    """Whole: with what a shell would end a word at, or replace."""
    address = "postgresql://passerelle:a$HOME`b`%27@db/passerelle?sslmode=verify-full&sslrootcert=/etc/ssl/db-ca.pem"
    text = (DEPLOY / "systemd" / "environment.example").read_text()
    name, told = re.search(r"^(PASSERELLE_DATABASE_URL)='(.*)'$", text, re.MULTILINE).groups()  # type: ignore[union-attr]
    assert "&" in told
    (tmp_path / "environment").write_text(text.replace(told, address))
    command = 'set -a; . "$1"; set +a; exec env -0'
    shown = subprocess.run(
        ["sh", "-euc", command, "sh", tmp_path / "environment"],
        capture_output=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    ).stdout.decode()
    read = dict(line.split("=", 1) for line in shown.split("\0") if line.startswith(PREFIX))
    written = dict(re.findall(r"^(PASSERELLE_\w+)='([^']*)'$", text, re.MULTILINE))
    assert read == {**written, name: address}
    assert len(written) == len(re.findall(r"^PASSERELLE_", text, re.MULTILINE)), "each value is quoted"


def test_what_has_no_tls_answers_its_own_machine_alone(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(re.match(r"(127\.0\.0\.1|\$\{BIND_ADDRESS:-127\.0\.0\.1\}):", port) for port in ports)


@pytest.mark.parametrize(
    ("file", "pattern"), [("nginx.conf", r"client_max_body_size (\d+)m"), ("Caddyfile", r"max_size (\d+)MB")]
)
def test_proxies_let_the_largest_upload_through(file: str, pattern: str) -> None:
    found = re.search(pattern, (DEPLOY / "proxies" / file).read_text())
    assert found
    assert int(found[1]) * 1_000_000 > LARGEST


def test_nginx_speaks_new_tls_with_strong_ciphers_alone() -> None:
    text = (DEPLOY / "proxies" / "nginx.conf").read_text()
    [versions] = re.findall(r"^ *ssl_protocols (.+);", text, re.MULTILINE)
    assert set(versions.split()) == {"TLSv1.2", "TLSv1.3"}
    [named] = re.findall(r"^ *ssl_ciphers (.+);", text, re.MULTILINE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(named)
    ciphers = [one for one in context.get_ciphers() if one["protocol"] == "TLSv1.2"]
    assert {one["name"] for one in ciphers} == set(named.split(":"))
    assert all(one["aead"] and one["name"].startswith("ECDHE-") for one in ciphers)


@pytest.mark.parametrize(
    ("file", "pattern"), [("nginx.conf", r"location ~ (\^.+) \{"), ("Caddyfile", r"path_regexp (\^.+)")]
)
def test_plain_http_leads_to_pages_alone(file: str, pattern: str) -> None:
    text = (DEPLOY / "proxies" / file).read_text()
    [found] = re.findall(pattern, text)
    pages = re.compile(found)
    for path in ("/", "/app", "/app/records/x", "/sign-in", "/l/abc", "/x/1/2/3", "/docs"):
        assert pages.search(path), path
    for path in (
        "/tables",
        "/auth/authorize",
        "/workflows/run",
        "/resources",
        "/lists/x",
        "/holds",
        "/webhooks",
        "/me",
    ):
        assert not pages.search(path), path
    if file == "nginx.conf":
        assert re.search(r"location / \{\s+return 403;", text)
        assert "if ($request_method !~ ^(GET|HEAD)$)" in text
    else:
        assert "auto_https disable_redirects" in text
        assert "method GET HEAD" in text
        assert re.search(r"redir @pages .+\n\trespond 403", text)


CHART = DEPLOY / "helm" / "passerelle"


@pytest.mark.parametrize("part", ["migrate", "serve", "worker"])
def test_the_charts_containers_run_commands_that_exist(part: str) -> None:
    found = re.search(r"args: \[(\w+)", (CHART / "templates" / f"{part}.yaml").read_text())
    assert found
    assert found[1] == part
    assert part in COMMANDS


def test_the_charts_pods_have_the_time_that_stopping_takes() -> None:
    text = (CHART / "templates" / "serve.yaml").read_text()
    found = re.search(r"terminationGracePeriodSeconds: {{ add .Values.serve.stopDelaySeconds (\d+) }}", text)
    assert found
    assert int(found[1]) > ENDS_WITHIN


@pytest.mark.parametrize("part", ["serve", "worker"])
def test_the_charts_pods_have_the_memory_that_sizing_says(part: str) -> None:
    """The process until its alarm, and the two beside it at their most, with what they have when they start."""
    limit = yaml.safe_load((CHART / "values.yaml").read_text())[part]["resources"]["limits"]["memory"]
    assert limit.endswith("Mi")
    expr = next(rule["expr"] for rule in RULES if rule["alert"] == "PasserelleMemoryGrows")
    grows = float(re.search(r"> (\S+)", expr)[1])  # type: ignore[index]
    beside = workshop.MEMORY + opening.MEMORY + 2 * 100_000_000
    assert int(limit.removesuffix("Mi")) * 1024**2 > grows + beside
    said = f"{int(limit.removesuffix('Mi')) / 1024:g} GiB"
    assert f"reserve {said}" in (DEPLOY.parent / "docs" / "guides" / "sizing.md").read_text()


def test_the_chart_is_of_this_release_and_has_the_alarms() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == VERSION
    assert (CHART / "files" / "passerelle.rules.yml").samefile(DEPLOY / "monitoring" / "passerelle.rules.yml")
