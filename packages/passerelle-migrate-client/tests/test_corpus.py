"""How good the command is, measured on working clients of several languages.

A line that uses version 1 is marked at its end: `§a` a header, `§p` a key of a body, `§r` one of an answer, `§y` the
party, `§u` a path, `§m` a link without an address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from passerelle_migrate_client.command import migrate_client
from passerelle_migrate_client.scanning import scan

CLIENTS = Path(__file__).parent / "clients"
NAMES = sorted(path.name for path in CLIENTS.iterdir())
RULES = {"a": "accept", "p": "payload-key", "r": "answer-key", "y": "party", "u": "path", "m": "email"}
Use = tuple[str, int, str]


def _put(name: str, folder: Path) -> None:
    for file in (CLIENTS / name).iterdir():
        (folder / file.name.removesuffix(".txt")).write_bytes(file.read_bytes())


def _marked(folder: Path) -> set[Use]:
    return {
        (file.name, number, RULES[letter])
        for file in folder.iterdir()
        for number, line in enumerate(file.read_text().splitlines(), 1)
        for letter in re.findall("§([a-z])", line)
    }


def _found(folder: Path, *, certain: bool) -> set[Use]:
    found = scan([folder], "cases", None, pinned=False).findings
    return {(one.path.name, one.line, one.rule) for one in found if one.certain or not certain}


def _written(folder: Path) -> Iterator[tuple[str, str]]:
    """Every line that `--write` makes another one, before and after."""
    before = {file.name: file.read_text().splitlines() for file in folder.iterdir()}
    with (folder.parent / "said").open("w") as said:
        migrate_client(
            [folder],
            Console(file=said),
            fix=True,
            write=True,
            as_json=False,
            table="cases",
            encoding=None,
            pinned=False,
        )
    for file in folder.iterdir():
        after = [line for line in file.read_text().splitlines() if line not in before[file.name]]
        gone = [line for line in before[file.name] if line not in file.read_text().splitlines()]
        yield "\n".join(gone), "\n".join(after)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "client").mkdir()
    return tmp_path / "client"


@pytest.mark.parametrize("name", NAMES)
def test_every_marked_use_is_found_and_nothing_else_is_called_certain(name: str, folder: Path) -> None:
    _put(name, folder)
    if (folder / "Api.swift").exists():  # in no language that is known: listed instead
        assert scan([folder], "cases", None, pinned=False).unread
        return
    marked = _marked(folder)
    assert marked - _found(folder, certain=False) == set()
    assert _found(folder, certain=True) - marked == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_leaves_a_client_of_version_2_or_nothing_is_written(name: str, folder: Path) -> None:
    _put(name, folder)
    blocked = scan([folder], "cases", None, pinned=False).blocked
    changed = [(gone, new) for gone, new in _written(folder) if gone or new]
    if blocked:
        assert changed == []
        return
    assert [gone for gone, _ in changed if gone and "§" not in gone] == []
    assert [rule for _, _, rule in _found(folder, certain=False) if rule not in ("path", "party")] == []


def test_no_client_is_passed_over_in_silence(folder: Path) -> None:
    """A client that uses version 1 never gets "nothing left to do"."""
    for name in NAMES:
        inside = folder / name
        inside.mkdir()
        _put(name, inside)
        found = scan([inside], "cases", None, pinned=False)
        assert bool(found.findings or found.unread) or not _marked(inside), name
