"""Makes executions go on: applies happenings, calls the outside between two commits, hands over to the queue.

The same code runs in the process that got the request, under a lease, and in workers, under a job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.kinds import StepKind
from passerelle.definitions.model import Definition, Step
from passerelle.engine.calling import call_step
from passerelle.engine.children import Children, Named
from passerelle.engine.kinds import Announcement, ChildKind, OutsideKind, RecordingKind, StepFailure
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import (
    OPEN,
    Called,
    Elapsed,
    EventCame,
    Happening,
    Identity,
    Phase,
    Position,
    Retried,
    Started,
    State,
    Status,
    Transition,
)
from passerelle.engine.recording import NoRecords, WorkspaceRecords, described, perform_step, refreshed
from passerelle.engine.screening import NameLists, NoLists
from passerelle.engine.store import Gone, JobPlan, Loaded, Store, Unstorable
from passerelle.engine.transitions import advance, crashed
from passerelle.kit.clock import Clock
from passerelle.kit.jobs import Leases
from passerelle.kit.mail import Mail
from passerelle.kit.outgoing import Outgoing

log = structlog.get_logger("passerelle.engine")

AT_MOST: Final = 50
"""How often a happening is applied anew because others committed first; beyond that something is wrong."""


class Revisions(Protocol):
    """Where compiled definitions come from."""

    async def compiled(self, workspace_id: UUID, revision_id: UUID) -> Definition: ...

    async def named(self, workspace_id: UUID, name: str) -> Named | None:
        """The published revision of the definition of that name."""


class Secrets(Protocol):
    """Where `${secrets.…}` come from."""

    async def values(self, workspace_id: UUID) -> Mapping[str, str]:
        """By name. Raises `StepFailure` where they cannot be read."""


_CallKey = tuple[str, str | None, int, int]
"""Lane, step, visit and attempt."""


class _Lost(Exception):  # noqa: N818
    """Somebody else committed first: what was done in this transaction is rolled back."""


class Runner:
    """Everything that moves executions in this process."""

    def __init__(
        self,
        store: Store,
        revisions: Revisions,
        secrets: Secrets,
        outgoing: Outgoing,
        leases: Leases,
        clock: Clock,
        lists: NameLists = NoLists(),  # noqa: B008 - it has no state
        mail: Mail | None = None,
        records: WorkspaceRecords = NoRecords(),  # noqa: B008 - as above
    ) -> None:
        self._store = store
        self._revisions = revisions
        self._secrets = secrets
        self._outgoing = outgoing
        self._leases = leases
        self._clock = clock
        self._lists = lists
        self._mail = mail
        self._records = records
        self.children = Children(store, revisions, clock, self)

    async def start(
        self, definition: Definition, identity: Identity, revision_id: UUID, *, here: bool = True
    ) -> Run | None:
        """Begin an execution: everything up to the first boundary is one commit.

        It goes on in this process, or, unless `here`, in any worker.
        None if `revision_id` is not the published one any more, or the parent does not wait for it any more.
        Raises `AlreadyStarted`.
        """
        fresh = await refreshed(self._records, definition, State(identity, revision_id))
        transition = advance(definition, fresh, Started(), self._clock())
        try:
            loaded = await self._create(definition, transition, here=here)
        except Unstorable as error:
            loaded = await self._create(definition, _broken(definition, fresh, error), here=here)
        if loaded is None:
            return None
        return self._run(definition, loaded, owns_job=here and transition.state.runnable)

    async def _create(self, definition: Definition, transition: Transition, *, here: bool) -> Loaded | None:
        plan = self._plan(transition.state, None, None)
        if transition.state.runnable and not here:
            plan = JobPlan(delay=timedelta())
        return await self._store.create(definition, transition, self._clock(), plan)

    async def apply(self, workspace_id: UUID, execution_id: UUID, happening: Happening) -> Run:
        """Let something happen to an execution, and go on from there under a lease.

        Raises `Gone`, or what `advance` refuses with.
        """
        before = await self._load(workspace_id, execution_id)
        loaded, definition = await self._settle(before, happening, owned=None)
        mine = loaded.state.runnable and loaded.job_id != before.job_id
        return self._run(definition, loaded, owns_job=mine)

    async def look_closely(self, workspace_id: UUID, execution_id: UUID) -> tuple[Loaded, Definition]:
        """As `look`, with what tells one commit from the next. Raises `Gone`."""
        loaded = await self._load(workspace_id, execution_id)
        return loaded, await self._revisions.compiled(workspace_id, loaded.state.revision_id)

    async def look(self, workspace_id: UUID, execution_id: UUID) -> tuple[State, Definition]:
        """An execution as it stands now, with its definition. Raises `Gone`."""
        loaded, definition = await self.look_closely(workspace_id, execution_id)
        return loaded.state, definition

    async def resume(self, workspace_id: UUID, execution_id: UUID, job_id: int) -> None:
        """What a worker does with a job: whatever is to be done for this execution now."""
        loaded = await self._store.load(workspace_id, execution_id)
        if loaded is None or loaded.job_id != job_id:
            return  # another job stands for it
        definition = await self._definition(loaded)
        if not loaded.state.runnable:
            loaded, definition = await self._settle(loaded, Elapsed(), owned=job_id)
        await Run(self, definition, loaded, owned=job_id).go_on()

    async def sweep(self) -> int:
        """Find runnable executions that no job stands for, and give them one. Returns how many there were."""
        stranded = await self._store.stranded(timedelta(minutes=1))
        for workspace_id, execution_id, seq in stranded:
            mended = await self._store.mend(workspace_id, execution_id, seq)
            log.error("execution.stranded", execution=str(execution_id), mended=mended)
        return len(stranded) + await self.children.sweep()

    def _run(self, definition: Definition, loaded: Loaded, *, owns_job: bool) -> Run:
        run = Run(self, definition, loaded, owned=loaded.job_id if owns_job else None, leased=owns_job)
        if owns_job and loaded.job_id is not None:
            self._leases.hold(loaded.job_id)
        return run

    async def _load(self, workspace_id: UUID, execution_id: UUID) -> Loaded:
        loaded = await self._store.load(workspace_id, execution_id)
        if loaded is None:
            raise Gone(str(execution_id))
        return loaded

    async def _definition(self, loaded: Loaded, happening: Happening | None = None) -> Definition:
        revision_id = happening.revision_id if isinstance(happening, Retried) else loaded.state.revision_id
        return await self._revisions.compiled(loaded.state.identity.workspace_id, revision_id)

    async def _settle(self, loaded: Loaded, happening: Happening, *, owned: int | None) -> tuple[Loaded, Definition]:
        """Apply `happening` to the newest state until it is written or means nothing any more.

        The second value is the definition that the execution stands on now: others may move it to another revision.
        """
        identity = loaded.state.identity
        for _ in range(AT_MOST):
            now = self._clock()
            definition = await self._definition(loaded, happening)
            state = await refreshed(self._records, definition, loaded.state)
            transition = advance(definition, state, happening, now)
            if transition.state == state and not transition.runs and not transition.events:
                return loaded, definition
            written = await self._commit(definition, loaded, transition, happening, now, owned)
            if written is not None:
                return written, definition
            loaded = await self._load(identity.workspace_id, identity.id)
        raise RuntimeError(f"execution {identity.id}: others always committed first")

    async def _commit(
        self, definition: Definition, loaded: Loaded, transition: Transition, happening: Happening,
        now: datetime, owned: int | None,
    ) -> Loaded | None:  # fmt: skip
        came = happening.event if isinstance(happening, EventCame) else None
        plan = self._plan(transition.state, loaded, owned)
        try:
            return await self._store.commit(definition, loaded, transition, now, plan, came)
        except Unstorable as error:
            broken = _broken(definition, loaded.state, error)
            plan = self._plan(broken.state, loaded, owned)
            return await self._store.commit(definition, loaded, broken, now, plan)

    async def _record(self, loaded: Loaded, lane: str, *, owned: int | None) -> tuple[Loaded, Definition]:
        """Do what a lane's record step says, and write what follows, until that is written or others have done it."""
        identity, position = loaded.state.identity, loaded.state.lanes[lane]
        for _ in range(AT_MOST):
            definition = await self._definition(loaded)
            if loaded.state.status not in OPEN or loaded.state.lanes.get(lane) != position:
                return loaded, definition
            try:
                async with asyncio.timeout(_seconds(definition.by_id[str(position.step)])):
                    return await self._recorded(definition, loaded, lane, position, owned), definition
            except (_Lost, asyncpg.DeadlockDetectedError):
                loaded = await self._load(identity.workspace_id, identity.id)
            except Unstorable as error:
                broken = _broken(definition, loaded.state, error)
                plan = self._plan(broken.state, loaded, owned)
                await self._store.commit(definition, loaded, broken, self._clock(), plan)
                loaded = await self._load(identity.workspace_id, identity.id)
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
                return await self._settle(loaded, failed, owned=owned)
        raise RuntimeError(f"execution {identity.id}: others always committed first")

    async def _recorded(
        self, definition: Definition, loaded: Loaded, lane: str, position: Position, owned: int | None
    ) -> Loaded:
        """One transaction: the change of the record and the fenced commit. Raises `_Lost`, and what the work raises."""
        async with self._store.transaction(loaded.state.identity.workspace_id) as connection:
            now = self._clock()
            state = await refreshed(self._records, definition, loaded.state, connection)
            state, called = await perform_step(self._records, connection, definition, state, lane, position, now)
            transition = advance(definition, state, called, now)
            plan = self._plan(transition.state, loaded, owned)
            written = await self._store.commit(definition, loaded, transition, now, plan, connection=connection)
            if written is None:
                raise _Lost
        return written

    def _plan(self, state: State, before: Loaded | None, owned: int | None) -> JobPlan:
        """A runnable execution has a job that is due, a resting one a job at its time, others none.

        One that is already under way keeps its job, whoever works on it: `owned` is the job of this process.
        """
        current = before.job_id if before is not None else None
        if state.runnable:
            if before is not None and current is not None and (before.state.runnable or current == owned):
                return JobPlan(keep=current)
            return JobPlan(delay=self._leases.LENGTH, drop=current)
        wake_at = state.wake_at
        if wake_at is None:
            return JobPlan(drop=current)
        return JobPlan(delay=max(wake_at - self._clock(), timedelta(0)), drop=current)

    async def _call(self, definition: Definition, state: State, lane: str, position: Position) -> Happening:
        if position.child is not None:
            return await self.children.call(definition, state, lane, position)
        try:
            secrets = await self._secrets.values(state.identity.workspace_id)
        except StepFailure as failure:
            return Called(lane, str(position.step), position.visit, position.attempt, self._clock(), failure=failure)
        called = await call_step(
            definition,
            state,
            lane,
            position,
            secrets=secrets,
            outgoing=self._outgoing,
            clock=self._clock,
            lists=self._lists,
            mail=self._mail,
        )
        if isinstance(called.failure, StepFailure) and called.failure.code == "STEP_CRASHED":
            log.error("step.crashed", step=position.step, exc_info=called.failure.__cause__)
        return called


