"""What grants are on: tables with their fields and records, definitions, assignments of reviews. Checked and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol
from uuid import UUID

from passerelle.accounts.errors import GRANT_INVALID
from passerelle.accounts.grant_schemas import GrantAnswer, GrantBody
from passerelle.accounts.permissions import PERMISSIONS
from passerelle.definitions.words import suggest
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.grants import KINDS, Granted, Kind
from passerelle.kit.http.fields import pointer
from passerelle.kit.ids import parse_id
from passerelle.records.where import WhereError, Who, condition_of
from passerelle.tables.models import Table
from passerelle.tables.service import Tables
from passerelle.tables.values import unknown_field

ALL: Final = "*"
_SOMEBODY: Final[Who] = (
    ("id", "00000000-0000-7000-8000-000000000000"),
    ("email", "anna@example.com"),
    ("name", "Anna"),
)


class DefinitionNames(Protocol):
    """What a workspace's definitions are called."""

    async def names(self, workspace_id: UUID) -> Mapping[UUID, str]:
        """By id."""


class Granting:
    """Checks and shows grants (`passerelle.accounts.grant_schemas.Things`)."""

    def __init__(self, tables: Tables, definitions: DefinitionNames) -> None:
        self._tables = tables
        self._definitions = definitions

    async def resolved(
        self, workspace_id: UUID, wanted: Sequence[GrantBody], besides: frozenset[str]
    ) -> tuple[Granted, ...]:
        """The grants as they are kept. Raises GRANT_INVALID with all that is wrong.

        besides   the permissions that are given on everything
        """
        if not wanted:
            return ()
        checking = _Checking(await self._known(workspace_id), besides)
        found = [checking.granted(body, index) for index, body in enumerate(wanted)]
        if checking.problems:
            raise PasserelleError(GRANT_INVALID.status, checking.problems)
        return tuple(one for one in found if one is not None)

    async def answers(
        self, workspace_id: UUID, granted: Mapping[str, Sequence[Granted]]
    ) -> dict[str, list[GrantAnswer]]:
        """Lists of grants as they are shown, by whatever they are listed by."""
        if not any(granted.values()):
            return {name: [] for name in granted}
        known = await self._known(workspace_id)
        return {name: [known.shown(one) for one in listed] for name, listed in granted.items()}

    async def _known(self, workspace_id: UUID) -> _Known:
        return _Known(await self._tables.all(workspace_id), await self._definitions.names(workspace_id))


class _Known:
    """What a workspace has."""

    def __init__(self, tables: Sequence[Table], definitions: Mapping[UUID, str]) -> None:
        self.tables = {str(table.id): table for table in tables}
        self.definitions = {str(one): name for one, name in definitions.items()}

    def names(self, kind: Kind) -> dict[str, str]:
        """Ids by their names."""
        if kind == "table":
            return {table.name: one for one, table in self.tables.items()}
        return {name: one for one, name in self.definitions.items()}

    def find(self, kind: Kind, text: str) -> str | None:
        """The id of what is called so, or has this id."""
        ids = self.tables if kind == "table" else self.definitions
        wanted = str(parse_id(text) or text)
        return wanted if wanted in ids else self.names(kind).get(text)

    def shown(self, one: Granted) -> GrantAnswer:
        """A grant with names, and why it gives nothing."""
        name, problem = one.resource, None
        if name is not None and one.kind != "review":
            there = {"table": {key: table.name for key, table in self.tables.items()}, "definition": self.definitions}
            name = there[one.kind].get(name)
            problem = None if name is not None else f"the {one.kind} was deleted"
        if problem is None and one.kind == "table" and one.resource is not None:
            problem = _useless(self.tables[one.resource], one)
        facts = {
            "permissions": list(one.permissions),
            one.kind: ALL if one.resource is None else (name or one.resource),
            "fields": None if one.fields is None else list(one.fields),
            "where": one.where,
            "problem": problem,
        }
        return GrantAnswer.model_validate(facts)


class _Checking:
    def __init__(self, known: _Known, besides: frozenset[str]) -> None:
        self._known = known
        self._besides = besides
        self._seen: set[tuple[Kind, str | None, str]] = set()
        self.problems: list[Problem] = []

    def granted(self, body: GrantBody, index: int) -> Granted | None:
        """A grant as it is kept; None, and more problems, where something is wrong with it."""
        before = len(self.problems)
        named: list[tuple[Kind, str]] = [(kind, text) for kind in KINDS if (text := getattr(body, kind)) is not None]
        if len(named) != 1:
            self._wrong("name one of `table`, `definition` and `review`, and `*` for all of them", index)
            return None
        kind, text = named[0]
        resource = self._resource(kind, text, index)
        for permission in body.permissions:
            self._permission(kind, resource, permission, body, index)
        if kind == "table":
            self._limits(resource, body, index)
        if len(self.problems) > before:
            return None
        fields = None if body.fields is None else tuple(dict.fromkeys(body.fields))
        return Granted(kind, resource, tuple(dict.fromkeys(body.permissions)), fields, body.where)

    def _resource(self, kind: Kind, text: str, index: int) -> str | None:
        if text == ALL:
            return None
        if kind == "review":
            return text.strip().lower()
        found = self._known.find(kind, text)
        if found is None:
            hint = suggest(text[:80], sorted(self._known.names(kind)), "there are")
            self._wrong(f"the workspace has no {kind} `{text[:80]}`; {hint}", index, kind)
        return found

    def _permission(self, kind: Kind, resource: str | None, name: str, body: GrantBody, index: int) -> None:
        permission = PERMISSIONS.get(name)
        if permission is None or kind not in permission.of:
            allowed = ", ".join(f"`{one.name}`" for one in PERMISSIONS.values() if kind in one.of)
            self._wrong(f"`{name[:80]}` is not given on a {kind}; there are {allowed}", index, "permissions")
            return
        if name in self._besides:
            self._wrong(f"`{name}` is given on everything already: take it from `permissions`", index, "permissions")
        if (kind, resource, name) in self._seen:
            self._wrong(f"`{name}` is given on the same {kind} before: put both into one grant", index, "permissions")
        self._seen.add((kind, resource, name))
        if body.fields is not None and not (kind == "table" and permission.fields):
            self._wrong(
                f"`{name}` on a {kind} is not limited to fields: put it into a grant of its own", index, "fields"
            )
        if body.where is not None and not (kind == "table" and permission.rows):
            self._wrong(
                f"`{name}` on a {kind} is not limited to records: put it into a grant of its own", index, "where"
            )

    def _limits(self, resource: str | None, body: GrantBody, index: int) -> None:
        if resource is None:
            if body.where is not None or body.fields is not None:
                self._wrong("fields and records are those of one table: name it", index, "table")
            return
        table = self._known.tables[resource]
        for place, name in enumerate(body.fields or ()):
            if name not in table.by_name:
                self._wrong(unknown_field(table, name), index, "fields", place)
        if body.where is not None:
            try:
                condition_of(table, body.where, _SOMEBODY)
            except WhereError as error:
                self._wrong(f"`where` cannot choose records of {table.name}: {error}", index, "where")

    def _wrong(self, message: str, *place: str | int) -> None:
        self.problems.append(GRANT_INVALID.problem(message, pointer(("grants", *place))))


def _useless(table: Table, one: Granted) -> str | None:
    missing = [name for name in one.fields or () if name not in table.by_name]
    if missing:
        return f"the table has no field `{missing[0]}` any more"
    try:
        condition_of(table, one.where, _SOMEBODY) if one.where is not None else None
    except WhereError as error:
        return f"`where` chooses nothing: {error}"
    return None
