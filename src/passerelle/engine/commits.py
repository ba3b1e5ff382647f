"""Writes what happens to executions: applies a signal to the newest state, and commits what follows."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg
import structlog

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition, Step
from passerelle.engine.children import PublishedDefinition
from passerelle.engine.heavy_transitions import advance_elsewhere
from passerelle.engine.kinds import Announcement, StepFailure
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import OPEN, Identity, State, Status, Transition
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.recording import WorkspaceRecords, described, perform_step, refreshed
from passerelle.engine.signals import Called, EventCame, Retried, Signal, Started
from passerelle.engine.statements import JobPlan
from passerelle.engine.store import Gone, LoadedExecution, Store, Unstorable
from passerelle.engine.transitions import advance, crashed
from passerelle.kit.clock import Clock
from passerelle.kit.jobs import Leases
from passerelle.kit.work import (
    EXECUTION_STEPS,
    HERE_STEPS,
    KEPT_BYTES,
    TooCostlyError,
    TooHeavyError,
    TooMuchKeptError,
    WorkSpentError,
)
from passerelle.kit.workshop import WorkKilledError, Workshop

log = structlog.get_logger("passerelle.engine")

NOT_STORABLE: Final = "VALUE_NOT_STORABLE"
EXECUTION_TOO_COSTLY: Final = "EXECUTION_TOO_COSTLY"
EXECUTION_TOO_HEAVY: Final = "EXECUTION_TOO_HEAVY"
EXECUTION_TOO_LARGE: Final = "EXECUTION_TOO_LARGE"
EXECUTION_SET_ASIDE: Final = "EXECUTION_SET_ASIDE"
TOO_OFTEN_LOST: Final = 2
"""Processes that died with an execution at the same place, before no other tries."""
_TOO_COSTLY: Final = (
    f"its expressions have taken {EXECUTION_STEPS:,} steps of work in all: "
    "let them do less for each item, or start one execution for each part of the list"
)
_TOO_LARGE: Final = (
    f"the outputs of its steps are more than {KEPT_BYTES:,} bytes together: keep less of answers, "
    "or start one execution for each part of the list"
)
_TOO_HEAVY: Final = "a step was too heavy to be worked out"
_SET_ASIDE: Final = (
    f"{TOO_OFTEN_LOST} processes died, or were cut off, while they worked on it at this place: "
    "it is tried again only by hand"
)

AT_MOST: Final = 50
"""How often a signal is applied anew because others committed first; beyond that something is wrong."""


class CompiledRevisions(Protocol):
    """Where compiled definitions come from."""

    async def compiled(self, workspace_id: UUID, revision_id: UUID) -> Definition: ...

    async def named(self, workspace_id: UUID, name: str) -> PublishedDefinition | None:
        """The published revision of the definition of that name."""


class ExecutionBusyError(Exception):
    """What happened to an execution could not be written: other processes always committed first."""


class _Lost(Exception):  # noqa: N818
    """Somebody else committed first: what was done in this transaction is rolled back."""


class Commits:
    """Every commit of an execution that exists, or begins to."""

    def __init__(
        self,
        store: Store,
        revisions: CompiledRevisions,
        records: WorkspaceRecords,
        clock: Clock,
        workshop: Workshop | None,
    ) -> None:
        self._store = store
        self._revisions = revisions
        self._records = records
        self._clock = clock
        self._workshop = workshop
        # What many tell one execution at once is written one after the other here: each would have to begin anew for
        # every other one that was faster.
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def create(
        self, definition: Definition, identity: Identity, revision_id: UUID, *, here: bool
    ) -> LoadedExecution | None:
        """Begin an execution. As `Runner.start`."""
        fresh = await refreshed(self._records, definition, State(identity, revision_id))
        transition = await self._advance(definition, fresh, Started(), self._clock())
        try:
            return await self._create(definition, transition, here=here)
        except Unstorable as error:
            return await self._create(definition, _broken(definition, fresh, NOT_STORABLE, str(error)), here=here)

    async def _create(self, definition: Definition, transition: Transition, *, here: bool) -> LoadedExecution | None:
        plan = self._plan(transition.state, None, None)
        if not here:
            transition, plan = _left_to_others(definition, transition, plan)
        return await self._store.create(definition, transition, self._clock(), plan)

    async def set_aside(self, definition: Definition, loaded: LoadedExecution, job_id: int) -> None:
        """Fail an execution with which processes die, so that it does not end the next one."""
        log.error("execution.set_aside", execution=str(loaded.state.identity.id), lost=TOO_OFTEN_LOST)
        broken = _broken(definition, loaded.state, EXECUTION_SET_ASIDE, _SET_ASIDE)
        await self._store.commit(definition, loaded, broken, self._clock(), self._plan(broken.state, loaded, job_id))

    async def load(self, workspace_id: UUID, execution_id: UUID, beside: str | None = None) -> LoadedExecution:
        """The newest state, and what is `beside` it (`Store.load`). Raises `Gone`."""
        loaded = await self._store.load(workspace_id, execution_id, beside)
        if loaded is None:
            raise Gone(str(execution_id))
        return loaded

    async def definition(self, loaded: LoadedExecution, signal: Signal | None = None) -> Definition:
        """What the execution runs, or will run once `signal` has come to pass."""
        revision_id = signal.revision_id if isinstance(signal, Retried) else loaded.state.revision_id
        return await self._revisions.compiled(loaded.state.identity.workspace_id, revision_id)

    async def settle(
        self, loaded: LoadedExecution, signal: Signal, *, owned: int | None, here: bool = True
    ) -> tuple[LoadedExecution, Definition]:
        """Apply `signal` to the newest state until it is written or means nothing any more.

        here   whether this process goes on with it, should it be new work; otherwise any worker does
        The second value is the definition that the execution stands on now: others may move it to another revision.
        Raises `ExecutionBusyError`.
        """
        turn = self._turns.setdefault(loaded.state.identity.id, asyncio.Lock())
        is_crowded = turn.locked()
        async with turn:
            if is_crowded:
                loaded = await self.load(loaded.state.identity.workspace_id, loaded.state.identity.id)
            return await self._settled(loaded, signal, owned=owned, here=here)

    async def _settled(
        self, loaded: LoadedExecution, signal: Signal, *, owned: int | None, here: bool
    ) -> tuple[LoadedExecution, Definition]:
        identity = loaded.state.identity
        for _ in range(AT_MOST):
            now = self._clock()
            definition = await self.definition(loaded, signal)
            state = await refreshed(self._records, definition, loaded.state)
            transition = await self._advance(definition, state, signal, now)
            if transition.state == state and not transition.runs and not transition.events:
                return loaded, definition
            written = await self._commit(definition, loaded, transition, signal, now, owned, here=here)
            if written is not None:
                return written, definition
            loaded = await self.load(identity.workspace_id, identity.id)
        raise ExecutionBusyError(f"execution {identity.id}: others always committed first")

    async def _commit(
        self, definition: Definition, loaded: LoadedExecution, transition: Transition, signal: Signal,
        now: datetime, owned: int | None, *, here: bool,
    ) -> LoadedExecution | None:  # fmt: skip
        came = signal.event if isinstance(signal, EventCame) else None
        plan = self._plan(transition.state, loaded, owned)
        if not here:
            transition, plan = _left_to_others(definition, transition, plan)
        try:
            return await self._store.commit(definition, loaded, transition, now, plan, came)
        except Unstorable as error:
            broken = _broken(definition, loaded.state, NOT_STORABLE, str(error))
            plan = self._plan(broken.state, loaded, owned)
            return await self._store.commit(definition, loaded, broken, now, plan)

    async def record(
        self, loaded: LoadedExecution, lane: str, *, owned: int | None
    ) -> tuple[LoadedExecution, Definition]:
        """Do what a lane's record step says, and write what follows, until that is written or others have done it."""
        identity, position = loaded.state.identity, loaded.state.lanes[lane]
        for _ in range(AT_MOST):
            definition = await self.definition(loaded)
            if loaded.state.status not in OPEN or loaded.state.lanes.get(lane) != position:
                return loaded, definition
            try:
                async with asyncio.timeout(_seconds(definition.by_id[str(position.step)])):
                    return await self._recorded(definition, loaded, lane, position, owned), definition
            except (_Lost, asyncpg.DeadlockDetectedError):
                loaded = await self.load(identity.workspace_id, identity.id)
            except Unstorable as error:
                broken = _broken(definition, loaded.state, NOT_STORABLE, str(error))
                plan = self._plan(broken.state, loaded, owned)
                await self._store.commit(definition, loaded, broken, self._clock(), plan)
                loaded = await self.load(identity.workspace_id, identity.id)
            except Exception as error:
                failure = _failure(error)
                if failure is None:
                    raise
                if isinstance(failure, StepFailure) and failure.code == "STEP_CRASHED":
                    log.error("step.crashed", step=position.step, exc_info=error)
                said = described(definition, loaded.state, lane, position, self._clock())
                failed = Called(
                    lane, str(position.step), position.visit, position.attempt, self._clock(), said, failure=failure
                )
                return await self.settle(loaded, failed, owned=owned)
        raise ExecutionBusyError(f"execution {identity.id}: others always committed first")

    async def _recorded(
        self, definition: Definition, loaded: LoadedExecution, lane: str, position: LanePosition, owned: int | None
    ) -> LoadedExecution:
        """One transaction: the change of the record and the fenced commit. Raises `_Lost`, and what the work raises."""
        async with self._store.transaction(loaded.state.identity.workspace_id) as connection:
            now = self._clock()
            state = await refreshed(self._records, definition, loaded.state, connection)
            state, called = await perform_step(self._records, connection, definition, state, lane, position, now)
            transition = _without_delay(definition, state, called, now)
            plan = self._plan(transition.state, loaded, owned)
            written = await self._store.commit(definition, loaded, transition, now, plan, connection=connection)
            if written is None:
                raise _Lost
        return written

    async def _advance(self, definition: Definition, state: State, signal: Signal, now: datetime) -> Transition:
        """As `advance`; what would hold up others is worked out in the workshop, and what costs too much fails."""
        try:
            try:
                return advance(definition, state, signal, now, here=HERE_STEPS)
            except TooHeavyError:
                if self._workshop is None:
                    return advance(definition, state, signal, now)
                return await advance_elsewhere(self._workshop, definition, state, signal, now)
        except (WorkSpentError, TooCostlyError):
            return _broken(definition, state, EXECUTION_TOO_COSTLY, _TOO_COSTLY)
        except TooMuchKeptError:
            return _broken(definition, state, EXECUTION_TOO_LARGE, _TOO_LARGE)
        except WorkKilledError as error:
            return _broken(definition, state, EXECUTION_TOO_HEAVY, f"{_TOO_HEAVY}: it {error}")

    def _plan(self, state: State, before: LoadedExecution | None, owned: int | None) -> JobPlan:
        """A runnable execution has a job that is due, a resting one a job at its time, others none.

        One that is already under way keeps its job, whoever works on it: `owned` is the job of this process.
        """
        current = before.job_id if before is not None else None
        if state.runnable:
            if before is not None and current is not None and (before.state.runnable or current == owned):
                return JobPlan(keep=current)
            return JobPlan(delay=Leases.LENGTH, drop=current)
        wake_at = state.wake_at
        if wake_at is None:
            return JobPlan(drop=current)
        return JobPlan(delay=max(wake_at - self._clock(), timedelta(0)), drop=current)


