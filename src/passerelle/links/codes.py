"""One-time codes by e-mail: how another browser carries on, and how one without script begins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database, take_turn
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import NewId
from passerelle.links import emails, repository
from passerelle.links.credentials import Credentials, masked, new_salt
from passerelle.links.emails import Email
from passerelle.links.errors import CODE_WRONG, CODES_TOO_MANY, refusal
from passerelle.links.models import LIVE, EndUserSession, Link
from passerelle.links.repository import CodeRow
from passerelle.links.visits import Visits

CODE_LIFETIME: Final = timedelta(minutes=15)
ATTEMPTS: Final = 5
"""Guesses at one code. At ten codes a day, trying all of eight digits takes thousands of years."""
SENDS: Final = ((timedelta(minutes=1), 1), (timedelta(hours=1), 5), (timedelta(days=1), 10))
"""How many codes a link sends at most, in how long."""
TO_ADDRESS: Final = ((timedelta(hours=1), 15), (timedelta(days=1), 30))
"""How many codes one address gets at most, of all links of a workspace: nobody's mailbox is flooded through many."""
SENT_AGAIN: Final = timedelta(minutes=5)
"""The same code is sent again while it lives at least so long: then it matters not which message is read."""
REPEATED: Final = timedelta(seconds=30)
"""How long a code that was right is right again, for a form that was submitted twice."""


class Codes:
    """Sends codes and takes them."""

    def __init__(
        self, database: Database, credentials: Credentials, visits: Visits, clock: Clock, new_id: NewId
    ) -> None:
        self._database = database
        self._credentials = credentials
        self._visits = visits
        self._clock = clock
        self._new_id = new_id

    async def send(self, link: Link, base_url: str, language: str | None) -> str | None:
        """Queue a message with a code, in this language; the masked address.

        None, after the same work, where no address is known.

        Raises CODES_TOO_MANY, or why the link leads nowhere.
        """
        now = self._clock()
        async with self._database.transaction(link.workspace_id) as connection:
            current = await self._live(connection, link, now)
            row = await repository.code_of(connection, link.workspace_id, link.id)
            sent = () if row is None else tuple(at for at in row.sent if now - at < SENDS[-1][0])
            _require_pause(sent, now, SENDS)
            await self._require_room(connection, current, now)
            if row is None or row.attempts >= ATTEMPTS or row.used_at is not None or row.expires_at < now + SENT_AGAIN:
                row = CodeRow(new_salt(), now + CODE_LIFETIME, 0, (), None, None)
            await repository.keep_code(connection, link.workspace_id, link.id, replace(row, sent=(*sent, now)))
            if current.email is None:
                return None
            email = Email(
                *(link.workspace_id, self._new_id(), link.id, "code", base_url),
                *(row.salt, 0, now, row.expires_at, language or link.locale),
            )
            await emails.queue_email(connection, email)
            return masked(current.email)

    async def enter(self, link: Link, given: str) -> EndUserSession:
        """Bind the execution to the browser that sends the right code. Raises CODE_WRONG, or why the link is dead."""
        now = self._clock()
        async with self._database.transaction(link.workspace_id) as connection:
            current = await self._live(connection, link, now)
            session = await self._take(connection, current, given, now)
        # After the commit: a wrong attempt counts.
        if session is None:
            raise CODE_WRONG.error("the code is wrong, too old, or was tried too often: check it, or ask for a new one")
        return session

    async def _take(self, connection: Connection, link: Link, given: str, now: datetime) -> EndUserSession | None:
        row = await repository.code_of(connection, link.workspace_id, link.id)
        if row is None or row.attempts >= ATTEMPTS or row.expires_at <= now:
            return None
        if not self._credentials.is_code(link.id, row.salt, given):
            row = replace(row, attempts=row.attempts + 1)
            await repository.keep_code(connection, link.workspace_id, link.id, row)
            return None
        if row.used_at is not None and row.visit_id is not None:
            repeated = now - row.used_at < REPEATED
            return await self._visits.again(connection, link.workspace_id, row.visit_id) if repeated else None
        visit_id, session = await self._visits.begin_by_link(connection, link, now, kind="code")
        row = replace(row, used_at=now, visit_id=visit_id)
        await repository.keep_code(connection, link.workspace_id, link.id, row)
        return session

    async def _require_room(self, connection: Connection, link: Link, now: datetime) -> None:
        if link.email is None:
            return
        # Of two links at the same time the second counts the first one's code.
        await take_turn(connection, f"codes {link.workspace_id} {link.email.lower()}")
        since = now - TO_ADDRESS[-1][0]
        sent = await emails.codes_sent_to(connection, link.workspace_id, link.email, since)
        _require_pause(sent, now, TO_ADDRESS)

    async def _live(self, connection: Connection, link: Link, now: datetime) -> Link:
        current = await repository.locked(connection, link.workspace_id, link.id)
        if current is None or current.state(now) not in LIVE:
            raise refusal(current, now)
        return current


def _require_pause(sent: Sequence[datetime], now: datetime, limits: Iterable[tuple[timedelta, int]]) -> None:
    for window, most in limits:
        within = [at for at in sent if now - at < window]
        if len(within) >= most:
            seconds = math.ceil((within[-most] + window - now).total_seconds())
            raise _too_many(seconds)


def _too_many(seconds: int) -> PasserelleError:
    return CODES_TOO_MANY.error(
        f"a code was sent already: look into the mailbox, or ask again in {seconds} seconds",
        headers={"Retry-After": str(seconds)},
    )
