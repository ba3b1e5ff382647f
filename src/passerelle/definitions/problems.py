"""One thing that is wrong with a definition, and how its place is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.kinds import Path
from passerelle.definitions.parts import IDENTIFIER
from passerelle.definitions.source import Source
from passerelle.kit.json import Json, KnownJson

MOST_TOLD: Final = 100
"""Problems of one text that are told; the others are counted."""
_IDENTIFIER: Final = re.compile(IDENTIFIER.removeprefix("^").removesuffix("$"))


@dataclass(frozen=True, slots=True)
class DefinitionProblem:
    """Where a definition is wrong, and a sentence: what is wrong and what would be right."""

    line: int
    column: int
    path: Path
    message: str
    where: str
    """The path for people: `steps.registry.http.url`."""

    def __str__(self) -> str:
        return f"{self.line}: {self.where}: {self.message}"


def placed(
    source: Source, findings: Iterable[tuple[Path, str]], root: str = "definition", key: str = "id"
) -> tuple[DefinitionProblem, ...]:
    """What is wrong with a text itself and with what it says, in the order of the text, each once.

    Of more than `MOST_TOLD` the last one says how many there are besides. `root` and `key`: see `render_path`.
    """
    found = [(problem.line, problem.column, problem.path, problem.message) for problem in source.problems]
    found += [(*source.place(path), path, message) for path, message in findings]
    unique = sorted(dict.fromkeys(found), key=lambda entry: entry[:2])
    if (more := len(unique) - MOST_TOLD) > 0:
        line, column, _, _ = unique[MOST_TOLD]
        unique = [*unique[:MOST_TOLD], (line, column, (), f"and {more:,} more from here on; mend these first")]
    return tuple(
        DefinitionProblem(line, column, path, message, render_path(path, source.value, root, key))
        for line, column, path, message in unique
    )


def render_path(path: Path, document: Json, root: str = "definition", key: str = "id") -> str:
    """`steps.registry.http.url`: items of a list by their `id` where that is unique, by position otherwise.

    `root` is what stands for the empty path, `key` what names an item of a list.
    """
    written: list[str] = []
    here: Any = document
    for part in path:
        written.append(_rendered(part, here, key))
        here = _inside(here, part)
    return "".join(written).removeprefix(".") or root


def _rendered(part: str | int, around: KnownJson, key: str) -> str:
    if isinstance(part, str):
        return f".{part}" if _IDENTIFIER.fullmatch(part) else f'["{part}"]'
    name = _name_of(_inside(around, part), key)
    return f".{name}" if name and [_name_of(item, key) for item in around].count(name) == 1 else f"[{part}]"


def _name_of(item: Json, key: str) -> str | None:
    name = item.get(key) if isinstance(item, dict) else None
    return name if isinstance(name, str) and _IDENTIFIER.fullmatch(name) else None


def _inside(value: KnownJson, part: str | int) -> KnownJson:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
