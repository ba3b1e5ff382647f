"""Endpoints and deliveries in PostgreSQL, each workspace's own. Sending them is `queue`'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from passerelle.events.appending import append_event
from passerelle.events.models import NOTHING, Event, EventPosition
from passerelle.kit.database import Connection, Database, DatabaseRow, fetch_one, take_turn
from passerelle.kit.jobs import enqueue
from passerelle.webhooks.models import (
    Delivery,
    DeliveryAttempt,
    DeliveryFilters,
    DeliveryStatus,
    Endpoint,
    EndpointChange,
)

_ENDPOINT: Final = "SELECT * FROM webhook_endpoint WHERE workspace_id = $1 AND status <> 'DELETED'"
_DELIVERY: Final = """
    SELECT id, endpoint_id, event_id, event_type, execution_id, status, attempts, created_at, delivered_at,
           CASE WHEN status = 'PENDING' AND EXISTS (
               SELECT FROM webhook_endpoint e
               WHERE e.workspace_id = webhook_delivery.workspace_id AND e.id = webhook_delivery.endpoint_id
                 AND e.status = 'ACTIVE'
           ) THEN next_attempt_at END AS next_attempt_at
    FROM webhook_delivery WHERE workspace_id = $1
"""
OWNER_JOB: Final = "webhook.tell_owner"
_AGAIN: Final = """
    SET status = 'PENDING', tries = 0, next_attempt_at = $2, claim = NULL
    WHERE d.workspace_id = $1 AND EXISTS (
        SELECT FROM event e
        WHERE e.workspace_id = d.workspace_id AND e.transaction = d.transaction AND e.id = d.event_id
    )
"""
"""What is sent again: its event has to be there yet."""
_UNDELIVERED: Final = "AND (status = 'FAILED' OR status = 'PENDING' AND tries > 0 AND claim IS NULL)"
"""What failed: given up, or to be tried again later."""
REPLAYED_AT_ONCE: Final = 5_000
"""Events of others are not sent while a transaction that changes something runs, so it has to be a short one."""


_REPLAY: Final = f"""
    WITH chosen AS MATERIALIZED (
        SELECT id FROM webhook_delivery WHERE workspace_id = $1 AND id > $3 {{condition}} ORDER BY id LIMIT $4
    ), again AS (
        UPDATE webhook_delivery d {_AGAIN} AND d.id IN (SELECT id FROM chosen) AND EXISTS (
            SELECT FROM webhook_endpoint e
            WHERE e.workspace_id = d.workspace_id AND e.id = d.endpoint_id AND e.status <> 'DELETED'
        ) RETURNING 1
    )
    SELECT (SELECT count(*) FROM again) AS replayed, (SELECT id FROM chosen ORDER BY id DESC LIMIT 1) AS last
