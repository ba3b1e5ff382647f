"""Tables of a running Passerelle, as commands see them: what a push of files would change, and the push."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passerelle.cli.api_client import messages_of, pages
from passerelle.definitions.words import suggest
from passerelle.kit.errors import CommandError, Problem
from passerelle.tables.differences import Difference, described, differences, renames_left
from passerelle.tables.files import TableText, read_table
from passerelle.tables.schemas import FieldBody, TableBody, body_of

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class RemoteTable:
    """A table that the workspace has."""

    id: str
    body: TableBody
    built_in: bool
    indexes: Mapping[str, str]
    """By field: what its index lacks, for those that are not ready."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a push of one table's file would do."""

    file: Path
    text: TableText
    body: TableBody
    there: RemoteTable | None
    differences: tuple[Difference, ...]

    @property
    def summary(self) -> str:
        """One line."""
        if self.there is None:
            return f"{self.file}: a push makes a new table {self.body.name}"
        does = f"changes the table {self.body.name}" if self.differences else "does nothing"
        same = "" if self.differences else f"the same as the table {self.body.name}; "
        return f"{self.file}: {same}a push {does}"


def remote_tables(client: httpx.Client) -> dict[str, RemoteTable]:
    """Every table of the workspace by its name. Raises `CommandError`."""
    return {facts["name"]: _remote(facts) for facts in pages(client, "/tables")}


def plan(tables: Mapping[str, RemoteTable], files: Sequence[tuple[Path, str]]) -> list[Planned]:
    """What a push of these files (path and text) would do to these tables.

    Raises `CommandError` with everything that stands in the way of a push, wherever it can be known beforehand.
    """
    texts = [(file, read_table(text)) for file, text in files]
    problems = [f"{file}:{problem}" for file, text in texts for problem in text.problems]
    bodies = [(file, text, text.body) for file, text in texts if text.body is not None]
    problems += twice((file, body.name) for file, _, body in bodies)
    names = {*tables, *(body.name for _, _, body in bodies)}
    by_id = {table.id: name for name, table in tables.items()}
    planned = []
    for file, text, body in bodies:
        problems += [f"{file}:{line}" for line in text.at(list(_unrelated(body, names, by_id)))]
        one = _planned(file, text, _by_name(body, by_id), tables.get(body.name))
        refused = [Problem("", change.text, change.pointer) for change in one.differences if change.sign == "!"]
        problems += [f"{file}:{line}" for line in text.at(refused)]
        planned.append(one)
    if problems:
        raise CommandError("\n".join(problems))
    return planned


def twice(files: Iterator[tuple[Path, str]]) -> list[str]:
    """A line for each file whose table another file before describes as well."""
    first: dict[str, Path] = {}
    problems = []
    for file, name in files:
        if (other := first.setdefault(name, file)) != file:
            problems.append(f"{file}: the table {name} is described by {other} as well; keep one of them")
    return problems


def push(client: httpx.Client, planned: Sequence[Planned], *, lose_data: bool) -> Iterator[str]:
    """Make and change the tables; one line for each that is in. Raises `CommandError` with all that failed.

    New tables that point to one another are made without those fields first, which then follow.
    """
    problems: list[str] = []
    missing = {one.body.name for one in planned if one.there is None}
    begun: list[Planned] = []
    for one in (one for one in planned if one.there is None):
        held = [field for field in one.body.fields if field.table in missing - {one.body.name}]
        made = _send(client, one, [field for field in one.body.fields if field not in held], problems)
        if made is not None:
            missing.discard(one.body.name)
            if held:
                begun.append(replace(one, there=made))
            else:
                yield _line(one, made, "new")
    for one in [*begun, *(one for one in planned if one.there is not None)]:
        news = "new" if one in begun else "changed" if one.differences else "unchanged"
        table = _send(client, one, one.body.fields, problems, lose_data=lose_data) if one.differences else one.there
        if table is not None:
            yield _line(one, table, news)
    if problems:
        raise CommandError("\n".join(problems))


