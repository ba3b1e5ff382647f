"""What whoever a request acts for sees of a table's records, and on which of them they may do what it asks for.

Every statement that reads records for a caller has `seen_sql` in it, so that lists, searches and counts are filtered
by the database. A record that they do not see is not there; on one that they see and may not touch, the refusal
names the permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import structlog

from passerelle.engine.kinds import MASK
from passerelle.kit.database import Connection
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.grants import Acting, Grant, acting
from passerelle.kit.http.auditing import tell_personal
from passerelle.kit.http.fields import FIELD_UNKNOWN, pointer
from passerelle.kit.http.permissions import denied
from passerelle.kit.json import Json, JsonObject
from passerelle.records.conditions import Arguments, condition_sql
from passerelle.records.filters import ALL, NOTHING, Combined, Condition
from passerelle.records.models import Record, flat
from passerelle.records.where import WhereError, Who, condition_of
from passerelle.tables.models import Field, Table
from passerelle.tables.seen import EDIT, ON_TABLES, READ, is_limited, with_names
from passerelle.tables.values import unknown_field

PERSONAL: Final = "can_read_personal_data"

_SEEN: Final = "SELECT r.id FROM record r WHERE r.workspace_id = $1 AND r.table_id = $2 AND r.id = ANY($3)"

log = structlog.get_logger("passerelle.records")


@dataclass(frozen=True)
class Sight:
    """Of a table.

    shown       the table with the fields whose values they see, if only masked
    written     the names of the fields that they may write; None for all
    masked      the keys of the fields whose values they see as `•••`
    seen, done  the records that are there for them, and those on which they may do what the request asks for
    permission  what the request's endpoint requires; None for the product itself
    """

    table: Table
    shown: Table
    written: frozenset[str] | None = None
    masked: frozenset[str] = frozenset()
    seen: Condition = ALL
    done: Condition = ALL
    permission: str | None = None
    reaches: bool = True
    """Whether they may do it to any of the table's records."""

    @cached_property
    def is_whole(self) -> bool:
        """Whether nothing of the table is kept from them."""
        return self.shown is self.table and self.written is None and not self.masked and self.has_all_rows

    @property
    def has_all_rows(self) -> bool:
        """Whether every record is there for them."""
        return self.seen == self.done == ALL

    def json(self, record: Record, names: Sequence[tuple[str, str]] | None = None) -> dict[str, Any]:
        """A record as they see it: flat, with the fields of `names` (key and name), or all."""
        chosen = self.shown.names if names is None else names
        found = flat(record.id, record.version, record.values, record.created_at, record.updated_at, chosen)
        return self.cover(found, chosen) if self.masked else found

    def cover(self, found: dict[str, Any], names: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """A flat record with what is masked as `•••`."""
        for key, name in names:
            if key in self.masked and found[name] is not None:
                found[name] = MASK
        return found

    def values(self, values: JsonObject) -> dict[str, Json]:
        """A record's stored values as they see them."""
        return {key: self.value(key, value) for key, value in values.items() if key in self._keys}

    def value(self, key: str, value: Json) -> Json:
        """A field's value as they see it."""
        return MASK if key in self.masked and value is not None else value

    def changes(self, changes: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
        """The values before and after, by field key, as they see them."""
        return {
            key: {"old": self.value(key, change["old"]), "new": self.value(key, change["new"])}
            for key, change in changes.items()
            if key in self._keys
        }

    def require_open(self, fields: Iterable[Field], place: Sequence[str | int] = ()) -> None:
        """Raises PERMISSION_DENIED where values are masked: nobody finds them out by filter, order or comparison."""
        for field in fields:
            if field.key in self.masked:
                raise denied(PERSONAL, f"`{field.name}` holds personal data", pointer(place) if place else None)

    def require_any(self) -> None:
        """Raises PERMISSION_DENIED for who sees the table, and may not do this to any of its records."""
        if not self.reaches:
            raise denied(str(self.permission), f"you do not have it on the table {self.table.name}")

    def require_key(self, name: str) -> None:
        """As `require_open`, of a field that is to find a record. Raises FIELD_UNKNOWN for one that they do not see."""
        if (field := self.shown.by_name.get(name)) is not None:
            self.require_open([field], [name])
        elif name in self.table.by_name:
            raise FIELD_UNKNOWN.error(unknown_field(self.shown, name), pointer([name]))

    def require_written(self, given: Mapping[str, Json], old: JsonObject | None = None) -> None:
        """They may write all these fields, of a new record or of one with the values `old`.

        Raises FIELD_UNKNOWN for those that they do not know of, PERMISSION_DENIED.
        """
        if self.is_whole or self.permission != EDIT:
            return
        problems = [
            problem for name in given if name in self.table.by_name if (problem := self._unwritten(name, given, old))
        ]
        if problems:
            known = all(problem.code == FIELD_UNKNOWN.name for problem in problems)
            raise PasserelleError(400 if known else 403, problems)

    def require_changed(self, keys: Iterable[str]) -> None:
        """They may change the fields with these keys. Raises PERMISSION_DENIED."""
        if self.written is None or self.permission != EDIT:
            return
        for key in keys:
            if (field := self.table.by_key.get(key)) is not None and field.name not in self.written:
                raise denied(EDIT, "it does not reach all the fields that this changes")

    def completed(self, given: Mapping[str, Json], old: JsonObject, *, all_fields: bool) -> dict[str, Json]:
        """What they send for a record as it is meant: `•••` leaves a value as it is.

        all_fields   they send the whole record: what they cannot write is left as it is, too
        """
        found = dict(given)
        for field in () if self.is_whole else self.table.fields:
            kept = field.key in self.masked and (
                found.get(field.name) == MASK or (all_fields and field.name not in given)
            )
            unwritten = all_fields and self.written is not None and field.name not in self.written
            if kept or unwritten:
                found[field.name] = old.get(field.key)
        return found

    async def require_reached(self, connection: Connection, record: Record) -> None:
        """As `require_done`, of a record that was found because it is seen."""
        if self.seen != self.done:
            await self.require_done(connection, [record])

    async def require_done(self, connection: Connection, records: Sequence[Record]) -> None:
        """They may do what the request asks for on each of these, as they are and as they become.

        Raises PERMISSION_DENIED.
        """
        if not await _fulfil(connection, self.done, records):
            assert self.permission is not None
            raise denied(self.permission, f"you have it on other records of the table {self.table.name}")

    @cached_property
    def _keys(self) -> frozenset[str]:
        if self.shown is self.table:
            return frozenset(field.key for field in self.table.all_fields)
        return frozenset(field.key for field in self.shown.fields)

    def _unwritten(self, name: str, given: Mapping[str, Json], old: JsonObject | None) -> Problem | None:
        field = self.table.by_name[name]
        if self.written is not None and name not in self.written:
            if name not in self.shown.by_name:
                known = self.table.with_fields(
                    tuple(
                        one for one in self.table.fields if one.name in self.written or one.name in self.shown.by_name
                    )
                )
                return FIELD_UNKNOWN.problem(unknown_field(known, name), pointer([name]))
            return denied(EDIT, f"you do not have it on `{name}`", pointer([name])).problems[0]
        if field.key not in self.masked or given[name] == MASK:
            return None
        if old is not None:
            return denied(PERSONAL, f"`{name}` holds personal data", pointer([name])).problems[0]
        if field.unique:
            reason = f"`{name}` is unique, and a refusal would tell whose it is"
            return denied(PERSONAL, reason, pointer([name])).problems[0]
        return None


async def _fulfil(connection: Connection, condition: Condition, records: Sequence[Record]) -> bool:
    """Whether all the records fulfil a condition, stored or not: the database says it, as in searches."""
    if condition == ALL:
        return True
    arguments = Arguments(
        [one.values for one in records], [one.created_at for one in records], [one.updated_at for one in records]
    )
    return bool(
        await connection.fetchval(
            f"SELECT bool_and(coalesce({condition_sql(condition, arguments)}, false)) "  # noqa: S608 - see `conditions`
            "FROM unnest($1::jsonb[], $2::timestamptz[], $3::timestamptz[]) AS r(values, created_at, updated_at)",
            *arguments.values,
        )
    )


def sight_of(table: Table) -> Sight:
    """What whoever the request acts for sees of the table; all of it where nobody does."""
    now = acting()
    if now is None:
        return Sight(table, table)
    known: Sight | None = now.worked_out.get(table.id)
    if known is None or known.table is not table:
        known = now.worked_out[table.id] = _sight_of(now, table)
    return known


def _sight_of(now: Acting, table: Table) -> Sight:
    reading = now.caller.reach(READ, "table", str(table.id))
    asked = now.permission in ON_TABLES
    shown = table
    if reading is not None:
        shown = with_names(table, reading.fields)
    elif asked or is_limited(now):
        shown = with_names(table, frozenset())
    seen, done, written = _rows(now, table, reading, asked=asked)
    masked = _masked(now, table)
    tell_personal(shown=any(field.pii is not None and field.key not in masked for field in shown.fields))
    reaches = not asked or now.caller.reach(str(now.permission), "table", str(table.id)) is not None
    return Sight(table, shown, written, masked, seen, done, now.permission, reaches)


def seen_sql(table: Table, arguments: Arguments) -> str:
    """The condition on `r` that leaves out what they do not see, to follow another one."""
    seen = sight_of(table).seen
    return "" if seen == ALL else f" AND coalesce({condition_sql(seen, arguments)}, false)"


def rows_read(table: Table) -> Condition:
    """The records that they may read, whatever the request asks for."""
    now = acting()
    return ALL if now is None else _any(table, _who(now), now.caller.reach(READ, "table", str(table.id)))


async def seen_ids(connection: Connection, table: Table, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the table's records that they see."""
    arguments = Arguments(table.workspace_id, table.id, ids)
    rows = await connection.fetch(_SEEN + seen_sql(table, arguments), *arguments.values)
    return {row["id"] for row in rows}


def done_by(table: Table) -> Condition | None:
    """The records on which they may do what the request asks for; None for all."""
    done = sight_of(table).done
    return None if done == ALL else done


def _rows(
    now: Acting, table: Table, reading: Grant | None, *, asked: bool
) -> tuple[Condition, Condition, frozenset[str] | None]:
    """The records that are seen, those on which it may be done, and the fields that may be written."""
    caller, who = now.caller, _who(now)
    if not asked:
        if not is_limited(now):
            return ALL, ALL, None
        grants = [caller.grants.on(permission, "table", str(table.id)) for permission in ON_TABLES]
        found = _any(table, who, *grants)
        return found, found, None
    assert now.permission is not None
    doing = caller.reach(now.permission, "table", str(table.id))
    return _any(table, who, doing, reading), _any(table, who, doing), None if doing is None else doing.fields


def _any(table: Table, who: Who, *grants: Grant | None) -> Condition:
    given = [grant for grant in grants if grant is not None]
    if not given:
        return NOTHING
    if any(grant.where is None for grant in given):
        return ALL
    wheres = dict.fromkeys(str(grant.where) for grant in given)
    parts = tuple(_chosen(table, where, who) for where in wheres)
    return parts[0] if len(parts) == 1 else Combined("or", parts)


def _chosen(table: Table, where: str, who: Who) -> Condition:
    try:
        return condition_of(table, where, who)
    except WhereError as error:
        # Such as a field that was renamed: nothing is shown until somebody mends the grant.
        log.warning("grant.useless", table=table.name, where=where, reason=str(error))
        return NOTHING


def _masked(now: Acting, table: Table) -> frozenset[str]:
    personal = [field for field in table.all_fields if field.pii]
    if not personal:
        return frozenset()
    grant = now.caller.reach(PERSONAL, "table", str(table.id))
    if grant is None:
        return frozenset(field.key for field in personal)
    return frozenset(field.key for field in personal if grant.fields is not None and field.name not in grant.fields)


def _who(now: Acting) -> Who:
    caller = now.caller
    return (("id", str(caller.id)), ("email", caller.email), ("name", caller.name))
