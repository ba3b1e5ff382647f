"""Commands that are typed all day start at once: they load no library that they do not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from passerelle.cli.main import GROUPS, whole

SERVERS = {
    "aiohttp",
    "alembic",
    "asyncpg",
    "babel",
    "cryptography",
    "fastapi",
    "httpx",
    "jinja2",
    "joserfc",
    "numpy",
    "obstore",
    "pgqueuer",
    "phonenumbers",
    "PIL",
    "pikepdf",
    "prometheus_client",
    "psutil",
    "schwifty",
    "sqlalchemy",
    "starlette",
    "stdnum",
    "structlog",
    "uvicorn",
    "uvloop",
}
"""What only servers and clients need."""
LOADED = """
import json, sys
from passerelle.cli.main import main
sys.argv[0] = "passerelle"
try:
    main()
except SystemExit:
    pass
sys.stdout.flush()
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def run(*words: str) -> tuple[str, frozenset[str]]:
    """What a command prints, and the modules that it has loaded."""
    done = subprocess.run([sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True)
    return done.stdout, frozenset(json.loads(done.stderr))


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_the_list_of_commands_needs_nothing_of_them(words: tuple[str, ...]) -> None:
    printed, loaded = run(*words)
    assert not loaded & (SERVERS | {"passerelle.definitions", "passerelle.engine", "pydantic", "yaml", "orjson"})
    assert not loaded & {f"passerelle.cli.{module}" for module, _ in GROUPS.values()}
    for name, (_, about) in GROUPS.items():
        assert f" {name} " in printed
        assert about.split()[0] in printed


def test_check_loads_no_server(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text('name: one\nsteps: [{id: sum, set: {double: "${2 * 2}"}}]\n')
    printed, loaded = run("check", str(file))
    assert printed == "1 file is good\n"
    assert not loaded & SERVERS


def test_a_group_is_the_same_alone_and_among_all() -> None:
    for name in GROUPS:
        alone, _ = run(name, "--help")
        assert alone.split()[:2] == ["Usage:", "passerelle"]
    assert set(get_command(whole()).commands) > set(GROUPS)  # type: ignore[attr-defined] # it is a group


def test_a_server_starts_without_what_is_rarely_asked_for() -> None:
    code = "import json, sys, passerelle.app.processes; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not frozenset(json.loads(done.stdout)) & {"alembic", "sqlalchemy", "scim2_models", "puremagic", "pikepdf"}
