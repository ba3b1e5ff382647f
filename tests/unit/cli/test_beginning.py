"""`passerelle init` lists templates, writes files and never over others; what a file has that is not carried over is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.cli.check import check_files
from passerelle.cli.init import init, listed, made_of
from passerelle.engine.registry import load_kinds
from passerelle.kit.errors import CommandError

CSV = "number;city;id\n1;Gdynia;7\n2;Sopot;8\n"


def test_templates_are_listed_by_name() -> None:
    lines = list(listed())
    assert len(lines) == 12
    assert any(line.startswith("tenant ") and line.endswith("A tenant") for line in lines)


def test_a_name_that_is_none_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="did you mean `tenant`"):
        list(init("tenat", tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_templates_that_share_a_table_go_into_one_folder(tmp_path: Path) -> None:
    """Their table is the same file; anything else that is there stops all of it."""
    list(init("periodic-review", tmp_path))
    assert "says the same" in " ".join(init("account-closure", tmp_path))
    (tmp_path / "tables" / "accounts.yaml").write_text("name: accounts\nfields: []\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"accounts\.yaml is there"):
        list(init("change-of-address", tmp_path))
    assert not (tmp_path / "change-of-address.yaml").exists()


def test_a_file_becomes_a_folder_that_passes_check(tmp_path: Path) -> None:
    source = tmp_path / "Our places.csv"
    source.write_text(CSV, encoding="utf-8")
    lines = list(made_of(source, None, None, tmp_path / "made", operations=[], batch=True))
    assert check_files([tmp_path / "made"], load_kinds()) == ([], [], 2)
    assert (
        "not carried over: column id: its field is called `idValue`: records have one of that name themselves" in lines
    )
    assert str(tmp_path / "made" / "tables" / "ourPlaces.yaml") in lines


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("No Name", CSV, "lower-case letters"), ("places", "<a/>", "no BPMN 2.0 file"), ("places", None, "cannot read")],
)
def test_what_cannot_be_made_writes_nothing(tmp_path: Path, name: str, content: str | None, reason: str) -> None:
    source = tmp_path / "places.csv"
    if content is not None:
        source.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=reason):
        list(made_of(source, None, name, tmp_path / "made", operations=[], batch=False))
    assert not (tmp_path / "made").exists()