class Run:
    """An execution under way in this process."""

    def __init__(
        self,
        runner: Runner,
        definition: Definition,
        loaded: Loaded,
        *,
        owned: int | None,
        leased: bool = False,
    ) -> None:
        self._runner = runner
        self._loaded = loaded
        self._owned = owned
        self._leased = leased
        self.definition = definition

    @property
    def state(self) -> State:
        """The newest state that this process knows."""
        return self._loaded.state

    @property
    def seq(self) -> int:
        """The number of the commit that wrote it."""
        return self._loaded.seq

    async def go_on(self) -> State:
        """Work until the execution rests, ends, or is taken over by somebody else."""
        calls: dict[_CallKey, asyncio.Task[Happening]] = {}
        try:
            while self._owned is not None and self.state.runnable and self._loaded.job_id == self._owned:
                self._start_calls(calls)
                if (lane := self._recording()) is not None:
                    self._loaded, self.definition = await self._runner._record(self._loaded, lane, owned=self._owned)
                else:
                    happening = await self._next(calls)
                    self._loaded, self.definition = await self._runner._settle(
                        self._loaded, happening, owned=self._owned
                    )
                await asyncio.sleep(0)
        finally:
            for call in calls.values():
                call.cancel()
            if self._leased and self._owned is not None:
                self._runner._leases.release(self._owned)
        return self.state

    def _start_calls(self, calls: dict[_CallKey, asyncio.Task[Happening]]) -> None:
        """Call for every lane that is at a call; give up calls that no lane waits for any more."""
        wanted = {
            (lane, position.step, position.visit, position.attempt): (lane, position)
            for lane, position in self.state.lanes.items()
            if position.phase is Phase.CALLING and isinstance(self._kind(position), OutsideKind | ChildKind)
        }
        for key in calls.keys() - wanted.keys():
            calls.pop(key).cancel()
        for key in wanted.keys() - calls.keys():
            calls[key] = asyncio.create_task(self._runner._call(self.definition, self.state, *wanted[key]))

    def _recording(self) -> str | None:
        """A lane that is at a record step."""
        for lane, position in self.state.lanes.items():
            if position.phase is Phase.CALLING and isinstance(self._kind(position), RecordingKind):
                return lane
        return None

    def _kind(self, position: Position) -> StepKind:
        return self.definition.by_id[str(position.step)].kind

    async def _next(self, calls: dict[_CallKey, asyncio.Task[Happening]]) -> Happening:
        """What happens next: a call comes back, or the time of another lane has come."""
        if any(position.phase is Phase.READY for position in self.state.lanes.values()):
            return Elapsed()
        wakes = [position.wakes for position in self.state.lanes.values() if position.wakes is not None]
        wait = (min(wakes) - self._runner._clock()).total_seconds() if wakes else None
        done, _ = await asyncio.wait(calls.values(), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return Elapsed()
        key = next(key for key, call in calls.items() if call in done)
        return calls.pop(key).result()


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


def _broken(definition: Definition, state: State, error: Unstorable) -> Transition:
    """The execution fails where it stands, because what came of it cannot be stored."""
    lanes = state.lanes or {ROOT: Position(definition.steps[0].id)}
    failed = {name: replace(position, phase=Phase.FAILED) for name, position in lanes.items()}
    facts = {"code": "VALUE_NOT_STORABLE", "message": str(error)}
    status = Status.FAILED if state.status in OPEN else state.status
    return Transition(
        replace(state, status=status, lanes=failed, error=facts),
        events=(Announcement("workflow.failed"), Announcement("workflow.status_changed")),
    )
