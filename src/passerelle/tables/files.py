"""Tables as files: reads and checks a table's YAML, for commands and servers alike, and writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid5

from passerelle.definitions.json_schema import Finding
from passerelle.definitions.problems import DefinitionProblem, placed
from passerelle.definitions.source import Source, read_source
from passerelle.definitions.yaml_text import Genre
from passerelle.definitions.yaml_writing import in_one_line
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.ids import parse_id
from passerelle.kit.json import Json
from passerelle.tables.defining import Defining, check_table_name
from passerelle.tables.file_schema import structure
from passerelle.tables.models import Field
from passerelle.tables.schemas import FieldBody, TableBody

WIDEST: Final = 120
"""Characters of a written line; a field that needs more is written in several."""

_GENRE: Final = Genre("table", "`name` and `fields`")
_NOBODY: Final = UUID(int=0)
"""Stands for ids that only a server knows."""


@dataclass(frozen=True)
class TableText:
    """What a text says of a table, or everything that is wrong with it."""

    source: Source
    problems: tuple[DefinitionProblem, ...]
    body: TableBody | None
    """None where something is wrong."""
    fields: tuple[Field, ...] = ()
    """The fields as a server would keep them, defaults normalised; their keys and ids mean nothing."""

    def require(self) -> TableBody:
        """The table. Raises `ValueError` with every problem, a line each."""
        if self.body is None:
            raise ValueError("\n".join(map(str, self.problems)))
        return self.body

    def at(self, problems: Sequence[Problem]) -> tuple[DefinitionProblem, ...]:
        """A server's problems at their places in the text."""
        findings = [(_path(problem.pointer), problem.message) for problem in problems]
        return _placed(Source(self.source.value, (), self.source.places), findings)


def read_table(text: str) -> TableText:
    """Read a YAML or JSON text. Raises nothing about the text: whatever is wrong is listed.

    What only a workspace can say is not looked at: whether the table of a relation is there, and what a change
    would lose.
    """
    source = read_source(text, _GENRE)
    if not source.readable:
        return TableText(source, _placed(source, ()), None)
    structural = structure().findings(source.value)
    wrong = {path for path, _ in structural}
    judged = _judged(source.value, _sound_fields(source.value, wrong), wrong)
    # What the text itself has wrong at a place explains whatever else is wrong there.
    marred = {problem.path for problem in source.problems}
    problems = _placed(source, [finding for finding in (*structural, *judged) if finding[0] not in marred])
    if problems:
        return TableText(source, problems, None)
    body = TableBody.model_validate({name: value for name, value in source.value.items() if name != "$schema"})
    return TableText(source, (), body, defined(body.fields))


def defined(bodies: Sequence[FieldBody]) -> tuple[Field, ...]:
    """The fields of a sound table as a server would keep them; their keys and ids mean nothing.

    A relation's `table_id` stands for the other table's name: equal names have equal ids.
    """
    return _defining(bodies).fields([_as_new(body) for body in bodies]).fields


def written(body: TableBody) -> str:
    """A table as YAML that `read_table` takes: one line a field, what is at its default left out."""
    facts = body.model_dump(by_alias=True, exclude_defaults=True)
    lines = [f"name: {in_one_line(facts['name'])}\n"]
    if "title" in facts:
        lines.append(f"title: {in_one_line(facts['title'])}\n")
    if not facts["fields"]:
        lines.append("fields: []\n")
    else:
        lines.append("fields:\n")
        lines += [_field(field) for field in facts["fields"]]
    return "".join(lines)


def _field(facts: dict[str, Any]) -> str:
    line = f"  - {in_one_line(facts)}\n"
    if len(line) <= WIDEST:
        return line
    first, *others = (f"{in_one_line(name)}: {in_one_line(value)}\n" for name, value in facts.items())
    return f"  - {first}" + "".join(f"    {other}" for other in others)


def _sound_fields(document: Json, wrong: set[tuple[str | int, ...]]) -> dict[int, FieldBody]:
    """The fields whose structure is right, by their position."""
    listed = document.get("fields") if isinstance(document, dict) else None
    broken = {path[1] for path in wrong if len(path) > 1 and path[0] == "fields"}
    return {
        index: FieldBody.model_validate(field)
        for index, field in enumerate(listed if isinstance(listed, list) else ())
        if index not in broken and isinstance(field, dict)
    }


def _judged(document: Json, fields: dict[int, FieldBody], wrong: set[tuple[str | int, ...]]) -> Iterator[Finding]:
    """What is wrong with a name or with settings that have the right form."""
    name = document.get("name") if isinstance(document, dict) else None
    if isinstance(name, str) and ("name",) not in wrong:
        try:
            check_table_name(name)
        except PasserelleError as error:
            yield ("name",), error.problems[0].message
    positions = list(fields)
    bodies = [_as_new(body) for body in fields.values()]
    try:
        _defining(bodies).fields(bodies)
    except PasserelleError as error:
        for problem in error.problems:
            _, index, *rest = _path(problem.pointer)
            yield ("fields", positions[int(index)], *rest), problem.message


def _defining(bodies: Sequence[FieldBody]) -> Defining:
    tables = {body.table: _id_of(body.table) for body in bodies if body.table is not None}
    return Defining((), tables, lambda: _NOBODY, new_table=True)


def _id_of(reference: str) -> UUID:
    """An id that stands for a table's name; an id stands for itself."""
    return parse_id(reference) or uuid5(_NOBODY, reference)


def _as_new(body: FieldBody) -> FieldBody:
    return body.model_copy(update={"renamed_from": None})


def _placed(source: Source, findings: Iterable[Finding]) -> tuple[DefinitionProblem, ...]:
    return placed(source, findings, "table", "name")


def _path(pointer: str | None) -> tuple[str | int, ...]:
    parts = (pointer or "").split("/")[1:]
    return tuple(int(part) if part.isdigit() else part.replace("~1", "/").replace("~0", "~") for part in parts)
