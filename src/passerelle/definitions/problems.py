"""One thing that is wrong with a definition, and how its place is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.kinds import Path
from passerelle.definitions.parts import IDENTIFIER
from passerelle.kit.json import Json

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


def render_path(path: Path, document: Json, root: str = "definition") -> str:
    """`steps.registry.http.url`: items of a list by their `id` where that is unique, by position otherwise.

    `root` is what stands for the empty path.
    """
    written: list[str] = []
    here: Any = document
    for part in path:
        written.append(_rendered(part, here))
        here = _inside(here, part)
    return "".join(written).removeprefix(".") or root


def _rendered(part: str | int, around: Json) -> str:
    if isinstance(part, str):
        return f".{part}" if _IDENTIFIER.fullmatch(part) else f'["{part}"]'
    name = _id_of(_inside(around, part))
    return f".{name}" if name and [_id_of(item) for item in around].count(name) == 1 else f"[{part}]"


def _id_of(item: Json) -> str | None:
    name = item.get("id") if isinstance(item, dict) else None
    return name if isinstance(name, str) and _IDENTIFIER.fullmatch(name) else None


def _inside(value: Json, part: str | int) -> Json:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
