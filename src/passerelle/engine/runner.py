"""Makes executions go on: applies signals, calls the outside between two commits, hands over to the queue.

The same code runs in the process that got the request, under a lease, and in workers, under a job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog

from passerelle.definitions.kinds import StepKind
from passerelle.definitions.model import Definition
from passerelle.engine.calling import Calls, SecretValues
from passerelle.engine.checks import CheckResult, OutsideCheck
from passerelle.engine.children import Admission, Children
from passerelle.engine.commits import TOO_OFTEN_LOST, Commits, CompiledRevisions
from passerelle.engine.kinds import ChildKind, OutsideKind, RecordingKind
from passerelle.engine.model import Identity, State
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.recording import NoRecords, WorkspaceRecords
from passerelle.engine.screening import NameLists, NoLists
from passerelle.engine.signals import Elapsed, Signal, TakenOver
from passerelle.engine.store import LoadedExecution, Store
from passerelle.kit import tracing
from passerelle.kit.clock import Clock
from passerelle.kit.grants import by_itself
from passerelle.kit.jobs import Leases, WaitingJobs
from passerelle.kit.json import JsonObject
from passerelle.kit.mail import Mail
from passerelle.kit.outgoing import Outgoing
from passerelle.kit.workshop import Workshop

log = structlog.get_logger("passerelle.engine")

_CallKey = tuple[str, str | None, int, int]
"""Lane, step, visit and attempt."""
Call = Callable[[Definition, State, str, LanePosition], Awaitable[Signal]]
"""Makes the call at which a lane is."""


class Runner:
    """Everything that moves executions in this process."""

    def __init__(
        self,
        store: Store,
        revisions: CompiledRevisions,
        secrets: SecretValues,
        outgoing: Outgoing,
        leases: Leases,
        clock: Clock,
        lists: NameLists = NoLists(),  # noqa: B008 - it has no state
        mail: Mail | None = None,
        records: WorkspaceRecords = NoRecords(),  # noqa: B008 - as above
        workshop: Workshop | None = None,
        admission: Admission | None = None,
        outside: WaitingJobs | None = None,
    ) -> None:
        self._store = store
        self._revisions = revisions
        self._leases = leases
        self._clock = clock
        self._outside = outside or WaitingJobs()
        self._commits = Commits(store, revisions, records, clock, workshop)
        self._calls = Calls(secrets, outgoing, clock, lists, mail)
        self.children = Children(store, revisions, clock, self, admission)

    async def start(
        self, definition: Definition, identity: Identity, revision_id: UUID, *, here: bool = True
    ) -> Run | None:
        """Begin an execution: everything up to the first boundary is one commit.

        It goes on in this process, or, unless `here`, in any worker.
        None if `revision_id` is not the published one any more, or the parent does not wait for it any more.
        Raises `AlreadyStarted`.
        """
        with by_itself():
            loaded = await self._commits.create(definition, identity, revision_id, here=here)
        if loaded is None:
            return None
        return self._leased(definition, loaded, owns_job=here and loaded.state.runnable)

    async def ask(self, workspace_id: UUID, check: OutsideCheck, inputs: JsonObject, seconds: float) -> CheckResult:
        """As `Calls.ask`."""
        return await self._calls.ask(workspace_id, check, inputs, seconds)

    async def apply(
        self,
        workspace_id: UUID,
        execution_id: UUID,
        signal: Signal,
        before: LoadedExecution | None = None,
        *,
        here: bool = True,
    ) -> Run:
        """Let something happen to an execution, and go on from there under a lease; unless `here`, in any worker.

        before   how it was just seen to stand; where it has gone on since then, it is looked at anew
        Raises `Gone`, or what `advance` refuses with.
        """
        with by_itself():
            before = before or await self._commits.load(workspace_id, execution_id)
            loaded, definition = await self._commits.settle(before, signal, owned=None, here=here)
        mine = here and loaded.state.runnable and loaded.job_id != before.job_id
        return self._leased(definition, loaded, owns_job=mine)

    async def look_closely(
        self, workspace_id: UUID, execution_id: UUID, beside: str | None = None
    ) -> tuple[LoadedExecution, Definition]:
        """As `look`, with what tells one commit from the next, and what is read `beside` it. Raises `Gone`."""
        loaded = await self._commits.load(workspace_id, execution_id, beside)
        return loaded, await self._revisions.compiled(workspace_id, loaded.state.revision_id)

    async def look(self, workspace_id: UUID, execution_id: UUID) -> tuple[State, Definition]:
        """An execution as it stands now, with its definition. Raises `Gone`."""
        loaded, definition = await self.look_closely(workspace_id, execution_id)
        return loaded.state, definition

    async def resume(self, workspace_id: UUID, execution_id: UUID, job_id: int, *, lost: int = 0) -> None:
        """What a worker does with a job: whatever is to be done for this execution now.

        lost   how often a process died with the job; at the same place for the second time the execution is set aside
        """
        loaded = await self._store.load(workspace_id, execution_id)
        if loaded is None or loaded.job_id != job_id:
            return  # another job stands for it
        # Taking it over is a commit, too, and no progress.
        place = loaded.seq - loaded.state.taken_over
        poisoned = lost > 0 and await self._store.lost(job_id, place) >= TOO_OFTEN_LOST
        rested = not loaded.state.runnable
        loaded, definition = await self._commits.settle(loaded, TakenOver(), owned=job_id)
        if poisoned:
            await self._commits.set_aside(definition, loaded, job_id)
            return
        if rested:
            loaded, definition = await self._commits.settle(loaded, Elapsed(), owned=job_id)
        await self.under_way(definition, loaded, owned=job_id).go_on()

    async def sweep(self) -> int:
        """Find runnable executions that no job stands for, and give them one. Returns how many there were."""
        stranded = await self._store.stranded(timedelta(minutes=1))
        for workspace_id, execution_id, seq in stranded:
            mended = await self._store.mend(workspace_id, execution_id, seq)
            log.error("execution.stranded", execution=str(execution_id), mended=mended)
        return len(stranded) + await self.children.sweep()

    def under_way(self, definition: Definition, loaded: LoadedExecution, *, owned: int | None) -> Run:
        """An execution that this process works on while `owned` is its job. None: it does not."""
        return Run(self._commits, self.call, self._outside, self._clock, definition, loaded, owned=owned)

    def _leased(self, definition: Definition, loaded: LoadedExecution, *, owns_job: bool) -> Run:
        if not owns_job or loaded.job_id is None:
            return self.under_way(definition, loaded, owned=None)
        self._leases.hold(loaded.job_id)
        held = self._leases
        return Run(
            self._commits, self.call, self._outside, self._clock, definition, loaded, owned=loaded.job_id, held=held
        )

    async def call(self, definition: Definition, state: State, lane: str, position: LanePosition) -> Signal:
        """Make the call at which a lane is, or have the execution that its step starts under way."""
        if not tracing.is_on():
            return await self._call(definition, state, lane, position)
        kind = definition.by_id[str(position.step)].kind.name
        facts = {"passerelle.step": str(position.step), "passerelle.execution": str(state.identity.id)}
        with tracing.span(f"step {kind}", facts=facts):
            return await self._call(definition, state, lane, position)

    async def _call(self, definition: Definition, state: State, lane: str, position: LanePosition) -> Signal:
        if position.child is not None:
            return await self.children.call(definition, state, lane, position)
        return await self._calls.make(definition, state, lane, position)

    async def trace(self, workspace_id: UUID, execution_id: UUID) -> str | None:
        """As `Store.trace`."""
        return await self._store.trace(workspace_id, execution_id)


class Run:
    """An execution under way in this process."""

    def __init__(
        self,
        commits: Commits,
        call: Call,
        outside: WaitingJobs,
        clock: Clock,
        definition: Definition,
        loaded: LoadedExecution,
        *,
        owned: int | None,
        held: Leases | None = None,
    ) -> None:
        self._commits = commits
        self._call = call
        self._outside = outside
        self._clock = clock
        self._loaded = loaded
        self._owned = owned
        self._held = held
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
        with by_itself():
            return await self._go_on()

    async def _go_on(self) -> State:
        calls: dict[_CallKey, asyncio.Future[Signal]] = {}
        try:
            while self._owned is not None and self.state.runnable and self._loaded.job_id == self._owned:
                self._start_calls(calls)
                if (lane := self._recording()) is not None:
                    self._loaded, self.definition = await self._commits.record(self._loaded, lane, owned=self._owned)
                else:
                    signal = await self._next(calls)
                    self._loaded, self.definition = await self._commits.settle(self._loaded, signal, owned=self._owned)
                await asyncio.sleep(0)
        finally:
            for call in calls.values():
                call.cancel()
            if self._held is not None and self._owned is not None:
                self._held.release(self._owned)
        return self.state

    def _start_calls(self, calls: dict[_CallKey, asyncio.Future[Signal]]) -> None:
        """Call for every lane that is at a call; give up calls that no lane waits for any more."""
        wanted = {
            (lane, position.step, position.visit, position.attempt): (lane, position)
            for lane, position in self.state.lanes.items()
            if position.phase is Phase.CALLING and isinstance(self._kind(position), OutsideKind | ChildKind)
        }
        for key in calls.keys() - wanted.keys():
            calls.pop(key).cancel()
        for key in wanted.keys() - calls.keys():
            calls[key] = asyncio.ensure_future(self._call(self.definition, self.state, *wanted[key]))

    def _recording(self) -> str | None:
        """A lane that is at a record step."""
        for lane, position in self.state.lanes.items():
            if position.phase is Phase.CALLING and isinstance(self._kind(position), RecordingKind):
                return lane
        return None

    def _kind(self, position: LanePosition) -> StepKind:
        return self.definition.by_id[str(position.step)].kind

    async def _next(self, calls: dict[_CallKey, asyncio.Future[Signal]]) -> Signal:
        """What happens next: a call comes back, or the time of another lane has come."""
        if any(position.phase is Phase.READY for position in self.state.lanes.values()):
            return Elapsed()
        wakes = [position.wakes for position in self.state.lanes.values() if position.wakes is not None]
        wait = (min(wakes) - self._clock()).total_seconds() if wakes else None
        with self._outside.waiting(self._owned):
            done, _ = await asyncio.wait(calls.values(), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return Elapsed()
        key = next(key for key, call in calls.items() if call in done)
        return calls.pop(key).result()