def _left_to_others(definition: Definition, transition: Transition, plan: JobPlan) -> tuple[Transition, JobPlan]:
    """New work is due at once, for any worker."""
    if not transition.state.runnable or plan.delay is None:
        return transition, plan
    return replace(transition, state=transition.state.for_others(definition)), replace(plan, delay=timedelta())


def _seconds(step: Step) -> float | None:
    return step.timeout.total_seconds() if step.timeout is not None else None


def _failure(error: Exception) -> StepFailure | ExpressionError | None:
    """What went wrong with work on records as the step's failure; None where the database itself is away."""
    if isinstance(error, StepFailure | ExpressionError):
        return error
    if isinstance(error, TimeoutError | asyncpg.QueryCanceledError):
        return StepFailure("STEP_TIMEOUT", "the work on records was not over in time", reason="timeout")
    if isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.PostgresConnectionError):
        return None
    if isinstance(error, asyncpg.OperatorInterventionError | asyncpg.InsufficientResourcesError):
        return None
    return crashed("record", error)


def _without_delay(definition: Definition, state: State, called: Called, now: datetime) -> Transition:
    """As `advance`, inside of a transaction: steps that take longer are left for after it."""
    try:
        return advance(definition, state, called, now, here=HERE_STEPS)
    except TooHeavyError:
        return advance(definition, state, called, now, steps_at_once=0)
    except (WorkSpentError, TooCostlyError):
        return _broken(definition, state, EXECUTION_TOO_COSTLY, _TOO_COSTLY)
    except TooMuchKeptError:
        return _broken(definition, state, EXECUTION_TOO_LARGE, _TOO_LARGE)


def _broken(definition: Definition, state: State, code: str, message: str) -> Transition:
    """The execution fails where it stands, whatever its steps say of errors: what came of it cannot be kept."""
    lanes = state.lanes or {ROOT: LanePosition(definition.steps[0].id)}
    failed = {name: replace(position, phase=Phase.FAILED) for name, position in lanes.items()}
    facts = {"code": code, "message": message}
    status = Status.FAILED if state.status in OPEN else state.status
    return Transition(
        replace(state, status=status, lanes=failed, error=facts),
        events=(Announcement("workflow.failed"), Announcement("workflow.status_changed")),
    )
