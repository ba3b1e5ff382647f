"""Links as operators and integrators see them: where each stands, and what came of sending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.links.errors import LINK_NOT_FOUND
from passerelle.links.models import Link
from passerelle.links.repository import COLUMNS, JOINED, made

SendingStatus = Literal["PENDING", "SENT", "FAILED"]

_LISTED: Final = (
    f"SELECT {COLUMNS}, m.status AS sending, m.tries, m.error FROM {JOINED} "  # noqa: S608 - constant
    "LEFT JOIN LATERAL (SELECT status, tries, error FROM link_email m WHERE m.workspace_id = l.workspace_id "
    "AND m.link_id = l.id AND m.kind = 'link' ORDER BY m.id DESC LIMIT 1) m ON true WHERE l.workspace_id = $1"
)


_ENDING: Final = """
    AND l.activated_at IS NULL AND l.superseded_at IS NULL AND l.deleted_at IS NULL AND l.expired_at IS NULL
    AND l.expires_at > $4 AND l.expires_at < $3
    AND ($5::uuid IS NULL OR (l.expires_at, l.id) > (
        SELECT p.expires_at, p.id FROM link p WHERE p.workspace_id = $1 AND p.id = $5))
    AND ($6::uuid IS NULL OR l.execution_id = $6) AND ($7::uuid IS NULL OR l.definition_id = $7)
    AND ($8::uuid IS NULL OR l.record_id = $8)
    ORDER BY l.expires_at, l.id LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class LinkFilters:
    """What a list of links is narrowed by."""

    execution_id: UUID | None = None
    definition_id: UUID | None = None
    record_id: UUID | None = None
    ends_before: datetime | None = None
    """Only those that can be used still and end before this moment; those that end first come first."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What came of the message that carries a link, so far."""

    status: SendingStatus
    attempts: int
    error: str | None
    """What the mail server said last, if it refused; it shows no address."""


@dataclass(frozen=True, slots=True)
class ListedLink:
    """A link; `sending` is None where it was not to be sent, or where that was long ago."""

    link: Link
    sending: Sending | None


class LinkList:
    """Reads links. Secrets are not among what it reads."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(self, workspace_id: UUID, filters: LinkFilters, before: UUID | None, limit: int) -> list[ListedLink]:
        """Links behind the link `before`: newest first, or those that end first."""
        if filters.ends_before is not None:
            return await self._ending(workspace_id, filters, filters.ends_before, before, limit)
        conditions = {
            "l.execution_id =": filters.execution_id,
            "l.record_id =": filters.record_id,
            "l.id <": before,
        }
        wanted = {condition: value for condition, value in conditions.items() if value is not None}
        narrowed = "".join(f" AND {condition} ${number}" for number, condition in enumerate(wanted, 3))
        if filters.definition_id is not None:
            # Written out: of a definition that few links are of, a plan for any definition does not know it.
            narrowed += f" AND l.definition_id = '{filters.definition_id}'::uuid"
        async with self._database.reading(workspace_id) as connection:
            return await _fetched(
                connection, f"{narrowed} ORDER BY l.id DESC LIMIT $2", workspace_id, limit, *wanted.values()
            )

    async def _ending(
        self, workspace_id: UUID, filters: LinkFilters, moment: datetime, before: UUID | None, limit: int
    ) -> list[ListedLink]:
        wanted = (filters.execution_id, filters.definition_id, filters.record_id)
        async with self._database.reading(workspace_id) as connection:
            return await _fetched(connection, _ENDING, workspace_id, limit, moment, self._clock(), before, *wanted)

    async def find(self, workspace_id: UUID, link_id: UUID) -> ListedLink:
        """One link. Raises LINK_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            found = await _fetched(connection, " AND l.id = $2", workspace_id, link_id)
        if not found:
            raise LINK_NOT_FOUND.error(f"this workspace has no link {link_id}")
        return found[0]


async def _fetched(connection: Connection, rest: str, *values: object) -> list[ListedLink]:
    listed = []
    for row in await connection.fetch(_LISTED + rest, *values):
        facts = dict(row)
        status, tries, error = facts.pop("sending"), facts.pop("tries"), facts.pop("error")
        sending = None if status is None else Sending(cast("SendingStatus", status), tries, error)
        listed.append(ListedLink(made(facts), sending))
    return listed
