"""`sanctions`: is somebody of this name on the lists that the workspace has loaded?

A match is a question for a person to decide, not an answer: names are alike, people are not.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import ClassVar, Final

from passerelle.engine.checks.base import CheckResult, OutsideCheck, Reason, library, takes
from passerelle.engine.kinds import Tools
from passerelle.engine.screening import Hit, ListVersion, Screened
from passerelle.kit.clock import iso
from passerelle.kit.json import JsonObject

DEFAULT_THRESHOLD: Final = 80
SHOWN: Final = 20
"""Matches that the result has; it says how many there are."""

_SHOWN_COLUMNS: Final = ("id", "schema", "name", "birth_date", "countries", "identifiers", "sanctions", "dataset")


class Sanctions(OutsideCheck):
    """Names, and dates of birth, against lists in the columns of OpenSanctions' `targets.simple`."""

    name = "sanctions"
    subject = "name"
    source = library("rapidfuzz")
    inputs: ClassVar[JsonObject] = takes(
        ["name"],
        {
            "name": {
                "type": "string",
                "maxLength": 300,
                "description": "The whole name of a person or company, in any script and order.",
            },
            "birthDate": {
                "type": "string",
                "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$",
                "description": "1952-10-07, or as much as is known: entries of another date do not match.",
            },
            "lists": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string"},
                "description": "Which lists; every list of the workspace if absent.",
            },
            "threshold": {
                "type": "integer",
                "minimum": 50,
                "maximum": 100,
                "default": DEFAULT_THRESHOLD,
                "description": f"The least score that is a match, 50 to 100; {DEFAULT_THRESHOLD} if absent.",
            },
        },
    )

    async def run(self, inputs: JsonObject, tools: Tools) -> CheckResult:
        threshold = int(inputs.get("threshold", DEFAULT_THRESHOLD))
        found = await tools.lists.search(inputs["name"], inputs.get("lists"), threshold)
        born = inputs.get("birthDate")
        matches = [hit for hit in found.hits if _may_be_born(hit, born)]
        data = {
            "threshold": threshold,
            "lists": [_version(version) for version in found.lists],
            "matchCount": len(matches),
            "matches": [_match(hit, born) for hit in matches[:SHOWN]],
            "bornOtherwise": len(found.hits) - len(matches),
        }
        reasons = tuple(_reasons(found, len(matches), inputs["name"]))
        if matches:
            return CheckResult("invalid", reasons, data, _source(found.lists))
        return CheckResult("unknown" if reasons else "valid", reasons, data, _source(found.lists))


def _reasons(found: Screened, matches: int, name: str) -> Iterable[Reason]:
    if matches:
        entries = "one entry has" if matches == 1 else f"{matches} entries have"
        said = f"{entries} a name like this one: somebody has to compare them"
        yield Reason("POSSIBLE_MATCH", said, {"count": str(matches)})
    if found.missing:
        named = ", ".join(found.missing)
        said = f"not loaded: {named}. Load them with `passerelle lists load FILE --name NAME`"
        yield Reason("LIST_UNKNOWN", said, {"lists": named})
    elif not found.lists:
        yield Reason("NO_LISTS", "no list is loaded: use `passerelle lists load FILE --name NAME`")
    if not any(character.isalnum() for character in name):
        yield Reason("NAME_EMPTY", "the name has no letters or digits")


def _may_be_born(hit: Hit, born: str | None) -> bool:
    """Whether the dates leave it open: one of them may be unknown, or less exact."""
    dates = _dates(hit)
    return born is None or not dates or any(_agree(date, born) for date in dates)


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _dates(hit: Hit) -> list[str]:
    return [part.strip() for row in csv.reader([hit.entry.get("birth_date", "")], delimiter=";") for part in row]


def _match(hit: Hit, born: str | None) -> JsonObject:
    return {
        "list": hit.list.name,
        "version": hit.list.version,
        "score": hit.score,
        "matchedName": hit.name,
        "birthDateMatches": None if born is None or not _dates(hit) else True,
        "entry": {column: hit.entry[column] for column in _SHOWN_COLUMNS if column in hit.entry},
    }


def _version(version: ListVersion) -> JsonObject:
    return {
        "name": version.name,
        "version": version.version,
        "entries": version.entries,
        "sha256": version.sha256,
        "loadedAt": iso(version.loaded_at),
    }


def _source(lists: Iterable[ListVersion]) -> str | None:
    """`eu version 3, ofac version 7`."""
    return ", ".join(f"{version.name} version {version.version}" for version in lists) or None
