"""Links on a database, with a clock that is moved by hand and mail that is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passerelle.accounts.signing_keys import SigningKeys
from passerelle.definitions.revisions.service import Revisions
from passerelle.engine.model import Status
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Connection, Database, fetch_one
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.kit.mail import Mail
from passerelle.kit.mail.fake import FakeMail
from passerelle.kit.memory import Memory
from passerelle.kit.secrets import SecretBox
from passerelle.languages.service import Languages
from passerelle.links.credentials import Credentials
from passerelle.links.models import LinkRequest, MadeLink, MadeToken
from passerelle.links.services import link_services
from passerelle.themes.repository import ThemeRepository
from passerelle.themes.service import Themes
from passerelle.workflows.models import ExecutionView
from passerelle.workflows.service import Executions, StartRequest

DEFINITION = new_id()
REVISION = new_id()
PUBLIC_URL = "https://onboarding.example"
ADDRESS = "anna@example.com"
LIFE = timedelta(days=7)


_OWN = "entrypoint = 'link.email' AND convert_from(payload, 'UTF8')::jsonb ->> 'workspaceId' = $1"


class OneDefinition:
    """Stands for the workspace's definitions: all of them are this one."""

    interactive = True

    async def published(self, workspace_id: UUID, definition_id: UUID) -> Any:
        kind = "INTERACTIVE" if self.interactive else "BACKGROUND"
        return SimpleNamespace(definition=SimpleNamespace(execution_type=kind, name="onboarding"))

    async def judged(self, workspace_id: UUID, definition_id: UUID, judge: Callable[[Any], Awaitable[None]]) -> None:
        await judge(await self.published(workspace_id, definition_id))

    async def compiled(self, workspace_id: UUID, revision_id: UUID) -> Any:
        return SimpleNamespace(
            title={"en": "Your company", "pl": "Twoja firma"}, name="onboarding", languages=("en", "pl"), start=None
        )


@dataclass
class Starting:
    """Starts executions that rest for their end user."""

    database: Database
    clock: MovedClock

    async def start(self, workspace_id: UUID, request: StartRequest) -> ExecutionView:
        now = self.clock()
        async with self.database.workspace(workspace_id) as connection:
            row = await fetch_one(
                connection,
                "INSERT INTO execution (workspace_id, id, definition_id, revision_id, status, execution_type, seq, "
                "state, parameters, record_id, locale, origin, expires_at, created_at, updated_at) "
                "VALUES ($1, $2, $3, $4, 'RUNNING', 'INTERACTIVE', 1, '{}', '{}', $5, $6, $7, $8, $9, $9) "
                "ON CONFLICT (workspace_id, id) DO UPDATE SET seq = execution.seq RETURNING *",
                workspace_id, request.id, request.definition_id, REVISION, request.record_id, request.locale,
                request.origin, now + LIFE, now,
            )  # fmt: skip
        return ExecutionView(
            row["id"], workspace_id, row["definition_id"], "onboarding", REVISION, 1, "INTERACTIVE", Status.RUNNING,
            row["locale"], {}, row["record_id"], row["origin"], [], None, None, row["created_at"], row["updated_at"],
            None, row["expires_at"],
        )  # fmt: skip

    async def known_as(self, workspace_id: UUID, record_id: UUID, connection: Connection) -> Sequence[UUID]:
        """Nothing is merged here."""
        return [record_id]

    async def end_unused(self, workspace_id: UUID, execution_id: UUID, why: str) -> None:
        async with self.database.workspace(workspace_id) as connection:
            await connection.execute("UPDATE execution SET status = 'CANCELLED' WHERE id = $1", execution_id)


