"""Placing and releasing legal holds, and asking whether something is held."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from passerelle.holds import repository
from passerelle.holds.errors import (
    ALREADY_HELD,
    HOLD_NOT_FOUND,
    HOLD_SUBJECT_INVALID,
    HOLD_SUBJECT_UNKNOWN,
    UNDER_LEGAL_HOLD,
)
from passerelle.holds.models import HeldObjects, Hold, HoldKind
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.ids import NewId
from passerelle.kit.observer import note_object


class Holds:
    """The feature's service."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def place(self, workspace_id: UUID, kind: HoldKind, object_id: UUID | None, reason: str, by: str) -> Hold:
        """Keep an execution with its children, a record with all that concerns it, or the whole workspace.

        Raises HOLD_SUBJECT_INVALID, HOLD_SUBJECT_UNKNOWN, ALREADY_HELD.
        """
        if (object_id is None) != (kind == "workspace"):
            wanted = "no `id`: it is the one you are in" if kind == "workspace" else "an `id`"
            raise HOLD_SUBJECT_INVALID.error(f"a hold on the {kind} takes {wanted}", "/id")
        subject = object_id or workspace_id
        hold = Hold(self._new_id(), kind, subject, reason, self._clock(), by)
        async with self._database.transaction(workspace_id) as connection:
            await repository.lock_to_hold(connection, workspace_id)
            if not await repository.is_there(connection, workspace_id, kind, subject):
                raise HOLD_SUBJECT_UNKNOWN.error(f"the workspace has no {kind} {subject}", "/id")
            known = await repository.open_on(connection, workspace_id, kind, subject)
            if known is not None:
                raise ALREADY_HELD.error(f"it is under the hold {known.id}, placed by {known.placed_by}", "/id")
            note_object(hold.id)
            await repository.insert(connection, workspace_id, hold)
        return hold

    async def release(self, workspace_id: UUID, hold_id: UUID, by: str) -> Hold:
        """End a hold; again for one that has ended changes nothing. Raises HOLD_NOT_FOUND."""
        async with self._database.transaction(workspace_id) as connection:
            await repository.release(connection, workspace_id, hold_id, by, self._clock())
            hold = await repository.find(connection, workspace_id, hold_id)
        if hold is None:
            raise _not_found(hold_id)
        return hold

    async def get(self, workspace_id: UUID, hold_id: UUID) -> Hold:
        """Raises HOLD_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            hold = await repository.find(connection, workspace_id, hold_id)
        if hold is None:
            raise _not_found(hold_id)
        return hold

    async def page(self, workspace_id: UUID, before: UUID | None, limit: int, *, released: bool) -> Sequence[Hold]:
        """Holds, the newest first."""
        async with self._database.workspace(workspace_id) as connection:
            return await repository.page(connection, workspace_id, before, limit, released=released)


async def held_now(connection: Connection, workspace_id: UUID) -> HeldObjects:
    """What is kept, as it stands."""
    return await repository.held(connection, workspace_id)


async def held_until_the_end(connection: Connection, workspace_id: UUID) -> HeldObjects:
    """What is kept. Until the transaction ends no hold is placed."""
    await repository.lock_to_remove(connection, workspace_id)
    return await repository.held(connection, workspace_id)


async def require_free(connection: Connection, workspace_id: UUID, objects: Sequence[UUID]) -> None:
    """Raises UNDER_LEGAL_HOLD where one of these records and executions is kept.

    Until the transaction ends no hold is placed.
    """
    held = await held_until_the_end(connection, workspace_id)
    kept = next((one for one in objects if held.keep(one)), None)
    if kept is not None:
        raise UNDER_LEGAL_HOLD.error(
            f"a legal hold keeps {kept}: nothing of it can be removed before `POST /holds/{{id}}/release`"
        )


async def require_table_free(connection: Connection, workspace_id: UUID, table_id: UUID) -> None:
    """As `require_free`, for every record of a table."""
    await repository.lock_to_remove(connection, workspace_id)
    held = await repository.held_of_table(connection, workspace_id, table_id)
    if held is not None:
        raise UNDER_LEGAL_HOLD.error(f"a legal hold keeps the record {held}: its table cannot be deleted")


def _not_found(hold_id: UUID) -> Exception:
    return HOLD_NOT_FOUND.error(f"the workspace has no hold {hold_id}: GET /holds lists all")
