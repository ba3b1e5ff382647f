"""Tells an endpoint's owner by e-mail that it was disabled, so that nobody finds out weeks later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import Handler, JobRunning
from passerelle.kit.mail import Mail, MailError, MailLater, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.webhooks.models import Endpoint
from passerelle.webhooks.repository import OWNER_JOB, WebhookRepository

GIVEN_UP_AFTER: Final = timedelta(days=3)
"""As long as a delivery is tried, so long is the message about it."""

log = structlog.get_logger("passerelle.webhooks")


class OwnerMail:
    """What the job `webhook.tell_owner` does. It was written in the transaction that disabled the endpoint."""

    def __init__(self, database: Database, mail: Mail, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._repository = WebhookRepository(database)
        self._mail = mail
        self._clock = clock
        self._new_id = new_id

    def jobs(self) -> Mapping[str, Handler]:
        """What the job does."""
        return {OWNER_JOB: self.run}

    async def run(self, job: JobRunning) -> None:
        """Send the message. Raises `MailLater` where the job is to run again: the server does not take it now."""
        workspace_id, endpoint_id = UUID(job.payload["workspaceId"]), UUID(job.payload["endpointId"])
        found = await self._repository.find(workspace_id, endpoint_id)
        if found is None or found[0].status != "DISABLED" or found[0].contact is None:
            return  # it was activated or deleted meanwhile: there is nothing to tell
        endpoint = found[0]
        error: str | None = None
        try:
            await self._mail.send(notice(endpoint, endpoint.contact or "", f"webhook-disabled-{job.id}", self._clock()))
        except MailLater as later:
            if self._clock() < endpoint.updated_at + GIVEN_UP_AFTER:
                raise
            error = later.message
        except MailError as never:
            error = never.message
        await self._tell(workspace_id, endpoint_id, error)

    async def _tell(self, workspace_id: UUID, endpoint_id: UUID, error: str | None) -> None:
        if error is not None:
            log.error("webhook.owner_not_told", endpoint=str(endpoint_id), error=error)
        data = {"emailId": str(self._new_id()), "workflowId": None, "linkId": None, "error": error}
        kind = "email.sent" if error is None else "email.failed"
        async with self._database.transaction(workspace_id) as connection:
            await append_event(connection, Event(workspace_id, self._new_id(), kind, data, self._clock()))


def notice(endpoint: Endpoint, contact: str, key: str, now: datetime) -> Message:
    """What the owner reads: which endpoint, why, what becomes of the events, what to do."""
    text = f"""Passerelle has stopped sending webhooks to

    {endpoint.url}
    {endpoint.description or "(no description)"}

because {endpoint.disabled_why}.

No event is lost: what the endpoint has missed is kept for 30 days. When the receiver works again, activate it:

    passerelle webhooks activate {endpoint.id}

or PATCH /webhooks/endpoints/{endpoint.id} with {{"paused": false}}. Everything that has waited is then sent.
`passerelle webhooks log --endpoint {endpoint.id}` shows what went wrong.
"""
    return Message(key, now, (MailAddress.parse(contact),), "Webhooks were disabled", text)
