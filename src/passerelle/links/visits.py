"""Binding an execution to one browser, inside the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.kit.database import Connection
from passerelle.kit.ids import NewId
from passerelle.links import repository
from passerelle.links.credentials import Credentials, digest, new_salt
from passerelle.links.models import EndUserSession, Link, VisitKind
from passerelle.links.repository import BrowserBinding, StoredSecret


class Visits:
    """Begins visits, and gives the sessions of those that go on."""

    def __init__(self, credentials: Credentials, new_id: NewId) -> None:
        self._credentials = credentials
        self._new_id = new_id

    async def begin(
        self, connection: Connection, workspace_id: UUID, execution_id: UUID, kind: VisitKind, now: datetime,
        until: datetime,
    ) -> tuple[UUID, EndUserSession]:  # fmt: skip
        """Bind the execution to whoever asks, and to nobody else any more; the visit's id and its session."""
        visit_id, salt = self._new_id(), new_salt()
        secret = self._credentials.secret("visit", visit_id, salt)
        visit = BrowserBinding(
            workspace_id, visit_id, execution_id, kind, StoredSecret(salt, digest(secret)), now, until
        )
        await repository.begin_visit(connection, visit)
        return visit_id, self._session(visit)

    async def begin_by_link(
        self, connection: Connection, link: Link, now: datetime, challenge: bytes | None = None,
        kind: VisitKind = "link",
    ) -> tuple[UUID, EndUserSession]:  # fmt: skip
        """As `begin`; spends the link, which is locked, if nobody has."""
        visit_id, session = await self.begin(
            connection, link.workspace_id, link.execution_id, kind, now, link.expires_at
        )
        if link.activated_at is None:
            await repository.activate(connection, link, challenge, visit_id, now)
            await tell(connection, "link.activated", link, self._new_id(), now)
        return visit_id, session

    async def again(self, connection: Connection, workspace_id: UUID, visit_id: UUID) -> EndUserSession | None:
        """The session of a visit, for the browser that began it and did not get the answer; None once it has ended."""
        visit = await repository.open_visit(connection, workspace_id, visit_id)
        return None if visit is None else self._session(visit)

    def _session(self, visit: BrowserBinding) -> EndUserSession:
        secret = self._credentials.secret("visit", visit.id, visit.kept.salt, visit.kept.secret_hash)
        return EndUserSession(secret, visit.workspace_id, visit.execution_id, visit.expires_at, visit.kind)


async def tell(connection: Connection, kind: str, link: Link, event_id: UUID, now: datetime) -> None:
    """Write what happened to a link for others to hear."""
    event = Event(link.workspace_id, event_id, kind, link.event_data(), now, execution_id=link.execution_id)
    await append_event(connection, event)
