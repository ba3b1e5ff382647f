"""Records, as the engine sees them: what expressions read of them, and what `record` steps do to them.

Whoever keeps the records implements `WorkspaceRecords`; the engine knows no table of the database. A record step is
done inside of the transaction that commits its result, so there is exactly one change for each finished step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.facts import CASES
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import RecordingKind, RecordWork, StepFailure
from passerelle.engine.model import Identity, State
from passerelle.engine.positions import LanePosition
from passerelle.engine.signals import Called
from passerelle.engine.transitions import scope_of
from passerelle.kit.json import Json, JsonObject

if TYPE_CHECKING:
    from passerelle.kit.database import Connection  # scenarios run without a database, and without its client


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of work on records: the step's output, and the one record that was written, if one was."""

    output: Json
    written: UUID | None = None


class WorkspaceRecords(Protocol):
    """The records of every workspace."""

    async def read(
        self, workspace_id: UUID, table: str, record_id: UUID, connection: Connection | None = None
    ) -> JsonObject | None:
        """A record by field name; None where the table or the record is not there.

        connection   whose transaction is to work on it: until it ends, nobody else changes the record
        """

    async def perform(
        self, connection: Connection, definition: Definition, by: Identity, work: RecordWork
    ) -> Performed:
        """Do it, in the transaction of `connection`. Raises `StepFailure`."""


class NoRecords:
    """Where there are no records."""

    async def read(
        self, workspace_id: UUID, table: str, record_id: UUID, connection: Connection | None = None
    ) -> JsonObject | None:
        """There is none."""
        return None

    async def perform(
        self, connection: Connection, definition: Definition, by: Identity, work: RecordWork
    ) -> Performed:
        """There is nothing to work on."""
        raise StepFailure("TABLE_NOT_FOUND", f"there is no table {work.table}")


async def refreshed(
    records: WorkspaceRecords, definition: Definition, state: State, connection: Connection | None = None
) -> State:
    """The state with what expressions read of records as it is now; only what the definition reads is looked up."""
    identity = state.identity
    tables = _tables_read(definition)
    if not tables:
        return state
    found: dict[str, Json] = {}
    if identity.record_id is not None:
        for table in set(tables.values()):
            found[table] = await records.read(identity.workspace_id, table, identity.record_id, connection)
    return replace(state, read={name: found[table] for name, table in tables.items() if found.get(table) is not None})


async def perform_step(
    records: WorkspaceRecords,
    connection: Connection,
    definition: Definition,
    state: State,
    lane: str,
    position: LanePosition,
    now: datetime,
) -> tuple[State, Called]:
    """Do what the record step at which a lane is says. The state with what it wrote, and what happened.

    Raises `StepFailure` or `ExpressionError`: then nothing may be committed.
    """
    step = definition.by_id[str(position.step)].of(RecordingKind)
    work, own = _concrete(
        definition, state.identity, step.kind.work(step.config, scope_of(definition, state, now, lane))
    )
    performed = await records.perform(connection, definition, state.identity, work)
    bound = performed.written if own and state.identity.record_id is None else None
    called = Called(
        lane, str(position.step), position.visit, position.attempt, now, work.to_json(), performed.output, bound=bound
    )
    if performed.written is not None and performed.written == (bound or state.identity.record_id):
        fresh = {name: performed.output for name, table in _tables_read(definition).items() if table == work.table}
        state = replace(state, read={**state.read, **fresh})
    return state, called


def described(definition: Definition, state: State, lane: str, position: LanePosition, now: datetime) -> Json:
    """What the timeline shows as the input of a record step that failed; None where its values cannot be worked out."""
    step = definition.by_id[str(position.step)].of(RecordingKind)
    try:
        return step.kind.work(step.config, scope_of(definition, state, now, lane)).to_json()
    except (StepFailure, ExpressionError):
        return None


def _tables_read(definition: Definition) -> dict[str, str]:
    """The tables behind the names `record` and `case`, of those that the definition reads."""
    tables: dict[str, str] = {}
    if "record" in definition.reads and definition.record is not None:
        tables["record"] = definition.record.table
    if "case" in definition.reads:
        tables["case"] = CASES
    return tables


def _concrete(definition: Definition, identity: Identity, work: RecordWork) -> tuple[RecordWork, bool]:
    """The work with its record named, and whether what it writes may become the execution's own record.

    An execution of a definition with `create: true` that was started without a record gets it from the first step
    that writes to the bound table: only then are the values there that the table may require.
    """
    binding = definition.record
    in_own_table = binding is not None and work.table == binding.table
    makes_own = in_own_table and binding is not None and binding.create and identity.record_id is None
    if work.action != "update" or work.id is not None:
        return work, makes_own and work.action in ("create", "upsert")
    if not in_own_table:
        raise StepFailure("RECORD_MISSING", f"say which record of {work.table} is meant: give the step an `id`")
    if identity.record_id is not None:
        return replace(work, id=str(identity.record_id)), False
    if not makes_own:
        raise StepFailure(
            "RECORD_MISSING",
            f"the run has no record of {work.table}: start it with a `recordId`, "
            "or let the definition's `record` block say `create: true`",
        )
    return replace(work, action="create"), True
