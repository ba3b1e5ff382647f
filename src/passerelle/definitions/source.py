"""Reads a definition's text: YAML, or JSON as a part of it, into a plain JSON value with the place of every node.

Of YAML only what JSON can say is taken. A plain scalar is null, true, false or a number where JSON would say
so, and a text otherwise: `no`, `on`, `2026-01-05`, `0123` and `12:30` stay texts. Tags, merge keys and keys that
are not texts are refused. Aliases are allowed, and what they stand for counts towards the limits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import yaml

from passerelle.definitions.kinds import Path
from passerelle.definitions.yaml_text import DEFINITION, Genre, SourceProblem, prepare, refused
from passerelle.kit.json import Json, KnownJson

MAX_NODES: Final = 100_000
"""Mappings, lists and values, each counted as often as an alias repeats it."""
MAX_DEPTH: Final = 100
"""Levels of mappings and lists; the schemas of forms are the deepest that people write."""

Place = tuple[int, int]
"""Line and column, both counted from 1."""


@dataclass(frozen=True)
class Source:
    """What a text says. Where it could not be read to its end, `readable` is False and `value` None."""

    value: KnownJson
    problems: tuple[SourceProblem, ...]
    places: Mapping[Path, Place] = field(default_factory=dict)
    readable: bool = True

    def place(self, path: Path) -> Place:
        """Where `path` stands: its key or list item, or the nearest one around it that the text has."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


def read_source(text: str, genre: Genre = DEFINITION) -> Source:
    """The value of a YAML or JSON text. Never raises: whatever is wrong is in `problems`."""
    prepared = prepare(text, genre)
    if isinstance(prepared, SourceProblem):
        return Source(None, (prepared,), readable=False)
    builder = _Builder(genre)
    try:
        builder.read(_parser(prepared))
    except yaml.MarkedYAMLError as error:
        builder.problems.append(refused(error, prepared))
    except _TooMuch as error:
        builder.problems.append(error.problem)
    else:
        return Source(builder.value, tuple(builder.problems), builder.places)
    return Source(None, tuple(builder.problems), readable=False)


def _parser(text: str) -> Any:
    """libyaml's parser: PyYAML's own is a tenth as fast, and recursive."""
    return yaml.CSafeLoader(text)


class _Event(Protocol):
    """What libyaml reports: one protocol for its event classes."""

    anchor: str | None
    tag: str | None
    implicit: Any
    value: str
    start_mark: Any


class _TooMuch(Exception):  # noqa: N818 - only ends the reading
    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Node:
    """A mapping or list under construction, or a finished value."""

    value: KnownJson
    path: Path = ()
    anchor: str | None = None
    size: int = 1
    height: int = 0
    """Levels of mappings and lists, itself included."""
    key: str | None = None
    """In a mapping: the key whose value comes next."""
    lines: dict[str, int] = field(default_factory=dict)
    """In a mapping: the line of every key so far."""

    @property
    def wants_key(self) -> bool:
        return type(self.value) is dict and self.key is None


_OPEN: Final = _Node(None)
"""What an anchor names while its own value is still being read."""