"""


class WebhookRepository:
    """Every query names the workspace; row-level security names it again. Headers come and go encrypted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        workspace_id: UUID,
        endpoint_id: UUID,
        change: EndpointChange,
        secret: bytes,
        headers: bytes,
        now: datetime,
    ) -> bool:
        """A new endpoint, which gets the events of every later transaction. False if there is one with this id."""
        async with self._database.transaction(workspace_id) as connection:
            created = await connection.fetchval(
                "INSERT INTO webhook_endpoint (workspace_id, id, url, description, events, api_version, secret, "
                "headers, status, contact, fields, pii, created_at, updated_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) "
                "ON CONFLICT (workspace_id, id) DO NOTHING RETURNING true",
                workspace_id,
                endpoint_id,
                change.url,
                change.description or "",
                list(change.events or ()),
                change.api_version,
                secret,
                headers,
                "PAUSED" if change.paused else "ACTIVE",
                change.contact,
                list(change.fields or ()),
                list(change.pii or ()),
                now,
            )
            if created:
                await connection.execute(
                    "INSERT INTO webhook_cursor (workspace_id, endpoint_id) VALUES ($1, $2)", workspace_id, endpoint_id
                )
        return created is not None

    async def change(
        self, workspace_id: UUID, endpoint_id: UUID, change: EndpointChange, headers: bytes | None, now: datetime
    ) -> bool:
        """Change what is not None. An endpoint that becomes active begins with all that has waited."""
        status = None if change.paused is None else "PAUSED" if change.paused else "ACTIVE"
        async with self._database.transaction(workspace_id) as connection:
            found = await connection.fetchval(
                """
                UPDATE webhook_endpoint SET
                    url = coalesce($3, url), description = coalesce($4, description), events = coalesce($5, events),
                    api_version = coalesce($6, api_version), headers = coalesce($7, headers),
                    contact = nullif(coalesce($10, contact), ''), fields = coalesce($11, fields),
                    pii = coalesce($12, pii), status = coalesce($8, status), updated_at = $9,
                    failing_since = CASE WHEN $8 = 'ACTIVE' OR $3 <> url THEN NULL ELSE failing_since END,
                    disabled_why = CASE WHEN $8 IS NULL THEN disabled_why END
                WHERE workspace_id = $1 AND id = $2 AND status <> 'DELETED' RETURNING true
                """,
                workspace_id,
                endpoint_id,
                change.url,
                change.description,
                None if change.events is None else list(change.events),
                change.api_version,
                headers,
                status,
                now,
                change.contact,
                None if change.fields is None else list(change.fields),
                None if change.pii is None else list(change.pii),
            )
            if status == "ACTIVE":
                await connection.execute(
                    "UPDATE webhook_delivery SET next_attempt_at = $3 "
                    "WHERE workspace_id = $1 AND endpoint_id = $2 AND status = 'PENDING' AND next_attempt_at > $3 "
                    "AND claim IS NULL",
                    workspace_id,
                    endpoint_id,
                    now,
                )
        return found is not None

    async def delete(self, workspace_id: UUID, endpoint_id: UUID, now: datetime) -> bool:
        """End an endpoint and give up what is on its way. Its log stays as long as other logs do."""
        async with self._database.transaction(workspace_id) as connection:
            # Else one that is at it writes deliveries to the endpoint once the others have been given up.
            await connection.execute("SELECT pg_advisory_xact_lock(dispatch_turn())")
            found = await connection.fetchval(
                "UPDATE webhook_endpoint SET status = 'DELETED', secret = '', old_secret = NULL, headers = '', "
                "updated_at = $3 WHERE workspace_id = $1 AND id = $2 AND status <> 'DELETED' RETURNING true",
                workspace_id,
                endpoint_id,
                now,
            )
            if found:
                await connection.execute(
                    "DELETE FROM webhook_cursor WHERE workspace_id = $1 AND endpoint_id = $2", workspace_id, endpoint_id
                )
                await connection.execute(
                    "UPDATE webhook_delivery SET status = 'FAILED', claim = NULL "
                    "WHERE workspace_id = $1 AND endpoint_id = $2 AND status = 'PENDING'",
                    workspace_id,
                    endpoint_id,
                )
        return found is not None

    async def find(self, workspace_id: UUID, endpoint_id: UUID) -> tuple[Endpoint, bytes, bytes] | None:
        """An endpoint, its secret and its headers, both encrypted."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_ENDPOINT + " AND id = $2", workspace_id, endpoint_id)
        return None if row is None else (_endpoint(row), row["secret"], row["headers"])

    async def listed(self, workspace_id: UUID, after: UUID | None, limit: int) -> list[tuple[Endpoint, bytes]]:
        """Endpoints, oldest first, with their encrypted headers."""
        async with self._database.reading(workspace_id) as connection:
            rows = await connection.fetch(
                _ENDPOINT + " AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3", workspace_id, after, limit
            )
        return [(_endpoint(row), row["headers"]) for row in rows]

    async def count(self, workspace_id: UUID) -> int:
        """How many endpoints the workspace has."""
        async with self._database.workspace(workspace_id) as connection:
            count: int = await connection.fetchval(
                "SELECT count(*) FROM webhook_endpoint WHERE workspace_id = $1 AND status <> 'DELETED'", workspace_id
            )
        return count

    async def rotate(
        self, workspace_id: UUID, endpoint_id: UUID, secret: bytes, old_until: datetime, now: datetime
    ) -> bool:
        """Give an endpoint another secret; the one before signs as well until `old_until`."""
        async with self._database.workspace(workspace_id) as connection:
            found = await connection.fetchval(
                "UPDATE webhook_endpoint SET old_secret = secret, secret = $3, old_until = $4, updated_at = $5 "
                "WHERE workspace_id = $1 AND id = $2 AND status <> 'DELETED' RETURNING true",
                workspace_id,
                endpoint_id,
                secret,
                old_until,
                now,
            )
        return found is not None

    async def disable(
        self,
        workspace_id: UUID,
        seen: Endpoint,
        why: str,
        event: Event,
        now: datetime,
        failing_until: datetime | None = None,
    ) -> bool:
        """Send nothing more to an endpoint, say so with `event`, and to its owner.

        failing_until   only if it has failed since then, or longer
        False if it is not active, or has another address by now.
        """
        async with self._database.transaction(workspace_id) as connection:
            found = await connection.fetchval(
                "UPDATE webhook_endpoint SET status = 'DISABLED', disabled_why = $3, updated_at = $4 "
                "WHERE workspace_id = $1 AND id = $2 AND status = 'ACTIVE' AND url = $5 "
                "AND ($6::timestamptz IS NULL OR failing_since <= $6) RETURNING contact IS NOT NULL AS owned",
                workspace_id,
                seen.id,
                why,
                now,
                seen.url,
                failing_until,
            )
            if found is not None:
                await append_event(connection, event)
            if found:
                facts = {"workspaceId": str(workspace_id), "endpointId": str(seen.id)}
                await enqueue(connection, OWNER_JOB, facts)
        return found is not None

    async def send_one(
        self, workspace_id: UUID, endpoint_id: UUID, delivery_id: UUID, event: Event, now: datetime
    ) -> None:
        """Write an event and its delivery to this one endpoint. Once for each id."""
        async with self._database.transaction(workspace_id) as connection:
            await take_turn(connection, f"delivery {delivery_id}")
            if await connection.fetchval(
                "SELECT true FROM webhook_delivery WHERE workspace_id = $1 AND id = $2", workspace_id, delivery_id
            ):
                return
            await append_event(connection, event)
            await connection.execute(
                "INSERT INTO webhook_delivery (workspace_id, id, endpoint_id, transaction, event_id, event_type, "
                "next_attempt_at, created_at) VALUES ($1, $2, $3, pg_current_xact_id(), $4, $5, $6, $6)",
                workspace_id,
                delivery_id,
                endpoint_id,
                event.id,
                event.type,
                now,
            )

    async def recover(
        self, workspace_id: UUID, endpoint_id: UUID, position: EventPosition, since: datetime, now: datetime
    ) -> None:
        """Set an endpoint back to `since`, where events stood at `position`.

        What is not on its way or delivered yet becomes deliveries again; what would be tried again later is tried now.
        """
        async with self._database.transaction(workspace_id) as connection:
            await connection.execute(
                "UPDATE webhook_cursor SET transaction = $3, event_id = $4 "
                "WHERE workspace_id = $1 AND endpoint_id = $2 AND (transaction, event_id) > ($3, $4)",
                workspace_id,
                endpoint_id,
                position.transaction,
                position.event_id,
            )
            await connection.execute(
                "UPDATE webhook_delivery SET next_attempt_at = $4 WHERE workspace_id = $1 AND endpoint_id = $2 "
                "AND created_at >= $3 AND status = 'PENDING' AND next_attempt_at > $4 AND claim IS NULL",
                workspace_id,
                endpoint_id,
                since,
                now,
            )

    async def delivery(self, workspace_id: UUID, delivery_id: UUID) -> tuple[Delivery, list[DeliveryAttempt]] | None:
        """A delivery and its attempts in their order."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(_DELIVERY + " AND id = $2", workspace_id, delivery_id)
            rows = await connection.fetch(
                "SELECT number, started_at, duration_ms, response_status, response_headers, response_body, error "
                "FROM webhook_attempt WHERE workspace_id = $1 AND delivery_id = $2 ORDER BY number",
                workspace_id,
                delivery_id,
            )
        return None if row is None else (Delivery(**row), [DeliveryAttempt(**one) for one in rows])

    async def deliveries(
        self, workspace_id: UUID, filters: DeliveryFilters, before: UUID | None, limit: int
    ) -> list[Delivery]:
        """Deliveries, newest first."""
        condition, values = _conditions(filters, [workspace_id, before, limit])
        async with self._database.reading(workspace_id) as connection:
            rows = await connection.fetch(
                f"{_DELIVERY} AND ($2::uuid IS NULL OR id < $2) {condition} ORDER BY id DESC LIMIT $3", *values
            )
        return [Delivery(**row) for row in rows]

    async def replay(
        self, workspace_id: UUID, filters: DeliveryFilters, now: datetime, at_once: int = REPLAYED_AT_ONCE
    ) -> int:
        """Send the deliveries again that the filters leave, but to no endpoint that is gone. Returns how many.

        FAILED ones are those as well that would be tried again later: they are tried now.
        """
        failed = filters.status == "FAILED"
        filters = replace(filters, status=None) if failed else filters
        replayed: int = 0
        last: UUID = NOTHING
        while True:
            condition, values = _conditions(filters, [workspace_id, now, last, at_once])
            condition = f"{condition} {_UNDELIVERED}" if failed else condition
            async with self._database.workspace(workspace_id) as connection:
                row = await fetch_one(connection, _REPLAY.format(condition=condition), *values)
            replayed += row["replayed"]
            if row["last"] is None:
                return replayed
            last = row["last"]

    async def replay_one(self, workspace_id: UUID, delivery_id: UUID, now: datetime) -> bool:
        """Send a delivery again. False where its event is gone."""
        async with self._database.workspace(workspace_id) as connection:
            found = await connection.fetchval(
                f"UPDATE webhook_delivery d {_AGAIN} AND d.id = $3 RETURNING true",
                workspace_id,
                now,
                delivery_id,
            )
        return found is not None


