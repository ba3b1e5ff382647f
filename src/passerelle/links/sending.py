"""The job that sends links and codes by e-mail.

A message is a row, written with its job in the transaction that acknowledged it. Each attempt is a job of its own;
what the server refuses for now is tried again with growing pauses until `send_until`. A crash right after the server
took it sends it again under the same `Message-ID`.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import JobRunning
from passerelle.kit.mail import Mail, MailError, MailLater
from passerelle.links import emails, repository
from passerelle.links.emails import Email
from passerelle.links.messages import LinkMessages
from passerelle.links.models import LIVE, Link
from passerelle.links.visits import tell

AT_ONCE: Final = 8
"""Messages that one process sends at the same time: a server that hangs must not take all of its jobs."""
PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600))
"""What lies between two attempts; after the last one, the same again."""
GONE: Final = "the link leads nowhere any more"

_SECONDS: Final = 20.0

log = structlog.get_logger("passerelle.links")


class LinkMail:
    """What the job `link.email` does."""

    def __init__(self, database: Database, mail: Mail, messages: LinkMessages, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._mail = mail
        self._messages = messages
        self._clock = clock
        self._new_id = new_id
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self, job: JobRunning) -> None:
        """Send one message, or put the next attempt off. May run any number of times."""
        workspace_id, email_id = UUID(job.payload["workspaceId"]), UUID(job.payload["emailId"])
        async with self._database.workspace(workspace_id) as connection:
            email = await emails.pending_email(connection, workspace_id, email_id)
            link = None if email is None else await repository.by_id(connection, workspace_id, email.link_id)
        if email is None or link is None:
            return
        if self._places.locked():
            await self._put_off(email, timedelta(seconds=random.uniform(1, 5)))  # noqa: S311 - spreads them
            return
        async with self._places:
            await self._attempt(email, link)

    async def _attempt(self, email: Email, link: Link) -> None:
        now = self._clock()
        # A copy is for whoever has finished, too.
        if link.email is None or (email.kind != "copy" and link.state(now) not in LIVE):
            await self._end(email, link, GONE)
            return
        try:
            message = await self._messages.write(email, link, link.email)
            await self._mail.send(message, timeout_seconds=_SECONDS)
        except MailLater as error:
            pause = PAUSES[min(email.tries, len(PAUSES) - 1)]
            if self._clock() + pause >= email.send_until:
                await self._end(email, link, _reason(error))
            else:
                await self._put_off(email, pause, error)
        except MailError as error:
            await self._end(email, link, _reason(error))
        else:
            await self._end(email, link, None)

    async def _put_off(self, email: Email, pause: timedelta, error: MailError | None = None) -> None:
        async with self._database.transaction(email.workspace_id) as connection:
            if error is not None:
                log.info("email.put_off", email=str(email.id), tries=email.tries + 1, error=_reason(error))
                await emails.note_try(connection, email, _reason(error))
            await emails.queue_again(connection, email, pause)

    async def _end(self, email: Email, link: Link, error: str | None) -> None:
        """Write what came of it, and tell."""
        now = self._clock()
        async with self._database.transaction(email.workspace_id) as connection:
            if not await emails.end_email(connection, email, error, now):
                return
            if error is None and email.kind == "link":
                await tell(connection, "link.sent", link, self._new_id(), now)
            await self._tell(connection, email, link, error, now)
        if error is not None:
            log.warning("email.failed", email=str(email.id), error=error)

    async def _tell(self, connection: Connection, email: Email, link: Link, error: str | None, now: datetime) -> None:
        data = {
            "emailId": str(email.id),
            "workflowId": str(link.execution_id),
            "linkId": str(link.id),
            "error": error,
        }
        kind = "email.sent" if error is None else "email.failed"
        event = Event(email.workspace_id, self._new_id(), kind, data, now, execution_id=link.execution_id)
        await append_event(connection, event)


def _reason(error: MailError) -> str:
    """What the server said, else what we say; neither shows an address."""
    return error.message if error.code is None else f"{error.code} {error.reply}"
