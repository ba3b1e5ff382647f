"""One thing that is wrong with a definition, and how its place is written."""

from __future__ import annotations

import re
from collections import Counter
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
    names = _Names(key)
    return tuple(
        DefinitionProblem(line, column, path, message, _rendered(path, source.value, root, names))
        for line, column, path, message in unique
    )


def render_path(path: Path, document: Json, root: str = "definition", key: str = "id") -> str:
    """`steps.registry.http.url`: items of a list by their `id` where that is unique, by position otherwise.

    `root` is what stands for the empty path, `key` what names an item of a list.
    """
    return _rendered(path, document, root, _Names(key))


def _rendered(path: Path, document: Json, root: str, names: _Names) -> str:
    written: list[str] = []
    here: Any = document
    for part in path:
        written.append(_part(part, here, names))
        here = _inside(here, part)
    return "".join(written).removeprefix(".") or root


def _part(part: str | int, around: KnownJson, names: _Names) -> str:
    if isinstance(part, str):
        return f".{part}" if _IDENTIFIER.fullmatch(part) else f'["{part}"]'
    name = names.unique(around, part)
    return f".{name}" if name else f"[{part}]"


class _Names:
    """What names the items of lists: each list is counted once, however many problems stand in it."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._counted: dict[int, Counter[str | None]] = {}

    def unique(self, around: KnownJson, place: int) -> str | None:
        """The name of an item, if no other one has it."""
        name = _name_of(_inside(around, place), self._key)
        if name is None:
            return None
        if id(around) not in self._counted:
            self._counted[id(around)] = Counter(_name_of(item, self._key) for item in around)
        return name if self._counted[id(around)][name] == 1 else None


def _name_of(item: Json, key: str) -> str | None:
    name = item.get(key) if isinstance(item, dict) else None
    return name if isinstance(name, str) and _IDENTIFIER.fullmatch(name) else None


def _inside(value: KnownJson, part: str | int) -> KnownJson:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
