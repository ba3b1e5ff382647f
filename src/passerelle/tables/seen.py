"""Which tables, and which of their fields, whoever a request acts for may know of."""

from __future__ import annotations

from typing import Final

from passerelle.kit.grants import VIEW, Acting, acting
from passerelle.tables.models import Table

READ: Final = "can_read_data"
EDIT: Final = "can_edit_data"
ON_TABLES: Final = frozenset(
    {
        READ,
        EDIT,
        "can_read_attachments",
        "can_edit_attachments",
        "can_comment",
        "can_read_personal_data",
    }
)
"""What can be given on single tables."""


def is_limited(now: Acting) -> bool:
    """Whether somebody's permissions name the tables that they are for."""
    caller = now.caller
    return caller.grants.any(VIEW, "table") and not caller.permissions & ON_TABLES


def is_seen(table: Table) -> bool:
    """Whether the table is there at all for them. Who is not limited to tables knows all of them."""
    now = acting()
    return now is None or not is_limited(now) or now.caller.reach(VIEW, "table", str(table.id)) is not None


def seen(table: Table) -> Table:
    """The table with the fields that they may read or write."""
    now = acting()
    if now is None or not is_limited(now) or VIEW in now.caller.permissions:
        return table
    found = [now.caller.reach(permission, "table", str(table.id)) for permission in (READ, EDIT)]
    grants = [grant for grant in found if grant is not None]
    if any(grant.fields is None for grant in grants):
        return table
    return with_names(table, frozenset().union(*(grant.fields or () for grant in grants)))


def with_names(table: Table, names: frozenset[str] | None) -> Table:
    """The table with those fields only; with all where `names` is None."""
    if names is None:
        return table
    return table.with_fields(tuple(field for field in table.fields if field.name in names))