_WITH_STATUS: Final = {status: f"AND status = '{status}'" for status in get_args(DeliveryStatus)}


def _conditions(filters: DeliveryFilters, values: list[Any]) -> tuple[str, list[Any]]:
    """The filters as SQL; their values come after those that are there.

    Status and endpoint are written out: an index holds the failed ones alone, and of an endpoint that few deliveries
    went to a plan for any endpoint does not know it.
    """
    wanted: Mapping[str, Any] = {
        "event_id = {}": filters.event_id,
        "execution_id = {}": filters.execution_id,
        "event_type = ANY ({})": list(filters.types) or None,
        "created_at >= {}": filters.since,
        "created_at < {}": filters.until,
    }
    parts = [] if filters.status is None else [_WITH_STATUS[filters.status]]
    if filters.endpoint_id is not None:
        parts.append(f"AND endpoint_id = '{filters.endpoint_id}'::uuid")
    for condition, value in wanted.items():
        if value is not None:
            values.append(value)
            parts.append("AND " + condition.format(f"${len(values)}"))
    return " ".join(parts), values


def _endpoint(row: DatabaseRow) -> Endpoint:
    return Endpoint(
        row["id"], row["url"], row["description"], row["events"], row["api_version"], (), row["contact"], row["fields"],
        row["pii"], row["status"],
        row["failing_since"], row["disabled_why"], row["old_until"], row["created_at"], row["updated_at"],
    )  # fmt: skip


async def forget(connection: Connection, before: datetime, at_most: int) -> int:
    """Delete deliveries of every workspace that are older than `before`, some at a time. Returns how many."""
    gone: int = await connection.fetchval("SELECT forget_deliveries($1, $2)", before, at_most)
    return gone
