"""The e-mails that people get: invitations, and links to choose a new password.

An e-mail is a job, written in the transaction that asked for it. It names what it is about, never a secret: the job
makes that when it sends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
import yaml
from babel.dates import format_datetime
from jinja2 import Environment

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.jobs import JobRunning, enqueue
from passerelle.kit.mail import Mail, MailError, MailLater, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.templating import environment
from passerelle.people import repository

if TYPE_CHECKING:
    from passerelle.people.enrolments import Enrolments
    from passerelle.people.recovery import Recovery
    from passerelle.people.users import Users

EMAIL_JOB: Final = "people.email"

_FOLDER: Final = Path(__file__).parent / "email_templates"
_SECONDS: Final = 20.0

log = structlog.get_logger("passerelle.people")


async def queue_email(connection: Connection, kind: str, **facts: str) -> None:
    """Write the job that sends an e-mail."""
    await enqueue(connection, EMAIL_JOB, {"kind": kind, **facts})


class AccountEmails:
    """What the job `people.email` does."""

    def __init__(
        self,
        database: Database,
        users: Users,
        enrolments: Enrolments,
        recovery: Recovery,
        mail: Mail,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._database = database
        self._users = users
        self._enrolments = enrolments
        self._recovery = recovery
        self._mail = mail
        self._clock = clock
        self._public_url = public_url
        self._kinds: Mapping[str, Callable[[JobRunning], Awaitable[None]]] = {
            "invitation": self._invite,
            "reset": self._reset,
            "mention": self._tell,
            "proposal": self._tell,
        }

    async def run(self, job: JobRunning) -> None:
        """Send one e-mail. Raises `MailLater` where the job is to run again: the server does not take it now."""
        await self._kinds[job.payload["kind"]](job)

    async def _invite(self, job: JobRunning) -> None:
        organization_id, enrolment_id = UUID(job.payload["organizationId"]), UUID(job.payload["id"])
        found = await self._enrolments.get(organization_id, enrolment_id)
        if found.status(self._clock()) != "PENDING":
            return
        organization = await self._users.organization(organization_id)
        url = f"{self._public_url}/invitation/{self._enrolments.secret_of(enrolment_id)}"
        facts = {"name": organization.name, "by": found.invited_by}
        until = format_datetime(found.expires_at, "d MMMM y, HH:mm", locale=found.language)
        await self._send(job, "invitation", found.language, found.email, url, facts, until=f"{until} UTC")

    async def _reset(self, job: JobRunning) -> None:
        async with self._database.shared() as connection:
            found = await repository.find_users(connection, job.payload["email"])
        for user, _ in found:
            if user.state == "active":
                url = f"{self._public_url}/reset/{await self._recovery.make(user)}"
                await self._send(job, "reset", user.language, user.email, url, {})

    async def _tell(self, job: JobRunning) -> None:
        """Somebody (`by`) did something that concerns the user; `path` leads to what it is about."""
        organization_id, user_id = UUID(job.payload["organizationId"]), UUID(job.payload["userId"])
        user = await self._users.get(organization_id, user_id)
        if user.state == "active":
            facts = {"by": job.payload["by"], "about": job.payload["about"]}
            await self._send(
                job, job.payload["kind"], user.language, user.email, self._public_url + job.payload["path"], facts
            )

    async def _send(
        self, job: JobRunning, kind: str, language: str, to: str, url: str, facts: Mapping[str, str], until: str = ""
    ) -> None:
        # Without line breaks: what stands in a subject must not begin another header.
        known = {name: " ".join(value.split()) for name, value in facts.items()}
        texts = {name: text.format_map({**known, "until": until}) for name, text in _texts(language)[kind].items()}
        shown: dict[str, Any] = {"language": language, "texts": texts, "url": url}
        message = Message(
            key=f"people-{job.id}-{to}",
            date=self._clock(),
            to=(MailAddress.parse(to),),
            subject=texts["subject"],
            text=_templates().get_template("email.txt").render(shown),
            html=_templates().get_template("email.html").render(shown),
        )
        try:
            await self._mail.send(message, timeout_seconds=_SECONDS)
        except MailLater:
            raise
        except MailError as never:
            log.error("email.not_sent", kind=kind, error=never.message)


@cache
def _texts(language: str) -> Mapping[str, Mapping[str, str]]:
    texts: Mapping[str, Mapping[str, str]] = yaml.load(
        (_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return texts


@cache
def _templates() -> Environment:
    return environment(_FOLDER)
