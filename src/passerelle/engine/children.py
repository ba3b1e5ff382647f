"""Executions that steps of other executions start: `workflow` steps.

The child's id is made in the parent's transition, so that a start that is repeated after a crash makes one child.
The child's row is written only while the parent waits for it, under a lock on the parent's row: cancelling the parent
cannot miss a child. Each end of a child writes a job that tells the parent, each parent that goes on without
a child a job that ends the child, in the transaction of that change.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

import structlog

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition
from passerelle.definitions.parameters import check_parameters
from passerelle.engine.kinds import Child, ChildKind, StepFailure
from passerelle.engine.lanes import path_of
from passerelle.engine.model import ENDED, OPEN, Identity, Parent, State, Status
from passerelle.engine.positions import LanePosition
from passerelle.engine.signals import Called, Cancelled, ChildBegan, ChildEnded, Retried, Signal
from passerelle.engine.store import AlreadyStarted, Gone, Store
from passerelle.engine.transitions import NotAllowed, scope_of
from passerelle.kit.clock import Clock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.json import JsonObject

if TYPE_CHECKING:
    from passerelle.engine.runner import Run

log = structlog.get_logger("passerelle.engine")

MOST_DEEP: Final = 10
"""Executions above one another. A definition that calls itself in a circle ends here at the latest."""

_TRIES: Final = 10
"""How often a start is repeated because another revision was published at that moment."""


class PublishedDefinition(Protocol):
    """The published revision of a definition."""

    @property
    def definition_id(self) -> UUID: ...
    @property
    def revision_id(self) -> UUID: ...
    @property
    def definition(self) -> Definition: ...


class _Revisions(Protocol):
    async def named(self, workspace_id: UUID, name: str) -> PublishedDefinition | None: ...


class _Runner(Protocol):
    async def start(
        self, definition: Definition, identity: Identity, revision_id: UUID, *, here: bool = True
    ) -> Run | None: ...
    async def apply(self, workspace_id: UUID, execution_id: UUID, signal: Signal, *, here: bool = True) -> Run: ...


class Admission(Protocol):
    """Whether a workspace may have one more execution."""

    async def require_execution(self, workspace_id: UUID) -> None:
        """Raises `PasserelleError` where it may not."""


class Children:
    """Starts and ends them, and tells their parents."""

    def __init__(
        self, store: Store, revisions: _Revisions, clock: Clock, runner: _Runner, admission: Admission | None = None
    ) -> None:
        self._store = store
        self._revisions = revisions
        self._clock = clock
        self._runner = runner
        self._admission = admission
        self._turns: dict[UUID, _Turn] = {}

    async def call(self, definition: Definition, state: State, lane: str, position: LanePosition) -> Signal:
        """Have the child of the step under way, at least once; what the parent has to know then."""
        started_at = self._clock()
        try:
            return await self._have(definition, state, lane, position)
        except (StepFailure, ExpressionError) as failure:
            return Called(lane, str(position.step), position.visit, position.attempt, started_at, failure=failure)

    async def _have(self, definition: Definition, state: State, lane: str, position: LanePosition) -> Signal:
        workspace_id, child = state.identity.workspace_id, position.child
        assert child is not None
        for _ in range(_TRIES):
            loaded = await self._store.load(workspace_id, child)
            if loaded is None:
                await self._start(definition, state, lane, position)
                continue
            if position.revive and loaded.state.status is Status.FAILED:
                await self._runner.apply(workspace_id, child, Retried(loaded.state.revision_id), here=False)
                return ChildBegan(child)
            return ChildBegan(child) if loaded.state.status in OPEN else _ended(loaded.state)
        # The parent goes on without it, so that this means nothing to it.
        return ChildBegan(child)

    async def _start(self, definition: Definition, state: State, lane: str, position: LanePosition) -> None:
        identity = state.identity
        step = definition.by_id[str(position.step)].of(ChildKind)
        wanted = step.kind.child(step.config, scope_of(definition, state, self._clock(), lane))
        parent = Parent(identity.id, path_of(lane, step.id), identity.parent.depth + 1 if identity.parent else 1)
        if parent.depth > MOST_DEEP:
            raise StepFailure(
                "CHILD_TOO_DEEP",
                f"{MOST_DEEP} executions have started one another already: look for definitions that call each other",
            )
        named = await self._revisions.named(identity.workspace_id, wanted.definition)
        if named is None:
            raise StepFailure(
                "CHILD_NOT_FOUND",
                f"the workspace has no published definition `{wanted.definition}`: push it, or name another one",
            )
        spoken = replace(identity, locale=state.language or identity.locale)
        child = _identity(spoken, named, wanted, parent, position.child, self._clock())
        if named.definition.record is not None and _table(named.definition) != _table(definition):
            child = replace(child, record_id=None)  # the parent's record is none of that table
        await self._admit(identity.workspace_id)
        try:
            await self._runner.start(named.definition, child, named.revision_id, here=False)
        except AlreadyStarted:
            return

    async def _admit(self, workspace_id: UUID) -> None:
        if self._admission is None:
            return
        try:
            await self._admission.require_execution(workspace_id)
        except PasserelleError as refusal:
            (problem,) = refusal.problems
            raise StepFailure(problem.code, problem.message) from None

    async def tell(self, workspace_id: UUID, child: UUID) -> None:
        """Let the parent hear how its child ended, and go on with it. Does nothing where the child goes on again."""
        loaded = await self._store.load(workspace_id, child)
        if loaded is None or loaded.state.status in OPEN or (parent := loaded.state.identity.parent) is None:
            return
        run: Run | None = None
        with suppress(Gone):
            async with self._turn(parent.id):
                run = await self._runner.apply(workspace_id, parent.id, _ended(loaded.state))
        await self._store.told(workspace_id, child, loaded.seq)
        if run is not None:
            await run.go_on()

    async def end(self, workspace_id: UUID, child: UUID) -> None:
        """Cancel a child that nobody waits for any more, and with that its own children."""
        loaded = await self._store.load(workspace_id, child)
        if loaded is None or loaded.state.status in ENDED:
            return
        parent = loaded.state.identity.parent
        why = f"the execution {parent.id} that started it went on without it" if parent is not None else None
        try:
            await self._runner.apply(workspace_id, child, Cancelled(why))
        except NotAllowed:
            return  # it has just ended by itself

    async def sweep(self) -> int:
        """Find children that a job should stand for and none does, and do that job. Returns how many there were."""
        stranded = await self._store.stranded_children(timedelta(minutes=1))
        for workspace_id, child, untold in stranded:
            log.error("execution.stranded", execution=str(child), untold=untold)
            await (self.tell(workspace_id, child) if untold else self.end(workspace_id, child))
        return len(stranded)

    @asynccontextmanager
    async def _turn(self, parent: UUID) -> AsyncIterator[None]:
        """Many children of one parent may end at once: within this process they take turns, so that none is in vain."""
        turn = self._turns.setdefault(parent, _Turn())
        turn.waiting += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.waiting -= 1
            if turn.waiting == 0:
                del self._turns[parent]


class _Turn:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


def _ended(state: State) -> ChildEnded:
    return ChildEnded(state.identity.id, state.status, state.result, state.error)


def _identity(
    identity: Identity, named: PublishedDefinition, wanted: Child, parent: Parent, child: UUID | None, now: datetime
) -> Identity:
    """What the child is. Raises `StepFailure` where its definition cannot be run so."""
    definition = named.definition
    if definition.execution_type == "INTERACTIVE":
        raise StepFailure(
            "CHILD_NEEDS_USER",
            f"{definition.name} has steps for an end user, so no step can run it: "
            "let the end user do those steps in the definition that runs it",
        )
    assert child is not None
    return Identity(
        id=child,
        workspace_id=identity.workspace_id,
        definition_id=named.definition_id,
        execution_type=definition.execution_type,
        parameters=_parameters(definition, wanted),
        created_at=now,
        origin="WORKFLOW",
        record_id=identity.record_id,
        locale=identity.locale,
        parent=parent,
    )


def _parameters(definition: Definition, wanted: Child) -> JsonObject:
    optional = {name for name, parameter in definition.parameters.items() if not parameter.required}
    given = {name: value for name, value in wanted.parameters.items() if value is not None or name not in optional}
    values, problems = check_parameters(definition, given)
    if problems:
        raise StepFailure(
            "CHILD_PARAMETERS_INVALID",
            f"{definition.name} cannot be started with these parameters: "
            + "; ".join(problem.message for problem in problems),
            details={"problems": [{"code": item.code, "message": item.message} for item in problems]},
        )
    return values


def _table(definition: Definition) -> str | None:
    return definition.record.table if definition.record is not None else None
