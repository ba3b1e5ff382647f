"""What comes of a conversion, and what can keep it from being one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from passerelle.kit.errors import Code

Kind = Literal["json-schema", "csv", "openapi", "bpmn"]
"""What can be converted."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

IMPORT_INVALID: Final = Code(
    "IMPORT_INVALID", 400, "The file cannot be converted to a definition; the message says what is wrong with it."
)
IMPORT_TOO_HEAVY: Final = Code("IMPORT_TOO_HEAVY", 400, "Converting the file takes too long or too much memory.")

MOST_LEFT_OUT: Final = 500
"""Entries of what was not carried over that are told; the others are counted."""


class ConversionError(ValueError):
    """The file is not what it should be, or too much; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not carried over, or not as it was: where it stands in the file, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A call that an OpenAPI document describes."""

    id: str
    method: str
    path: str
    summary: str
    chosen: bool
    """Whether it became a step."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a file.

    name        the definition's name; made of the file's own title or name where there is none
    operations  of an OpenAPI document: the operations that become steps; none: the first ones
    batch       of a CSV: a definition that takes its rows, instead of a form that asks for one
    """

    name: str | None = None
    operations: tuple[str, ...] = ()
    batch: bool = False


@dataclass
class Sketch:
    """A definition on its way: its document, and what is said of it.

    comments  lines that stand above a step, by the step's id
    tables    the tables that it needs, as `POST /tables` takes them
    """

    document: dict[str, Any]
    left_out: list[LeftOut] = field(default_factory=list)
    comments: dict[str, list[str]] = field(default_factory=dict)
    tables: list[dict[str, Any]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)

    def leave(self, place: str, reason: str) -> None:
        """Note what is not carried over."""
        self.left_out.append(LeftOut(place, reason))


@dataclass(frozen=True, slots=True)
class Converted:
    """A definition's text that passes `check`, its tables, and all that was not carried over."""

    kind: Kind
    name: str
    text: str
    tables: Sequence[dict[str, Any]]
    left_out: Sequence[LeftOut]
    more_left_out: int
    """How many more were not carried over than `left_out` tells of."""
    operations: Sequence[Operation]
