"""`passerelle migrate-client` is a package of its own: run where it is installed, else said how to get it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from passerelle.cli.main import app


def test_it_is_handed_everything_that_stands_behind_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    done = CliRunner().invoke(app, ["migrate-client", str(tmp_path), "--table", "clients", "--fix"])
    assert done.exit_code == 0
    assert "1 file read, 0 uses" in done.output
    assert "--encoding" in CliRunner().invoke(app, ["migrate-client", "--help"]).output


def test_where_it_is_not_installed_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "passerelle_migrate_client.cli", None)
    done = CliRunner().invoke(app, ["migrate-client", "src"])
    assert "uvx passerelle-migrate-client" in str(done.exception)
