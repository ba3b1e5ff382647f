"""What watches over a request or a command, and writes into the transactions in which that changes something."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from passerelle.kit.json import JsonObject

if TYPE_CHECKING:
    from passerelle.kit.database import Connection


class TransactionObserver(Protocol):
    """Writes something of its own into a transaction: `passerelle.audit` writes who made the change."""

    def note_object(self, object_id: object) -> None:
        """The id of the object that the request is about, as soon as it is known."""

    def note_change(self, object_id: object, before: JsonObject | None, after: JsonObject | None) -> None:
        """What an object was and is, by whoever has just changed it in the transaction; None where it was or is not."""

    def around(self, connection: Connection, chain: UUID, *, organization: bool) -> AbstractAsyncContextManager[None]:
        """Stands around what happens in a transaction for `chain`: a workspace, or an organization."""


observer: Final[ContextVar[TransactionObserver | None]] = ContextVar("observer", default=None)
"""That of the present task. While there is one, each use of a connection is one transaction."""


def note_object(object_id: object) -> None:
    """Tell the observer the id of the object that the request is about."""
    if (one := observer.get()) is not None:
        one.note_object(object_id)


def note_change(object_id: object, before: JsonObject | None, after: JsonObject | None) -> None:
    """Tell the observer what an object was and is, so that it need not be read again."""
    if (one := observer.get()) is not None:
        one.note_change(object_id, before, after)
