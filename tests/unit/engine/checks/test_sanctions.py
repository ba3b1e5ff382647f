"""`sanctions`: what the check makes of what the lists say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from passerelle.engine.checks.base import CheckResult
from passerelle.engine.checks.sanctions import SHOWN, Sanctions
from passerelle.engine.kinds import Tools
from passerelle.engine.screening import Hit, ListVersion, Screened, WorkspaceLists
from tests.unit.engine.checks.check_services import NOW, answering

WORKSPACE = UUID(int=7)
EU = ListVersion("eu", 3, 1200, "ab" * 32, datetime(2026, 11, 22, 6, tzinfo=UTC), "compliance")


@dataclass
class Lists:
    """Says that these entries were found."""

    hits: Sequence[Hit] = ()
    versions: Sequence[ListVersion] = (EU,)
    missing: Sequence[str] = ()
    asked: tuple[Any, ...] = ()

    async def search(self, workspace_id: UUID, name: str, lists: Sequence[str] | None, threshold: int) -> Screened:
        self.asked = (workspace_id, name, lists, threshold)
        return Screened(tuple(self.hits), tuple(self.versions), tuple(self.missing))


def hit(birth_date: str = "", number: int = 1) -> Hit:
    entry = {"id": f"NK-{number}", "schema": "Person", "name": "Jane Fiction", "aliases": "x" * 9000, "dataset": "EU"}
    return Hit(EU, 93, "J. Fiction", entry | ({"birth_date": birth_date} if birth_date else {}))


async def run(found: Lists, /, **inputs: Any) -> CheckResult:
    tools = Tools(answering(), NOW, lists=WorkspaceLists(found, WORKSPACE))
    return await Sanctions().run({"name": "Jane Fiction", **inputs}, tools)


async def test_nobody_on_the_lists_passes_and_says_what_was_searched() -> None:
    result = await run(Lists())
    assert result.passed
    assert result.source == "eu version 3"
    assert result.data == {
        "threshold": 80,
        "lists": [
            {"name": "eu", "version": 3, "entries": 1200, "sha256": "ab" * 32, "loadedAt": "2026-11-22T06:00:00.000Z"}
        ],
        "matchCount": 0,
        "matches": [],
        "bornOtherwise": 0,
    }


async def test_a_match_does_not_pass_and_shows_the_entry() -> None:
    result = await run(Lists([hit("1970-01-02")]), birthDate="1970-01-02")
    assert (result.status, [reason.code for reason in result.reasons]) == ("invalid", ["POSSIBLE_MATCH"])
    assert result.data["matches"] == [
        {
            "list": "eu",
            "version": 3,
            "score": 93,
            "matchedName": "J. Fiction",
            "birthDateMatches": True,
            "entry": {
                "id": "NK-1",
                "schema": "Person",
                "name": "Jane Fiction",
                "birth_date": "1970-01-02",
                "dataset": "EU",
            },
        }
    ]


async def test_the_inputs_reach_the_lists_of_the_executions_workspace() -> None:
    lists = Lists()
    await run(lists, lists=["eu"], threshold=92)
    assert lists.asked == (WORKSPACE, "Jane Fiction", ["eu"], 92)


@pytest.mark.parametrize(
    ("on_the_list", "typed", "kept", "shown"),
    [
        ("1970-01-02", "1970-01-02", True, True),
        ("1970-01-02", "1970-01-03", False, None),
        ("1970", "1970-01-03", True, True),
        ("1970-01-02", "1970", True, True),
        ("1969;1970-01-03", "1970-01-03", True, True),
        ("1969;1971", "1970-01-03", False, None),
        ("", "1970-01-03", True, None),
        ("1970-01-02", None, True, None),
    ],
)
async def test_a_birth_date_narrows(on_the_list: str, typed: str | None, kept: bool, shown: bool | None) -> None:
    result = await run(Lists([hit(on_the_list)]), **({"birthDate": typed} if typed else {}))
    assert [match["birthDateMatches"] for match in result.data["matches"]] == ([shown] if kept else [])
    assert (result.passed, result.data["bornOtherwise"]) == (not kept, 0 if kept else 1)


async def test_a_list_that_is_not_loaded_is_never_a_pass() -> None:
    nothing = await run(Lists(versions=()))
    assert (nothing.status, nothing.reasons[0].code) == ("unknown", "NO_LISTS")
    some = await run(Lists(missing=["ofac"]), lists=["eu", "ofac"])
    assert (some.status, some.reasons[0].code) == ("unknown", "LIST_UNKNOWN")
    assert "ofac" in some.reasons[0].message
    found = await run(Lists([hit()], missing=["ofac"]), lists=["eu", "ofac"])
    assert (found.status, len(found.reasons)) == ("invalid", 2)


async def test_a_name_without_letters_is_never_a_pass() -> None:
    result = await run(Lists(), name=" — ")
    assert (result.status, result.reasons[0].code) == ("unknown", "NAME_EMPTY")


async def test_many_matches_are_counted_and_the_best_shown() -> None:
    result = await run(Lists([hit(number=number) for number in range(500)]))
    assert (result.data["matchCount"], len(result.data["matches"])) == (500, SHOWN)
    assert "500 entries" in result.reasons[0].message


async def test_without_lists_it_is_unknown() -> None:
    result = await Sanctions().run({"name": "Jane"}, Tools(answering(), NOW))
    assert (result.status, result.reasons[0].code) == ("unknown", "NO_LISTS")
