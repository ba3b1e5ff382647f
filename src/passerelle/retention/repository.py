"""The rules of workspaces in PostgreSQL, and what of a workspace is over.

Everything is read by its key, whose order is that of time, from one end of what may be over to the other: so no table
that grows needs an index by age, and what stays (held, not ended) is passed over once in a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passerelle.kit.database import Connection, DatabaseRow
from passerelle.kit.ids import first_id, parse_id
from passerelle.retention.kinds import Rule

_ENDED: Final = """
    e.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED') AND e.completed_at < $2 AND NOT e.untold
    AND NOT EXISTS (
        SELECT FROM execution p WHERE p.workspace_id = e.workspace_id AND p.id = e.parent_id
          AND NOT (p.status IN ('COMPLETED', 'EXPIRED', 'CANCELLED') AND p.completed_at < $2))
"""
"""A child goes with its parent, not before: the parent's page leads to it."""
_EXECUTIONS: Final = f"""
    SELECT e.id, e.record_id, {_ENDED} AS over
    FROM (SELECT * FROM execution WHERE workspace_id = $1 AND id < $3 ORDER BY id DESC LIMIT $4) e ORDER BY e.id DESC
"""
_WITH_CHILDREN: Final = """
    SELECT DISTINCT parent_id FROM execution
    WHERE workspace_id = $1 AND parent_id = ANY ($2) AND NOT id = ANY ($2)
"""
_EVENTS: Final = """
    SELECT transaction, id, execution_id, data ->> 'recordId' AS record, data ->> 'workflowId' AS execution,
           created_at < $2 AS over
    FROM event WHERE workspace_id = $1 AND (transaction, id) > ($3, $4) ORDER BY transaction, id LIMIT $5
"""
_REMOVE_EVENTS: Final = """
    WITH old AS MATERIALIZED (SELECT * FROM unnest($2::xid8[], $3::uuid[]) AS o (transaction, id)), marked AS (
        INSERT INTO event_forgotten AS f (workspace_id, transaction, event_id)
        SELECT $1, o.transaction, o.id FROM old o ORDER BY o.transaction DESC, o.id DESC LIMIT 1
        ON CONFLICT (workspace_id) DO UPDATE SET transaction = excluded.transaction, event_id = excluded.event_id
        WHERE (f.transaction, f.event_id) < (excluded.transaction, excluded.event_id)
    ), hopeless AS (
        UPDATE webhook_delivery d SET status = 'FAILED', claim = NULL
        FROM old JOIN webhook_endpoint e ON e.workspace_id = $1
        WHERE d.workspace_id = $1 AND d.endpoint_id = e.id AND d.event_id = old.id AND d.status = 'PENDING'
    )
    DELETE FROM event v USING old WHERE v.workspace_id = $1 AND v.transaction = old.transaction AND v.id = old.id
"""
_DELIVERIES: Final = """
    SELECT d.id, d.execution_id, d.status <> 'PENDING' AS done, d.created_at < $2 AS over,
           v.data ->> 'recordId' AS record, v.data ->> 'workflowId' AS execution
    FROM (SELECT * FROM webhook_delivery WHERE workspace_id = $1 AND id > $3 ORDER BY id LIMIT $4) d
    LEFT JOIN event v ON v.workspace_id = d.workspace_id AND v.transaction = d.transaction AND v.id = d.event_id
    ORDER BY d.id
"""
_DRAFTS: Final = """
    SELECT d.execution_id, d.step, d.visit, e.record_id, d.updated_at < $2 AS over
    FROM (SELECT * FROM visitor_draft WHERE workspace_id = $1 AND (execution_id, step, visit) > ($3, $4, $5)
          ORDER BY execution_id, step, visit LIMIT $6) d
    LEFT JOIN execution e ON e.workspace_id = d.workspace_id AND e.id = d.execution_id
    ORDER BY d.execution_id, d.step, d.visit
"""
_AUDIT_OVER: Final = """
    SELECT count(*) FROM (SELECT FROM audit_entry WHERE chain = $1 AND number IS NOT NULL AND at < $2
                          ORDER BY number LIMIT $3) one
"""

Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """Something whose time is over. `about`: the executions and records for which a hold would keep it."""

    place: Place
    about: tuple[UUID | None, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of what was looked through. `last`: where to go on; None at the end."""

    over: Sequence[Over]
    last: Place | None
    seen: int


async def rules(connection: Connection, workspace_id: UUID) -> dict[str, Rule]:
    """What a workspace says itself, by kind."""
    rows = await connection.fetch(
        "SELECT kind, keep, archive FROM retention_rule WHERE workspace_id = $1", workspace_id
    )
    return {row["kind"]: Rule(row["keep"], row["archive"]) for row in rows}


async def write_rules(connection: Connection, workspace_id: UUID, wanted: Mapping[str, Rule], now: datetime) -> None:
    """Let a workspace say this, and nothing else."""
    await connection.execute(
        "DELETE FROM retention_rule WHERE workspace_id = $1 AND NOT kind = ANY ($2)", workspace_id, list(wanted)
    )
    await connection.executemany(
        "INSERT INTO retention_rule AS r (workspace_id, kind, keep, archive, updated_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (workspace_id, kind) DO UPDATE "
        "SET keep = excluded.keep, archive = excluded.archive, updated_at = excluded.updated_at "
        "WHERE (r.keep, r.archive) IS DISTINCT FROM (excluded.keep, excluded.archive)",
        [(workspace_id, kind, rule.keep, rule.archive, now) for kind, rule in wanted.items()],
    )


async def executions(
    connection: Connection, workspace_id: UUID, before: datetime, after: Place | None, limit: int
) -> Batch:
    """Executions that ended before, the newest first: so children come before their parents."""
    place = first_id(before) if after is None else after[0]
    rows = await connection.fetch(_EXECUTIONS, workspace_id, before, place, limit)
    over = [Over((row["id"],), (row["id"], row["record_id"])) for row in rows if row["over"]]
    return Batch(over, (rows[-1]["id"],) if len(rows) == limit else None, len(rows))


async def without_children(connection: Connection, workspace_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Those of the executions that have no child but among them."""
    left = list(ids)
    while left:
        rows = await connection.fetch(_WITH_CHILDREN, workspace_id, left)
        if not rows:
            break
        kept = {row["parent_id"] for row in rows}
        left = [one for one in left if one not in kept]
    return left


async def unchanged(connection: Connection, workspace_id: UUID, stamps: Mapping[UUID, int]) -> set[UUID]:
    """Those executions that still have these `seq`; until the transaction ends they stay as they are."""
    rows = await connection.fetch(
        "SELECT id, seq FROM execution WHERE workspace_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE",
        workspace_id,
        list(stamps),
    )
    return {row["id"] for row in rows if row["seq"] == stamps[row["id"]]}


async def events(
    connection: Connection, workspace_id: UUID, before: datetime, after: Place | None, limit: int
) -> Batch:
    """Events that happened before, the oldest first."""
    rows = await connection.fetch(_EVENTS, workspace_id, before, *(after or (0, UUID(int=0))), limit)
    return _batch(
        rows, limit, lambda row: (row["transaction"], row["id"]), lambda row: (row["execution_id"], *_named(row))
    )


async def remove_events(connection: Connection, workspace_id: UUID, places: Sequence[Place]) -> None:
    """Delete events. Who reads behind them learns that they are gone; what was to be delivered of them has failed."""
    await connection.execute(_REMOVE_EVENTS, workspace_id, [one[0] for one in places], [one[1] for one in places])


async def deliveries(
    connection: Connection, workspace_id: UUID, before: datetime, after: Place | None, limit: int
) -> Batch:
    """Deliveries that were made before, the oldest first; those that are under way are left out."""
    rows = await connection.fetch(_DELIVERIES, workspace_id, before, (after or (UUID(int=0),))[0], limit)
    found = _batch(rows, limit, lambda row: (row["id"],), lambda row: (row["execution_id"], *_named(row)))
    pending = {row["id"] for row in rows if not row["done"]}
    return Batch([one for one in found.over if one.place[0] not in pending], found.last, found.seen)


async def remove_deliveries(connection: Connection, workspace_id: UUID, places: Sequence[Place]) -> None:
    """Delete deliveries with their attempts."""
    ids = [one[0] for one in places]
    for statement in (
        "DELETE FROM webhook_attempt WHERE workspace_id = $1 AND delivery_id = ANY ($2)",
        "DELETE FROM webhook_delivery WHERE workspace_id = $1 AND id = ANY ($2) AND status <> 'PENDING'",
    ):
        await connection.execute(statement, workspace_id, ids)


async def drafts(
    connection: Connection, workspace_id: UUID, before: datetime, after: Place | None, limit: int
) -> Batch:
    """Drafts that were last typed in before, in the order of their executions."""
    rows = await connection.fetch(_DRAFTS, workspace_id, before, *(after or (UUID(int=0), "", 0)), limit)
    over = [
        Over((row["execution_id"], row["step"], row["visit"]), (row["execution_id"], row["record_id"]))
        for row in rows
        if row["over"]
    ]
    last = rows[-1] if len(rows) == limit else None
    return Batch(over, None if last is None else (last["execution_id"], last["step"], last["visit"]), len(rows))


async def remove_drafts(connection: Connection, workspace_id: UUID, places: Sequence[Place]) -> None:
    """Delete drafts."""
    await connection.executemany(
        "DELETE FROM visitor_draft WHERE workspace_id = $1 AND execution_id = $2 AND step = $3 AND visit = $4",
        [(workspace_id, *one) for one in places],
    )


async def audit_over(connection: Connection, chain: UUID, before: datetime, at_most: int) -> int:
    """How many entries of a chain are older, none counted further than `at_most`."""
    count: int = await connection.fetchval(_AUDIT_OVER, chain, before, at_most)
    return count


def _batch(rows: Sequence[Any], limit: int, place: Any, about: Any) -> Batch:
    """Rows in the order of time, up to the first that is too young."""
    young = next((number for number, row in enumerate(rows) if not row["over"]), None)
    over = [Over(place(row), about(row)) for row in rows[:young]]
    return Batch(over, place(rows[-1]) if young is None and len(rows) == limit else None, len(rows))


def _named(row: DatabaseRow) -> tuple[UUID | None, UUID | None]:
    """The record and the execution that an event names."""
    return parse_id(row["record"] or ""), parse_id(row["execution"] or "")
