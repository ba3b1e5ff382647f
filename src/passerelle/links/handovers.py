"""One step lent to another device: shown as a code on the first, done on the second, and the first goes on.

The other device gets a session of its own, for this visit of this step alone and for half an hour. It ends with the
visit of the browser that showed the code; a new code ends the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import NewId
from passerelle.links.credentials import Credentials, could_be_secret, digest, new_salt
from passerelle.links.errors import HANDOVER_GONE
from passerelle.links.models import EndUserSession

OFFERED_FOR: Final = timedelta(minutes=10)
"""How long the code can be used."""
LENT_FOR: Final = timedelta(minutes=30)
"""How long the other device may take from then on."""
TWICE_WITHIN: Final = timedelta(seconds=10)
"""How long the code is good again, for a button that was pressed twice."""


@dataclass(frozen=True, slots=True)
class Handover:
    """A step that is lent."""

    workspace_id: UUID
    id: UUID
    execution_id: UUID
    step: str
    step_visit: int
    salt: bytes
    expires_at: datetime
    taken_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether the code can be used."""
        return now < self.expires_at and (self.taken_at is None or now - self.taken_at < TWICE_WITHIN)


class Handovers:
    """Lends steps."""

    def __init__(
        self, database: Database, credentials: Credentials, clock: Clock, new_id: NewId, public_url: str
    ) -> None:
        self._database = database
        self._credentials = credentials
        self._clock = clock
        self._new_id = new_id
        self._public_url = public_url

    async def offer(self, workspace_id: UUID, execution_id: UUID, step: str, step_visit: int) -> str:
        """The address at which another device takes the step over."""
        now, row, salt = self._clock(), self._new_id(), new_salt()
        secret = self._credentials.secret("handover", row, salt)
        session = self._credentials.secret("handover session", row, salt)
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "INSERT INTO handover (workspace_id, id, execution_id, step, step_visit, salt, secret_hash, "
                "session_hash, created_at, expires_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) "
                "ON CONFLICT (workspace_id, execution_id) DO UPDATE SET id = excluded.id, step = excluded.step, "
                "step_visit = excluded.step_visit, salt = excluded.salt, secret_hash = excluded.secret_hash, "
                "session_hash = excluded.session_hash, created_at = excluded.created_at, "
                "expires_at = excluded.expires_at, ends_at = excluded.ends_at, taken_at = NULL",
                workspace_id, row, execution_id, step, step_visit, salt, digest(secret), digest(session),
                now, now + OFFERED_FOR,
            )  # fmt: skip
        return f"{self._public_url}/h/{secret}"

    async def look(self, secret: str) -> Handover:
        """What a code leads to; looking changes nothing. Raises HANDOVER_GONE."""
        found = None
        if could_be_secret(secret):
            rows = await self._database.ask("find_handover", digest(secret), self._clock())
            found = Handover(**rows[0]) if rows else None
        if found is None or not found.is_good(self._clock()):
            raise _gone()
        return found

    async def take(self, secret: str) -> EndUserSession:
        """The other device's session; of many at once exactly one gets it. Raises HANDOVER_GONE."""
        found, now = await self.look(secret), self._clock()
        async with self._database.transaction(found.workspace_id) as connection:
            ends_at = await self._taken(connection, found, now)
        if ends_at is None:
            raise _gone()
        session = self._credentials.secret("handover session", found.id, found.salt, None)
        return EndUserSession(
            session, found.workspace_id, found.execution_id, ends_at, "handover", found.step, found.step_visit
        )

    async def _taken(self, connection: Connection, found: Handover, now: datetime) -> datetime | None:
        ends_at: datetime | None = await connection.fetchval(
            "UPDATE handover SET taken_at = coalesce(taken_at, $3), "
            "ends_at = CASE WHEN taken_at IS NULL THEN $4 ELSE ends_at END "
            "WHERE workspace_id = $1 AND id = $2 AND (taken_at IS NULL OR taken_at > $5) RETURNING ends_at",
            found.workspace_id,
            found.id,
            now,
            now + LENT_FOR,
            now - TWICE_WITHIN,
        )
        return ends_at


def _gone() -> PasserelleError:
    return HANDOVER_GONE.error("this code was used, or its time is over: show another one")
