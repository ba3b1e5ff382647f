"""The deliveries of every workspace, as those who send them see them. Functions of the database give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.events.models import Event
from passerelle.kit.database import Database, DatabaseRow, fetch_one
from passerelle.kit.ids import NewId
from passerelle.webhooks.models import AttemptOutcome, Claimed

LEASE: Final = timedelta(seconds=30)
"""How long a claimed delivery is left to its process. An attempt takes ten seconds at most."""
BATCH: Final = 500
"""Events of one endpoint that become deliveries at once."""


@dataclass(frozen=True, slots=True)
class AttemptSlots:
    """How many attempts this process may have under way."""

    of_each: int
    """To one endpoint."""
    of_failing: int
    """To one whose last attempt failed: it is asked now and then whether it is well again."""
    at_most: int
    """In all."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look for new events has found."""

    events: int
    active: bool
    """Whether any endpoint wants events at all."""


class DeliveryQueue:
    """Turns events into deliveries, gives them to senders, and records what came of them."""

    def __init__(self, database: Database, new_id: NewId) -> None:
        self._database = database
        self._new_id = new_id

    async def dispatch(self, now: datetime) -> Seen:
        """Turn new events into deliveries; none while another process does it."""
        async with self._database.shared() as connection:
            row = await fetch_one(connection, "SELECT seen, active FROM dispatch_events($1, $2)", now, BATCH)
        return Seen(row["seen"], active=row["active"] > 0)

    async def claim(self, now: datetime, busy: Mapping[UUID, int], places: AttemptSlots) -> list[Claimed]:
        """Take deliveries that are due, in their order. `busy`: what is under way at each endpoint."""
        claim = self._new_id()
        async with self._database.shared() as connection:
            rows = await connection.fetch(
                "SELECT * FROM claim_deliveries($1, $2, $3, $4, $5, $6, $7, $8)",
                now,
                list(busy),
                list(busy.values()),
                places.of_each,
                places.of_failing,
                places.at_most,
                claim,
                now + LEASE,
            )
        return [_claimed(row, claim) for row in rows]

    async def record(self, now: datetime, outcomes: Sequence[AttemptOutcome]) -> None:
        """Write down what came of attempts."""
        rows = [outcome.to_json() for outcome in outcomes]
        async with self._database.shared() as connection:
            await connection.execute("SELECT record_attempts($1, $2)", now, rows)

    async def release(self, now: datetime, claims: Sequence[UUID]) -> None:
        """Give back what was taken and not finished: it falls due at once."""
        async with self._database.shared() as connection:
            await connection.execute("SELECT release_deliveries($1, $2)", now, list(claims))

    async def failing_since(self, before: datetime) -> list[tuple[UUID, UUID]]:
        """Workspace and id of the active endpoints at which nothing has succeeded since before that time."""
        async with self._database.shared() as connection:
            rows = await connection.fetch("SELECT * FROM endpoints_failing_since($1)", before)
        return [(row["workspace_id"], row["id"]) for row in rows]


def _claimed(row: DatabaseRow, claim: UUID) -> Claimed:
    event = Event(row["workspace_id"], row["event_id"], row["type"], row["data"], row["created_at"])
    secrets = [secret for secret in (row["secret"], row["old_secret"]) if secret is not None]
    return Claimed(
        row["id"], row["endpoint_id"], claim, row["tries"], row["url"], row["api_version"], secrets, row["headers"],
        row["fields"], row["pii"], event,
    )  # fmt: skip
