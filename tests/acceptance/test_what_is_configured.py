"""What is configured is tried when a process starts: it says then what cannot be used, and not to the first end user."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import httpx
import pytest

from passerelle.kit.secrets import generate_key
from passerelle.kit.version import VERSION
from tests.buckets import bucket
from tests.crash.harness import PASSERELLE, Cluster, cluster, free_port


@pytest.fixture
def processes(database_url: str) -> Iterator[Cluster]:
    with cluster(database_url, delay=0) as made:
        yield made


def refusal(command: str, environment: Mapping[str, str], folder: Path) -> list[str]:
    """What a process says that does not start."""
    ended = subprocess.run(
        [PASSERELLE, command], env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1, ended.stderr
    return [line for line in ended.stderr.splitlines() if line.startswith("passerelle:")]


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_bucket_that_is_missing_keeps_a_process_from_starting(
    command: str, processes: Cluster, tmp_path: Path
) -> None:
    with bucket("files") as there:
        environment = {**processes.environment, **there.environment, "PASSERELLE_FILES_URL": "s3://other"}
        (line,) = refusal(command, environment, tmp_path)
        assert line == (
            "passerelle: PASSERELLE_FILES_URL (s3://other): there is no such bucket, container or folder: "
            "make it, or correct the address"
        )


@pytest.mark.parametrize(("method", "act"), [("PUT", "write"), ("GET", "read"), ("DELETE", "delete")])
def test_credentials_that_may_not_do_all_that_is_needed_are_found_out(
    method: str, act: str, processes: Cluster, tmp_path: Path
) -> None:
    with bucket("files", method) as there:
        environment = {**processes.environment, **there.environment, "PASSERELLE_FILES_URL": "s3://files"}
        (line,) = refusal("worker", environment, tmp_path)
        assert f"it may not be used to {act} files" in line


def test_a_bucket_is_left_as_it_was(processes: Cluster) -> None:
    with bucket("files") as there:
        _, url = processes.serve(environment={**there.environment, "PASSERELLE_FILES_URL": "s3://files/below"})
        assert httpx.get(f"{url}/health/ready").status_code == 200
        assert len(there.paths) == 1
        assert there.paths[0].startswith("below/trial/")
        assert there.objects == {}


def test_all_that_cannot_be_used_is_told_at_once(processes: Cluster, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    environment = processes.environment | {
        "PASSERELLE_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere",
        "PASSERELLE_FILES_URL": str(tmp_path / "taken" / "files"),
        "PASSERELLE_LANGUAGES_FOLDER": str(tmp_path / "missing"),
    }
    lines = refusal("serve", environment, tmp_path)
    for name in ("DATABASE_URL", "FILES_URL", "LANGUAGES_FOLDER"):
        assert sum(f"PASSERELLE_{name}" in line for line in lines) == 1, lines


def test_all_settings_that_are_wrong_or_missing_are_told_at_once(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"]} | {
        "PASSERELLE_SECRET_KEY": "short",
        "PASSERELLE_PUBLIC_URL": "https://exa mple.com",
        "PASSERELLE_FILES_URL": "ftp://files",
        "PASSERELLE_STOP_DELAY": "1h",
    }
    lines = refusal("serve", environment, tmp_path)
    assert len(lines) == 5, lines
    for name in ("DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "FILES_URL", "STOP_DELAY"):
        assert sum(f"PASSERELLE_{name}" in line for line in lines) == 1, lines


def test_a_mail_server_that_refuses_is_said_and_holds_nothing_up(processes: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    port = free_port()
    environment = {"PASSERELLE_SMTP_URL": f"smtp://127.0.0.1:{port}", "PASSERELLE_LOG_LEVEL": "warning"}
    _, url = processes.serve(environment=environment, log=log)
    workspace = processes.command("workspace", "create", "mail")
    token = json.loads(processes.command("key", "create", workspace, "--token"))["organizationToken"]
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as api:
        assert api.get("/health/ready").status_code == 200
        mail = api.get("/operations").json()["installation"]["mail"]
    assert mail["server"] == f"127.0.0.1:{port}"
    assert "There is no connection to the mail server" in mail["refusal"]
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(one["event"] for one in said if one["level"] == "warning") == ["mail.refused", "public_url.missing"]


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_key_that_opens_nothing_of_the_database_keeps_a_process_from_starting(
    command: str, processes: Cluster, tmp_path: Path
) -> None:
    """Behind a balancer it would refuse the tokens of the others, now and then."""
    processes.command("workspace", "create", "first")
    other = processes.environment | {"PASSERELLE_SECRET_KEY": generate_key()}
    (line,) = refusal(command, other, tmp_path)
    assert "PASSERELLE_SECRET_KEY does not open what is encrypted in this database" in line
    both = f"{other['PASSERELLE_SECRET_KEY']},{processes.environment['PASSERELLE_SECRET_KEY']}"
    processes.start("worker", environment={"PASSERELLE_SECRET_KEY": both})


def test_a_setting_that_is_mistyped_is_told(processes: Cluster, tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {"PASSERELLE_SMTPURL": "smtp://mail", "PASSERELLE_LOG_LEVEL": "warning"}
    processes.worker(environment=environment, log=log)
    (told,) = [json.loads(line) for line in log.read_text().splitlines() if "settings.unknown" in line]
    assert "PASSERELLE_SMTPURL" in told["names"]


def test_workspaces_are_listed_and_one_that_is_not_there_has_no_keys(processes: Cluster) -> None:
    made = processes.command("workspace", "create", "first")
    assert [line.split() for line in processes.command("workspace", "list").splitlines()[1:]] == [[made, "first"]]
    with pytest.raises(subprocess.CalledProcessError) as refused:
        processes.command("key", "list", "01890000-0000-7000-8000-000000000000")
    assert "there is no workspace" in refused.value.stderr


@pytest.mark.parametrize("command", ["archive list", "archive read", "size --workspace", "size --json --workspace"])
def test_a_workspace_that_is_not_there_is_refused(processes: Cluster, command: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        processes.command(*command.split(), "01890000-0000-7000-8000-000000000000")
    assert (refused.value.returncode, "there is no workspace" in refused.value.stderr) == (1, True)


async def done(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


APPLIED = "INSERT INTO schema_applied (kind, name, release) VALUES ('{}', '{}', '{}')"


async def test_the_functions_of_another_build_are_told_by_processes_and_replaced_by_migrate(
    processes: Cluster, database_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    await done(database_url, APPLIED.format("functions", "another", VERSION))
    processes.worker(environment={"PASSERELLE_LOG_LEVEL": "warning"}, log=log)
    (told,) = [json.loads(line) for line in log.read_text().splitlines() if "functions.of_another_build" in line]
    assert told["there"].startswith(f"those of another build of release {VERSION}, applied at ")
    assert processes.command("migrate").startswith("applied the functions of this build, in place of those of another")
    assert processes.command("migrate") == "the database is up to date"


async def test_migrate_says_what_it_did_for_a_dump_of_another_cluster_and_what_a_newer_release_has_done(
    processes: Cluster, database_url: str
) -> None:
    workspace = processes.command("workspace", "create", "first")
    await done(
        database_url,
        "INSERT INTO event (workspace_id, id, type, data, created_at, transaction) "
        f"VALUES ('{workspace}', gen_random_uuid(), 'workflow.completed', '{{}}', now(), '9000000000')",
    )
    lowered = processes.command("migrate")
    assert lowered.startswith("lowered the numbers of events by 8,999,")
    assert "up to date" not in lowered
    await done(database_url, APPLIED.format("migration", "9999_more", "99.0.0"))
    assert processes.command("migrate") == "a newer release (99.0.0) has migrated the database: nothing was changed"


def test_an_operator_who_is_not_there_and_an_address_that_nobody_answers_are_told_and_hold_nothing_up(
    processes: Cluster, tmp_path: Path
) -> None:
    log, nobody = tmp_path / "log", f"postgresql://me:hidden@127.0.0.1:{free_port()}/nowhere"
    environment = {
        "PASSERELLE_OPERATED_BY": "01890000-0000-7000-8000-000000000000",
        "PASSERELLE_DATABASE_DIRECT_URL": nobody,
        "PASSERELLE_LOG_LEVEL": "warning",
    }
    processes.worker(environment=environment, log=log)
    said = {one["event"]: one for one in map(json.loads, log.read_text().splitlines())}
    assert said["operated_by.unknown"]["organization"] == environment["PASSERELLE_OPERATED_BY"]
    assert "PASSERELLE_DATABASE_DIRECT_URL" in said["database_direct_url.unusable"]["meaning"]
    assert "hidden" not in log.read_text()


def test_what_is_missing_for_traces_is_all_that_is_said(processes: Cluster, tmp_path: Path) -> None:
    """And not that something else was left untried."""
    hidden = "import sys\nsys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(hidden)
    environment = processes.environment | {
        "PASSERELLE_OTLP_URL": "http://127.0.0.1:1",
        "PYTHONPATH": str(tmp_path),
    }
    ended = subprocess.run(
        [PASSERELLE, "worker"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "pip install 'passerelle[otel]'" in line
