"""`passerelle cases` as somebody types it, beside a running `passerelle dev`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from passerelle.cli.cases import app
from passerelle.kit.errors import CommandError
from tests.acceptance.running import Dev

BUYERS = {
    "name": "buyers",
    "fields": [
        {"name": name, "type": "text"}
        for name in ("firstName", "lastName", "personalNumber", "email", "phone", "companyName")
    ],
}


def _run(dev: Dev, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(dev.folder)])


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo is meant."""
    monkeypatch.delenv("PASSERELLE_DATABASE_URL", raising=False)


def test_cases_are_imported_moved_compared_and_brought_back(dev: Dev, tmp_path: Path) -> None:
    """The whole way, each command as the guide has it."""
    case_id = "7a1c1d0e-6a0e-4d52-9c3a-0c8b7f0f7a11"
    line = {
        "caseId": case_id,
        "createdDate": "2024-03-01T08:15:00Z",
        "partyDetails": {"personal": {"lastName": "Nowak"}},
    }
    (tmp_path / "cases.jsonl").write_text(json.dumps(line) + "\n{broken\n")
    brought = _run(dev, "import", str(tmp_path / "cases.jsonl"))
    assert brought.exit_code == 1
    assert "line 2: " in brought.output
    assert "1 case made, 0 there already" in brought.output
    with dev.api() as api:
        assert api.post("/tables", json=BUYERS).status_code == 201
        file = tmp_path / "map.yaml"
        assert _run(dev, "migrate", "--to", "buyers", "--suggest", "--map", str(file)).exit_code == 0
        assert "  lastName: lastName\n" in file.read_text()
        tried = _run(dev, "migrate", "--to", "buyers", "--map", str(file), "--dry-run")
        assert "can be moved to buyers; nothing was moved" in tried.output
        assert api.get(f"/tables/buyers/records/{case_id}").status_code == 404
        assert _run(dev, "migrate", "--to", "buyers", "--map", str(file)).exit_code == 0
        assert api.get(f"/tables/buyers/records/{case_id}").json()["lastName"] == "Nowak"
        assert ": equal" in _run(dev, "migrate", "--verify").output
        assert "back in cases" in _run(dev, "migrate", "--undo").output
        assert api.get(f"/tables/buyers/records/{case_id}").status_code == 404


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["migrate"], "--to: name the table"),
        (["migrate", "--to", "buyers"], "--map: name the file"),
        (["migrate", "--to", "buyers", "--map", "missing.yaml"], "missing.yaml: No such file"),
        (["migrate", "--undo", "--verify"], "give one of them"),
        (["import", "missing.jsonl"], "missing.jsonl: there is no such file"),
    ],
)
def test_what_is_missing_on_the_command_line_is_said(dev: Dev, arguments: list[str], message: str) -> None:
    """One line that says what to do, before anything is opened or changed."""
    answer = _run(dev, *arguments)
    assert isinstance(answer.exception, CommandError)
    assert message in str(answer.exception)


def test_without_a_database_the_folder_of_a_running_dev_is_asked_for(tmp_path: Path) -> None:
    """Nothing is guessed."""
    answer = CliRunner().invoke(app, ["migrate", "--verify", "--data-dir", str(tmp_path)])
    assert isinstance(answer.exception, CommandError)
    assert "--data-dir of a running `passerelle dev`" in str(answer.exception)
