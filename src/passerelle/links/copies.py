"""Copies of what an end user is to agree to, by e-mail: to the address that the link was made for, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Database, take_turn
from passerelle.kit.ids import NewId
from passerelle.links import emails, repository
from passerelle.links.credentials import masked
from passerelle.links.emails import Email
from passerelle.links.errors import COPIES_TOO_MANY, LINK_NOT_FOUND

A_DAY: Final = timedelta(days=1)
COPIES: Final = 3
"""How many are sent in a day, of all texts that one link leads to."""


@dataclass(frozen=True, slots=True)
class TermsCopy:
    """A text in one language, as it was shown. `text` is Markdown."""

    title: str
    text: str
    version: str
    language: str


class Copies:
    """Sends copies."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._public_url = public_url

    async def address(self, workspace_id: UUID, execution_id: UUID) -> str | None:
        """Where one would be sent, masked; None where no address is known."""
        async with self._database.workspace(workspace_id) as connection:
            known = await repository.of_execution(connection, workspace_id, execution_id)
        return masked(known[0].email) if known is not None and known[0].email is not None else None

    async def send(self, workspace_id: UUID, execution_id: UUID, copy: TermsCopy) -> str:
        """Queue a message; the masked address. Raises LINK_NOT_FOUND where none is known, COPIES_TOO_MANY."""
        now = self._clock()
        async with self._database.transaction(workspace_id) as connection:
            await take_turn(connection, f"copies {execution_id}")
            known = await repository.of_execution(connection, workspace_id, execution_id)
            if known is None or known[0].email is None:
                raise LINK_NOT_FOUND.error("there is no address to send a copy to")
            link = known[0]
            if await emails.copies_sent(connection, workspace_id, link.id, now - A_DAY) >= COPIES:
                raise COPIES_TOO_MANY.error("copies were sent before: look into the mailbox")
            email = Email(
                workspace_id, self._new_id(), link.id, "copy", self._public_url, None, 0, now, now + A_DAY,
                copy.language, {"title": copy.title, "text": copy.text, "version": copy.version},
            )  # fmt: skip
            await emails.queue_email(connection, email)
        return masked(known[0].email)