def _send(
    client: httpx.Client, one: Planned, fields: Sequence[FieldBody], problems: list[str], *, lose_data: bool = False
) -> RemoteTable | None:
    """Make or change a table; None, and more problems, where the server refuses."""
    facts = {
        "title": one.body.title,
        "fields": [field.model_dump(by_alias=True, exclude_defaults=True) for field in fields],
    }
    if one.there is None:
        answer = client.post("/tables", json={"name": one.body.name, **facts})
    else:
        answer = client.patch(f"/tables/{one.there.id}", json=facts, params={"loseData": str(lose_data).lower()})
    if answer.is_success:
        return _remote(answer.json())
    problems += _refusals(one, answer, [one.body.fields.index(field) for field in fields])
    return None


def for_commands(message: str) -> str:
    """What a server says about losing data, as whoever types a command can follow it."""
    return message.replace("repeat the request with `?loseData=true`", "repeat it with --lose-data")


def _refusals(one: Planned, answer: httpx.Response, positions: Sequence[int]) -> list[str]:
    """What the server says, at the lines of the file.

    positions   where in the file the fields that were sent stand
    """
    try:
        errors: list[dict[str, Any]] = answer.json()["errors"]
        problems = [Problem(error["code"], error["message"], error.get("pointer")) for error in errors]
    except (ValueError, KeyError, TypeError):
        return [f"{one.file}: {message}" for message in messages_of(answer)]
    return [f"{one.file}:{line}" for line in one.text.at([_in_file(problem, positions) for problem in problems])]


def _in_file(problem: Problem, positions: Sequence[int]) -> Problem:
    message = for_commands(problem.message)
    parts = (problem.pointer or "").split("/")
    if len(parts) > 2 and parts[1] == "fields":
        parts[2] = str(positions[int(parts[2])])
    return Problem(problem.code, message, "/".join(parts))


def _line(one: Planned, table: RemoteTable, news: str) -> str:
    waiting = ", ".join(table.indexes)
    more = (
        f"; being indexed: {waiting} (`passerelle tables show {one.body.name}` tells when it is done)"
        if waiting
        else ""
    )
    return f"{one.file}: table {one.body.name}, {news}, id {table.id}{more}"


def _planned(file: Path, text: TableText, body: TableBody, there: RemoteTable | None) -> Planned:
    if there is None:
        wanted = renames_left(TableBody(name=body.name, fields=[]), body)
        lines = tuple(Difference("+", f"field {described(field)}") for field in wanted.fields)
        return Planned(file, text, wanted, None, lines)
    wanted = renames_left(there.body, body)
    return Planned(file, text, wanted, there, differences(there.body, wanted))


def _unrelated(body: TableBody, names: set[str], by_id: Mapping[str, str]) -> Iterator[Problem]:
    """Relations to tables that neither the workspace nor a file has."""
    for index, field in enumerate(body.fields):
        if field.table is not None and field.table not in names and field.table not in by_id:
            hint = suggest(field.table, sorted(names), "there are")
            message = f"neither the workspace nor a file has a table `{field.table}`; {hint}"
            yield Problem("", message, f"/fields/{index}/table")


def _by_name(body: TableBody, by_id: Mapping[str, str]) -> TableBody:
    """The same table, with relations that name the other table as the server's answers do."""
    fields = [field.model_copy(update={"table": by_id.get(field.table or "", field.table)}) for field in body.fields]
    return body.model_copy(update={"fields": fields})


def _remote(facts: Mapping[str, Any]) -> RemoteTable:
    fields = facts["fields"]
    waiting = {
        field["name"]: field["indexProblem"] or field["index"]
        for field in fields
        if field["index"] not in (None, "ready")
    }
    return RemoteTable(facts["id"], body_of(facts), facts["builtIn"], waiting)