class _Builder:
    """Turns libyaml's events into a value, without recursion: a deep text must not exhaust the stack."""

    def __init__(self, genre: Genre) -> None:
        self._genre = genre
        self.value: KnownJson = None
        self.places: dict[Path, Place] = {}
        self.problems: list[SourceProblem] = []
        self._open: list[_Node] = []
        self._anchors: dict[str, _Node] = {}
        self._documents = 0

    def read(self, parser: Any) -> None:
        """Take every event up to the end of the text. Raises `_TooMuch` and `MarkedYAMLError`."""
        handlers: Mapping[type, Callable[[_Event], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceStartEvent: self._list,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        while (event := parser.get_event()) is not None:
            if (handler := handlers.get(type(event))) is not None:
                handler(event)
        if not self._documents:
            empty = f"the text is empty; a {self._genre.name} needs at least {self._genre.needs}"
            self.problems.append(SourceProblem(1, 1, (), empty))

    def _document(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            name = self._genre.name
            raise self._stop(event, f"a second document begins here; a {name} is one document, without `---`")

    def _scalar(self, event: _Event) -> None:
        if self._open and self._open[-1].wants_key:
            self._key(event, self._open[-1])
            return
        path = self._path(event)
        self._refuse_tag(event, path)
        self._add(event, _Node(self._resolve(event, path), path, event.anchor))

    def _key(self, event: _Event, parent: _Node) -> None:
        key = event.value
        path = (*parent.path, key)
        mark = event.start_mark
        if key in parent.lines:
            self._note(event, path, f"the key stands twice, first on line {parent.lines[key]}; keep one of them")
        else:
            self.places[path] = (mark.line + 1, mark.column + 1)
            parent.lines[key] = mark.line + 1
        self._refuse_tag(event, path)
        if event.implicit[0] and key == "<<":
            self._note(event, path, "merge keys are not supported; write the keys out")
        elif event.implicit[0] and not isinstance(plain_value(key), str):
            self._note(event, path, f'a key must be a text; write it in quotes: "{key}"')
        if event.anchor:
            self._anchors[event.anchor] = _Node(key)
        parent.key = key

    def _mapping(self, event: _Event) -> None:
        self._start(event, {})

    def _list(self, event: _Event) -> None:
        self._start(event, [])

    def _start(self, event: _Event, value: Json) -> None:
        if self._open and self._open[-1].wants_key:
            raise self._stop(event, "a key must be a text; a text that begins with a bracket must be in quotes")
        path = self._path(event)
        self._refuse_tag(event, path)
        self._open.append(_Node(value, path, event.anchor, height=1))
        if event.anchor:
            self._anchors[event.anchor] = _OPEN
        self._limit(event, 0)

    def _end(self, event: _Event) -> None:
        self._add(event, self._open.pop())

    def _alias(self, event: _Event) -> None:
        if self._open and self._open[-1].wants_key:
            raise self._stop(event, "an alias cannot be a key; write the key out")
        path = self._path(event)
        target = self._anchors.get(event.anchor or "")
        if target is None:
            self._note(event, path, f"`*{event.anchor}` repeats nothing; write `&{event.anchor}` before a value above")
        elif target is _OPEN:
            self._note(event, path, f"`*{event.anchor}` stands inside of what it repeats; write the value out")
        target = target or _OPEN
        self._limit(event, target.height)
        self._add(event, _Node(target.value, path, size=target.size, height=target.height))

    def _add(self, event: _Event, node: _Node) -> None:
        """Put a finished value where it belongs."""
        if node.anchor:
            self._anchors[node.anchor] = node
        if not self._open:
            self.value = node.value
            return
        parent = self._open[-1]
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if parent.size > MAX_NODES:
            raise self._stop(event, f"more than {MAX_NODES:,} values, those that aliases repeat included")
        if parent.key is None:
            parent.value.append(node.value)
        else:
            # Of a key that stands twice the first value is kept, as the problem says.
            parent.value.setdefault(parent.key, node.value)
            parent.key = None

    def _path(self, event: _Event) -> Path:
        """Where the value that begins now belongs; its place is kept, unless its key already has one."""
        if not self._open:
            path: Path = ()
        elif (parent := self._open[-1]).key is not None:
            return (*parent.path, parent.key)
        else:
            path = (*parent.path, len(parent.value))
        self.places[path] = (event.start_mark.line + 1, event.start_mark.column + 1)
        return path

    def _resolve(self, event: _Event, path: Path) -> Json:
        value = plain_value(event.value) if event.implicit[0] else event.value
        if isinstance(value, str):
            if "\0" in value:
                self._note(event, path, "a text may not contain the character NUL; remove it")
            elif event.implicit[0] and value.lower() in _NOT_FINITE:
                self._note(event, path, f'there is no number `{value}`; write "{value}" if a text is meant')
        elif isinstance(value, int | float) and not _fits(value):
            self._note(event, path, f'the number is too large; write "{event.value}" if a text is meant')
            return 0
        return value

    def _refuse_tag(self, event: _Event, path: Path) -> None:
        if event.tag is not None:
            self._note(event, path, f"tags such as `{event.tag}` are not supported; quotes make a text")

    def _limit(self, event: _Event, height: int) -> None:
        if len(self._open) + height > MAX_DEPTH:
            raise self._stop(event, f"more than {MAX_DEPTH} levels of lists and mappings; flatten it")

    def _note(self, event: _Event, path: Path, message: str) -> None:
        mark = event.start_mark
        self.problems.append(SourceProblem(mark.line + 1, mark.column + 1, path, message))

    def _stop(self, event: _Event, message: str) -> _TooMuch:
        mark = event.start_mark
        return _TooMuch(SourceProblem(mark.line + 1, mark.column + 1, (), message))


_WORDS: Final[Mapping[str, Json]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_FINITE: Final = frozenset(sign + word for sign in ("", "+", "-") for word in (".inf", ".nan"))
# JSON's numbers only: `0123`, `+48`, `1_000`, `0x1F`, `12:30` are identifiers, phone numbers and times to people.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


def plain_value(text: str) -> Json:
    """What a scalar without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    if found.group(1) or found.group(2):
        return float(text)
    return int(text) if len(text) <= 20 else math.inf


def _fits(value: int | float) -> bool:
    """Whether every JSON library keeps it as it is: 64 bits."""
    return -(2**63) <= value < 2**64 if isinstance(value, int) else math.isfinite(value)