class Gatehouse:
    """The feature, and what a test asks of it."""

    def __init__(
        self, database: Database, workspace_id: UUID, box: SecretBox | None = None, server: Mail | None = None
    ) -> None:
        self.database = database
        self.workspace_id = workspace_id
        self.clock = MovedClock(datetime(2026, 1, 5, 9, 0, tzinfo=UTC))
        self.mail = FakeMail()
        self.definitions = OneDefinition()
        self.box = box or SecretBox(["k" * 40])
        self.credentials = Credentials(self.box)
        self.keys = SigningKeys(database, self.box, self.clock, Memory(lambda: self.clock().timestamp()))
        parts = link_services(
            database,
            cast("Executions", Starting(database, self.clock)),
            cast("Revisions", self.definitions),
            Themes(ThemeRepository(database)),
            self.keys,
            self.box,
            server or self.mail,
            self.clock,
            new_id,
            public_url=PUBLIC_URL,
            environment="production",
            languages=Languages(),
        )
        self.links, self.sender = parts.links, parts.mail

    async def furnish(self, private: RSAPrivateKey) -> None:
        """Make the workspace, with a signing key."""
        async with self.database.transaction(self.workspace_id) as connection:
            await connection.execute(
                "INSERT INTO workspace (workspace_id, name) VALUES ($1, 'Acme')", self.workspace_id
            )
            await self.keys.create(connection, self.workspace_id, private)

    async def link(self, email: str | None = ADDRESS, **request: Any) -> MadeLink:
        """A new link."""
        return await self.links.create(self.workspace_id, _request(email=email, **request))

    async def sent(self, email: str = ADDRESS, **request: Any) -> MadeLink:
        """A new link that is sent."""
        return await self.links.send(self.workspace_id, _request(email=email, **request))

    async def token(self, **request: Any) -> MadeToken:
        """A new token."""
        return await self.links.token(self.workspace_id, _request(**request))

    async def status(self, execution_id: UUID) -> str:
        """Where an execution stands."""
        async with self.database.workspace(self.workspace_id) as connection:
            return str(await connection.fetchval("SELECT status FROM execution WHERE id = $1", execution_id))

    async def end_execution(self, execution_id: UUID, status: str) -> None:
        """Let an execution end."""
        async with self.database.workspace(self.workspace_id) as connection:
            await connection.execute("UPDATE execution SET status = $2 WHERE id = $1", execution_id, status)

    async def events(self, prefix: str = "link.") -> list[str]:
        """The types of the events so far."""
        return [event["type"] for event in await self.event_rows(prefix)]

    async def event_rows(self, prefix: str = "link.") -> list[Any]:
        """The events so far."""
        async with self.database.workspace(self.workspace_id) as connection:
            return list(
                await connection.fetch("SELECT * FROM event WHERE type LIKE $1 ORDER BY transaction, id", f"{prefix}%")
            )

    async def work(self) -> list[timedelta]:
        """Run every job that is queued now, due or not; how long the new ones wait."""
        async with self.database.shared() as connection:
            jobs = await connection.fetch(f"DELETE FROM pgqueuer WHERE {_OWN} RETURNING id, payload", self._own)
        for job in jobs:
            await self.sender.run(JobRunning(job["id"], loads(job["payload"])))
        return await self.waits()

    async def waits(self) -> list[timedelta]:
        """How long each job of an e-mail waits."""
        async with self.database.shared() as connection:
            rows = await connection.fetch(
                f"SELECT execute_after - created AS wait FROM pgqueuer WHERE {_OWN} ORDER BY id", self._own
            )
        return [row["wait"] for row in rows]

    @property
    def _own(self) -> str:
        return str(self.workspace_id)


async def code_of(raising: Awaitable[object]) -> str:
    """The code that an awaitable is refused with."""
    with pytest.raises(PasserelleError) as caught:
        await raising
    return caught.value.problems[0].code


def secret_of(link: MadeLink) -> str:
    """The secret in a link's address."""
    return link.url.rpartition("/")[2]


def _request(**given: Any) -> LinkRequest:
    return LinkRequest(**{"id": new_id(), "definition_id": DEFINITION, **given})
