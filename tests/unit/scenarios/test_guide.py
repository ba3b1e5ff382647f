"""The guide's snippets are real: its files are written and run, and what they print is compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from passerelle.cli.main import app
from passerelle.scenarios.schema import scenarios_schema

GUIDE = (Path(__file__).parents[3] / "docs/guides/testing-definitions.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"^```\n\$ passerelle ([^\n]*)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The guide's files, as a reader would write them."""
    for name, text in files():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files() -> Iterator[tuple[str, str]]:
    for block in re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL):
        name = re.match(r"# (\S+\.yaml)\n", block)
        assert name, f"a snippet without the name of its file: {block[:60]}"
        yield name[1], block


def test_the_guide_has_files_and_sessions() -> None:
    assert [name for name, _ in files()] == ["payment.yaml", "payment.test.yaml", "wrong.test.yaml"]
    assert len(SESSIONS) == 2


@pytest.mark.parametrize(("command", "printed"), SESSIONS)
def test_a_session_prints_what_the_guide_shows(folder: Path, command: str, printed: str) -> None:
    if "wrong" not in command:
        (folder / "wrong.test.yaml").unlink()  # the guide shows it later
    result = CliRunner().invoke(app, command.split())
    assert re.sub(r"\d+ ms", "1 ms", result.output) == printed
    assert result.exit_code == (1 if "✗" in printed else 0)


def test_the_flow_of_the_guide_s_definition_is_drawn(folder: Path) -> None:
    assert "flowchart TD" in CliRunner().invoke(app, ["graph", "payment.yaml"]).output


@pytest.mark.parametrize("key", scenarios_schema()["properties"]["scenarios"]["items"]["properties"])
def test_every_key_of_a_scenario_is_told(key: str) -> None:
    assert re.search(rf"\b{key}\b", GUIDE)
