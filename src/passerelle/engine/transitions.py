"""Every rule of flow, in one pure function: `advance`.

It does no I/O. Time comes in as `now`; expressions and pure steps are evaluated on the way. Whatever happens to
an execution (it starts, a call returns, time passes, an event comes) goes through here, so that a crash between
two commits can only repeat a call to the outside, never change what follows from it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.model import Definition, Step
from passerelle.definitions.places import place_of
from passerelle.engine.kinds import (
    Announcement,
    BranchingKind,
    ChildKind,
    Done,
    Ended,
    Kept,
    OutsideKind,
    PureKind,
    RecordingKind,
    Refusal,
    StepFailure,
    WaitingKind,
)
from passerelle.engine.lanes import ROOT, Key, inner_lane, path_of, place_of_lane
from passerelle.engine.model import (
    ENDED,
    MOVES,
    OPEN,
    Answered,
    Called,
    Cancelled,
    ChildBegan,
    ChildEnded,
    Elapsed,
    EventCame,
    Happening,
    Moved,
    Notice,
    Phase,
    Position,
    Received,
    Retried,
    Started,
    State,
    Status,
    StepRun,
    Submitted,
    Transition,
    WentBack,
)
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.clock import iso
from passerelle.kit.ids import derived_id
from passerelle.kit.json import Json, JsonObject

LONGEST_TRAIL: Final = 500
"""Steps that an end user can go back over; more are forgotten."""
PURE_STEPS_AT_ONCE: Final = 500
"""After so many pure steps the engine commits and yields, so that one execution cannot hold a process."""

_ANNOUNCED: Final[Mapping[Status, str]] = {
    Status.AWAITING: "workflow.awaiting",
    Status.COMPLETED: "workflow.completed",
    Status.FAILED: "workflow.failed",
    Status.EXPIRED: "workflow.expired",
    Status.CANCELLED: "workflow.cancelled",
}


class NotAllowed(Exception):  # noqa: N818 - a refusal, not a fault
    """The happening does not fit the execution's status; nothing changes."""


class NotCurrent(NotAllowed):
    """The end user answered a step at which the execution does not rest, or not any more."""


class NoWayBack(NotAllowed):
    """There is no earlier step that the end user could go back to."""


def advance(definition: Definition, state: State, happening: Happening, now: datetime) -> Transition:
    """What follows when `happening` comes to pass at `now`.

    A call, a timer or an event that the execution no longer waits for changes nothing: it lost a race.
    Raises `NotAllowed` where a person asked for something that the status does not allow, and `Refusal` where a
    step does not take an answer.
    """
    moving = _Moving(definition, state, now)
    match happening:
        case Started():
            moving.events.append(Announcement("workflow.started"))
            moving.go_on(ROOT, 0)
        case Called():
            moving.called(happening)
        case Elapsed():
            moving.elapsed()
        case EventCame():
            moving.event_came(happening.event)
        case Answered():
            moving.answered(happening)
        case Submitted():
            moving.submitted(happening)
        case WentBack():
            moving.went_back(happening)
        case ChildBegan():
            moving.child_began(happening.child)
        case ChildEnded():
            moving.child_ended(happening)
        case Cancelled():
            moving.cancel(happening)
        case Retried():
            moving.retry(happening.revision_id)
        case Moved():
            pass  # only the status may be another one: the other revision may ask the end user again, or no more
    moving.run()
    return moving.transition(before=state.status, happening=happening)


def scope_of(definition: Definition, state: State, now: datetime, lane: str = ROOT) -> Scope:
    """The names that expressions in `lane` see.

    Inner steps see the outputs of their own lane and of the lanes around it, never those of a neighbour.
    """
    identity = state.identity
    scope: dict[str, Json] = {
        "parameters": identity.parameters,
        "steps": dict(state.values.get(ROOT, {})),
        **state.read,
        "execution": {
            "id": str(identity.id),
            "definition": definition.name,
            "startedAt": iso(identity.created_at),
            "now": iso(now),
            "today": f"{now:%Y-%m-%d}",
            "locale": identity.locale,
            "recordId": str(identity.record_id) if identity.record_id else None,
        },
    }
    return _inner_scope(definition, state, scope, lane) if lane else scope


def _inner_scope(definition: Definition, state: State, root: dict[str, Json], lane: str) -> dict[str, Json]:
    parent, step_id, key = place_of_lane(lane)
    outer = _inner_scope(definition, state, root, parent) if parent else root
    step = definition.by_id[step_id]
    assert isinstance(step.kind, BranchingKind)
    names = step.kind.names(step.config, outer, key)
    return {**outer, **names, "steps": {**outer["steps"], **state.values.get(lane, {})}}


def way_back(definition: Definition, state: State) -> str | None:
    """The user-facing step that the end user may go back to from where the execution rests; None where there is none.

    Only steps without an effect may lie between, and none of those that would run again may have spent its `maxVisits`.
    """
    start = _back_to(definition, state.trail)
    if start is None:
        return None
    here = state.lanes[ROOT].step if ROOT in state.lanes else None
    visits = state.visits.get(ROOT, {})
    again = (*state.trail[start:], *([here] if here is not None else []))
    free = all(visits.get(step, 0) < definition.by_id[step].max_visits for step in again)
    return state.trail[start] if free else None


def _back_to(definition: Definition, trail: Sequence[str]) -> int | None:
    asked = definition.user_part.asked
    return next((index for index in range(len(trail) - 1, -1, -1) if trail[index] in asked), None)


def failure_of(definition: Definition, step: str | None, error: StepFailure | ExpressionError) -> StepFailure:
    """A failed expression as the failure of its step, or of the result where `step` is None."""
    if isinstance(error, StepFailure):
        return error
    place = place_of(definition.document, step, error.expression)
    details = {"expression": error.expression, **({"path": place} if place else {})}
    return StepFailure("EXPRESSION_FAILED", error.reason, details=details)


def call_key(execution_id: UUID, lane: str, position: Position) -> str:
    """Names a call to the outside, the same for all its attempts: the idempotency key that the other side gets."""
    return f"{execution_id}:{position.known_as or path_of(lane, str(position.step))}:{position.visit}"


class _Moving:
    """The state while one happening is worked out. Local to `advance`."""

    def __init__(self, definition: Definition, state: State, now: datetime) -> None:
        self.definition = definition
        self.before = state
        self.state = state
        self.now = now
        self.runs: list[StepRun] = []
        self.consumed: list[UUID] = []
        self.events: list[Announcement] = []
        self.notices: list[Notice] = []
        self.over: set[UUID] = set()
        self.budget = PURE_STEPS_AT_ONCE
        self.lanes = dict(state.lanes)
        self.visits = {lane: dict(visits) for lane, visits in state.visits.items()}
        self.values = dict(state.values)
        self.ordinal = state.ordinal
        self.trail = state.trail
        self._own: set[str] = set()
        self._scopes: dict[str, dict[str, Json]] = {}
        self._todo: deque[tuple[str, int]] = deque()

    def scope(self, lane: str) -> dict[str, Json]:
        """What expressions of a lane see; kept up to date while its steps run."""
        if lane not in self._scopes:
            state = replace(self.state, values=self.values)
            self._scopes[lane] = dict(scope_of(self.definition, state, self.now, lane))
        return self._scopes[lane]

    def transition(self, before: Status, happening: Happening) -> Transition:
        state = replace(self.state, lanes=self.lanes, visits=self.visits, values=self.values, ordinal=self.ordinal)
        state = replace(state, trail=self.trail[-LONGEST_TRAIL:])
        if state.status in OPEN:
            state = replace(state, status=self._open_status(state))
        if state.status is not before or isinstance(happening, Started):
            if state.status not in MOVES[before]:
                raise NotAllowed(f"an execution that is {before} cannot become {state.status}")
            named = [_ANNOUNCED[state.status]] if state.status in _ANNOUNCED else []
            self.events += [Announcement(kind) for kind in (*named, "workflow.status_changed")]
        abandoned = tuple(sorted(self.before.children - state.children - self.over))
        return Transition(
            state, tuple(self.runs), tuple(self.consumed), tuple(self.events), tuple(self.notices), abandoned
        )

    def _open_status(self, state: State) -> Status:
        if state.identity.execution_type == "INTERACTIVE" and self._user_is_needed(state):
            return Status.RUNNING
        if state.identity.execution_type == "BACKGROUND":
            busy = (Phase.READY, Phase.CALLING, Phase.RETRYING)
            if any(position.phase in busy or position.child for position in state.lanes.values()):
                return Status.RUNNING
        return Status.AWAITING

    def _user_is_needed(self, state: State) -> bool:
        return state.lanes[ROOT].step in self.definition.user_part.needing

    # Going from step to step.

    def go_on(self, lane: str, index: int | None) -> None:
        """Let a lane go on with the step at `index` of its sequence; None where it stays at its step."""
        if index is not None:
            self._todo.append((lane, index))

    def run(self) -> None:
        """Run pure steps until something has to be committed first in every lane, or all is through."""
        while self._todo and self.state.status in OPEN:
            lane, index = self._todo.popleft()
            steps = self._steps(lane)
            if lane != ROOT and lane not in self.lanes:
                continue  # it was closed while it stood in the queue
            if index >= len(steps):
                self._through(lane)
            elif self.budget == 0:
                self._park(lane, index)
            else:
                self.budget -= 1
                self.go_on(lane, self._enter(lane, steps[index]))
        for lane, index in self._todo:
            if lane in self.lanes:
                self._park(lane, index)

    def _park(self, lane: str, index: int) -> None:
        """Let a lane go on from here after the next commit; where the execution has failed, after a retry."""
        steps = self._steps(lane)
        self.lanes[lane] = Position(steps[index].id if index < len(steps) else None)

    def _steps(self, lane: str) -> tuple[Step, ...]:
        if lane == ROOT:
            return self.definition.steps
        _, step_id, key = place_of_lane(lane)
        step = self.definition.by_id[step_id]
        assert isinstance(step.kind, BranchingKind)
        return step.kind.steps(step.config, key)

    def _through(self, lane: str) -> None:
        if lane == ROOT:
            self._finish()
        else:
            self._close(lane)
            self._after_lane(place_of_lane(lane).parent, place_of_lane(lane).step)

    def _enter(self, lane: str, step: Step) -> int | None:
        """Begin `step`. The index of the step to go on with, or None where the lane stops here."""
        visits = self.visits.setdefault(lane, {})
        visit = visits[step.id] = visits.get(step.id, 0) + 1
        position = Position(step.id, Phase.READY, visit, since=self.now)
        if visit > step.max_visits:
            failure = StepFailure(
                "TOO_MANY_VISITS",
                f"step {step.id} was reached more than {step.max_visits} times: "
                "check the loop's way out, or raise the step's maxVisits",
            )
            self._give_up(lane, step, position, failure, None)  # `onError` cannot keep a loop going
            return None
        try:
            if step.when is not None and not _truth(step, self.scope(lane)):
                self._record(lane, step, position, "SKIPPED")
                return self._after(step)
        except (StepFailure, ExpressionError) as error:
            return self._fail(lane, step, position, failure_of(self.definition, step.id, error))
        return self._attempt(lane, step, position)

    def _begin(self, lane: str, step: Step, position: Position) -> int | None:
        kind = step.kind
        if not isinstance(kind, ChildKind):
            position = replace(position, child=None, revive=False)
        if isinstance(kind, PureKind):
            return self._settle(lane, step, position, _run(step, kind, self.scope(lane)))
        if isinstance(kind, OutsideKind | RecordingKind):
            self.lanes[lane] = replace(position, phase=Phase.CALLING)
            return None
        if isinstance(kind, WaitingKind):
            return self._rest(lane, step, position, kind)
        if isinstance(kind, BranchingKind):
            return self._branch(lane, step, position, kind)
        if isinstance(kind, ChildKind):
            self._run_child(lane, step, position)
            return None
        raise StepFailure("STEP_KIND_NOT_AVAILABLE", f"steps of kind {kind.name} cannot run in this release")

    def _rest(self, lane: str, step: Step, position: Position, kind: WaitingKind) -> int | None:
        if step.id in self.definition.user_part.end_pages and isinstance(kind, UserKind):
            return self._settle(lane, step, position, Done(input=kind.show(step.config, self.scope(lane))))
        wait = kind.wait(step.config, self.scope(lane), self.now)
        for received in self.state.inbox:
            if wait.event is not None and received.name == wait.event:
                return self._take(lane, step, position, received)
        if wait.event is None and wait.until is not None and wait.until <= self.now:
            return self._settle(lane, step, position, kind.elapsed(step.config))
        position = self.lanes[lane] = replace(
            position,
            phase=Phase.WAITING,
            until=wait.until,
            limit=self._limit(step),
            remind=wait.remind,
            event=wait.event,
            note=wait.note,
        )
        self._tell(lane, step, position, "requested")
        self._notify(lane, step, position, reminder=False)
        return None

    def _tell(self, lane: str, step: Step, position: Position, what: str, output: Json = None) -> None:
        """Announce what became of a waiting step, where its kind has events."""
        kind = step.kind
        assert isinstance(kind, WaitingKind)
        if kind.subject is None:
            return
        data = {
            "workflowId": str(self.state.identity.id),
            "workflowDefinitionId": str(self.state.identity.definition_id),
            "step": path_of(lane, step.id),
            **kind.facts(step.config, position.note, output),
        }
        self.events.append(Announcement(f"{kind.subject}.{what}", data))

    def _notify(self, lane: str, step: Step, position: Position, *, reminder: bool) -> None:
        assert isinstance(step.kind, WaitingKind)
        if step.kind.has_receivers(step.config, position.note):
            self.notices.append(Notice(lane, step.id, position.visit, position.attempt, self.now, reminder))

    def _limit(self, step: Step) -> datetime | None:
        return self.now + step.timeout if step.timeout is not None else None

    def _take(self, lane: str, step: Step, position: Position, received: Received) -> int | None:
        assert isinstance(step.kind, WaitingKind)
        remaining = tuple(event for event in self.state.inbox if event.id != received.id)
        self.state = replace(self.state, inbox=remaining)
        self.consumed.append(received.id)
        output = step.kind.accept(step.config, received.body)
        return self._settle(lane, step, position, Done(output))

    def _settle(
        self, lane: str, step: Step, position: Position, outcome: Done | Ended, described: Json = None
    ) -> int | None:
        """A step is over, successfully."""
        if isinstance(outcome, Ended):
            self._record(lane, step, position, "COMPLETED", output=outcome.output)
            self._finish()
            return None
        self._record(lane, step, position, "COMPLETED", input=described or outcome.input, output=outcome.output)
        return self._after(step, outcome.goto)

    def _after(self, step: Step, goto: str | None = None) -> int:
        if goto is not None:
            return self.definition.positions[goto]
        return self.definition.positions[step.id] + 1

    def _record(
        self,
        lane: str,
        step: Step,
        position: Position,
        status: str,
        *,
        input: Json = None,
        output: Json = None,
        error: Json = None,
    ) -> None:
        self.runs.append(
            StepRun(
                path_of(lane, step.id),
                position.visit,
                position.attempt,
                self.ordinal,
                step.kind.name,
                status,
                position.since or self.now,
                self.now,
                input,
                output,
                error,
            )
        )
        self.ordinal += 1
        self._leave_trail(lane, step, status)
        if output is not None:
            if lane not in self._own:  # the state's own mapping stays as it is
                self._own.add(lane)
                self.values[lane] = dict(self.values.get(lane, {}))
            self.values[lane][step.id] = output  # type: ignore[index] # made our own above
            self.scope(lane)["steps"][step.id] = output

    def _leave_trail(self, lane: str, step: Step, status: str) -> None:
        """Note how far the end user may go back: not beyond a step that may have had an effect."""
        if lane != ROOT or self.state.identity.execution_type != "INTERACTIVE":
            return
        harmless = status == "SKIPPED" or isinstance(step.kind, PureKind | UserKind)
        self.trail = (*self.trail, step.id) if harmless else ()

    def _finish(self) -> None:
        """Every step is through, or an `end` was reached: work out the result."""
        try:
            template = self.definition.result
            result = dict(self.values.get(ROOT, {})) if template is None else template.render(self.scope(ROOT))
        except ExpressionError as error:
            self.lanes = {ROOT: Position(None, Phase.FAILED)}
            self._failed(None, failure_of(self.definition, None, error))
            return
        self.lanes = {}
        self.state = replace(self.state, status=Status.COMPLETED, result=result, error=None)

    # Inner lanes.

    def _branch(self, lane: str, step: Step, position: Position, kind: BranchingKind) -> int | None:
        """Open the first lanes of a branching step; it is over at once where it has none."""
        self.lanes[lane] = replace(position, phase=Phase.BRANCHING, limit=self._limit(step))
        return self._open_more(lane, step, kind)

    def _open_more(self, lane: str, step: Step, kind: BranchingKind) -> int | None:
        """Open as many lanes as may run at once; the step is over once none is left."""
        position = self.lanes[lane]
        keys = kind.open(step.config, self.scope(lane))
        under_way = self._inner(lane, step, position)
        free = min(kind.at_once(step.config) - len(under_way), len(keys) - position.opened)
        if position.failure is not None:
            free = 0
        for key in keys[position.opened : position.opened + max(free, 0)]:
            inner = inner_lane(lane, step.id, position.visit, position.attempt, key)
            self.lanes[inner] = Position(kind.steps(step.config, key)[0].id)
            self._todo.append((inner, 0))
        position = self.lanes[lane] = replace(position, opened=position.opened + max(free, 0))
        if free > 0 or any(self.lanes[inner].phase is not Phase.FAILED for inner in under_way):
            return None
        if position.failure is not None:
            return self._branches_failed(lane, step, position, StepFailure(**position.failure))
        return self._joined(lane, step, position, kind, keys)

    def _inner(self, lane: str, step: Step, position: Position) -> list[str]:
        """The lanes of a branching step that are under way, or failed and not dealt with."""
        return [inner for inner in self.lanes if inner != ROOT and place_of_lane(inner)[:2] == (lane, step.id)]

    def _joined(
        self, lane: str, step: Step, position: Position, kind: BranchingKind, keys: Sequence[Key]
    ) -> int | None:
        names = {key: inner_lane(lane, step.id, position.visit, position.attempt, key) for key in keys}
        outputs = {key: self.values.get(name, {}) for key, name in names.items()}
        for name in names.values():
            self.values.pop(name, None)
        return self._settle(lane, step, position, Done(kind.join(step.config, outputs)))

    def _close(self, lane: str) -> None:
        """A lane is over; what its steps gave stays until the join."""
        self.lanes.pop(lane, None)
        self.visits.pop(lane, None)
        self._scopes.pop(lane, None)

    def _after_lane(self, lane: str, step_id: str) -> None:
        step = self.definition.by_id[step_id]
        assert isinstance(step.kind, BranchingKind)
        self.go_on(lane, self._open_more(lane, step, step.kind))

    def _fall(self, lane: str, step_id: str, failure: StepFailure) -> None:
        """A step of `lane` failed for good: the step around the lane decides, or the execution fails."""
        if lane == ROOT:
            self._failed(step_id, failure)
            return
        parent, owner_id, _ = place_of_lane(lane)
        owner = self.definition.by_id[owner_id]
        assert isinstance(owner.kind, BranchingKind)
        policy = owner.kind.when_one_fails(owner.config)
        if policy == "continue":
            position = self.lanes[lane]
            if position.phase is Phase.BRANCHING:  # so that the last run of the lane says that it failed
                self._record(lane, self._step(position), position, "FAILED", error=_error(step_id, failure))
            for name in [name for name in self.lanes if _around(name, lane)]:
                self._close(name)
            self.values[lane] = {"error": _error(step_id, failure)}
            self._after_lane(parent, owner_id)
        elif policy == "wait":
            facts = {"code": failure.code, "message": failure.message, "details": failure.details}
            self.lanes[parent] = replace(self.lanes[parent], failure=facts)
            self._after_lane(parent, owner_id)
        else:
            self.go_on(parent, self._branches_failed(parent, owner, self.lanes[parent], failure, step_id))

    def _branches_failed(
        self, lane: str, step: Step, position: Position, failure: StepFailure, inner: str | None = None
    ) -> int | None:
        """A branching step fails. Where nobody handles that, its lanes stay, so that a retry goes on inside of them."""
        if step.on_error.action == "fail":
            self._fall(lane, inner or step.id, failure)
            return None
        for name in [name for name in self.lanes if _below(name, lane, step)]:
            self._close(name)
        return self._fail_for_good(lane, step, position, failure)

    # Executions that steps start.

    def _run_child(self, lane: str, step: Step, position: Position) -> None:
        """Have the step's child started, or the failed one that it still holds retried."""
        child = position.child or derived_id(
            self.now, self.state.identity.id, path_of(lane, step.id), position.visit, position.attempt
        )
        self.lanes[lane] = replace(position, phase=Phase.CALLING, child=child, limit=self._limit(step))

    def child_began(self, child: UUID) -> None:
        lane, position = self._holder(child)
        if position is not None and position.phase is Phase.CALLING:
            self.lanes[lane] = replace(position, phase=Phase.WAITING, revive=False)

    def child_ended(self, ended: ChildEnded) -> None:
        lane, position = self._holder(ended.child)
        if position is None:
            return
        self.over.add(ended.child)
        step = self._step(position)
        described = {"workflowId": str(ended.child)}
        if ended.status is Status.COMPLETED:
            output = {**described, "status": ended.status.value, "result": ended.result}
            self.go_on(lane, self._settle(lane, step, position, Done(output), described))
            return
        # One that was cancelled or has expired cannot go on: a retry starts another one.
        held = ended.child if ended.status is Status.FAILED else None
        position = replace(position, child=held, revive=held is not None)
        self.go_on(lane, self._fail(lane, step, position, _child_failure(ended), described))

    def _holder(self, child: UUID) -> tuple[str, Position | None]:
        """The lane that waits for this child; None where none does any more."""
        if self.state.status in OPEN:
            for lane, position in self.lanes.items():
                if position.child == child and position.phase in (Phase.CALLING, Phase.WAITING):
                    return lane, position
        return ROOT, None

    # Failing.

    def _fail(
        self, lane: str, step: Step, position: Position, failure: StepFailure, described: Json = None
    ) -> int | None:
        """An attempt failed: make another one later, or let the step fail for good."""
        retry = step.retry
        again = retry is not None and position.tries < retry.attempts and retry.covers(failure.reason)
        if retry is None or not again:
            return self._fail_for_good(lane, step, position, failure, described)
        self._record(lane, step, position, "FAILED", input=described, error=_error(step.id, failure))
        delay = retry.delay(position.tries).total_seconds()
        due = self.now + timedelta(seconds=max(delay, min(failure.after or 0, retry.max.total_seconds())))
        self.lanes[lane] = replace(
            position, phase=Phase.RETRYING, attempt=position.attempt + 1, tries=position.tries + 1, due=due,
            child=None, revive=False,
        )  # fmt: skip
        return None

    def _fail_for_good(
        self, lane: str, step: Step, position: Position, failure: StepFailure, described: Json = None
    ) -> int | None:
        if step.on_error.action == "fail":
            self._give_up(lane, step, position, failure, described)
            return None
        error = _error(step.id, failure)
        # Later steps can ask `has(steps.<id>.error)`.
        self._record(lane, step, position, "FAILED", input=described, error=error, output={"error": error})
        return self._after(step, step.on_error.goto)

    def _give_up(self, lane: str, step: Step, position: Position, failure: StepFailure, described: Json) -> None:
        self._record(lane, step, position, "FAILED", input=described, error=_error(step.id, failure))
        self.lanes[lane] = replace(position, phase=Phase.FAILED, due=None)
        self._fall(lane, step.id, failure)

    def _failed(self, step: str | None, failure: StepFailure) -> None:
        self.state = replace(self.state, status=Status.FAILED, error=_error(step, failure))

    # What may happen.

    def called(self, call: Called) -> None:
        position = self.lanes.get(call.lane)
        if self.state.status not in OPEN or position is None or position.phase is not Phase.CALLING:
            return
        if (position.step, position.visit, position.attempt) != (call.step, call.visit, call.attempt):
            return
        step = self._step(position)
        position = replace(position, since=call.started_at)
        if call.bound is not None:
            self.state = replace(self.state, identity=replace(self.state.identity, record_id=call.bound))
        if isinstance(call.failure, StepFailure | ExpressionError):
            failure = failure_of(self.definition, step.id, call.failure)
            position = replace(position, child=None, revive=False)  # it could not be started
            following = self._fail(call.lane, step, position, failure, call.input)
            if self.lanes.get(call.lane, position).phase is not Phase.RETRYING:
                self._called_out(call.lane, step, position, failure)
        else:
            following = self._settle(call.lane, step, position, Done(call.output), call.input)
            self._called_out(call.lane, step, position, None)
        self.go_on(call.lane, following)

    def _called_out(self, lane: str, step: Step, position: Position, failure: StepFailure | None) -> None:
        """A step outside is over: announce it, where its kind has an event for that."""
        if not isinstance(step.kind, OutsideKind):
            return
        event = step.kind.announce(call_key(self.state.identity.id, lane, position), failure)
        if event is not None:
            self.events.append(event)

    def elapsed(self) -> None:
        if self.state.status not in OPEN or self._expire():
            return
        for lane, position in list(self.lanes.items()):
            if position.phase is Phase.READY:
                steps = self._steps(lane)
                self.go_on(lane, self.definition.positions[position.step] if position.step else len(steps))
            elif position.wakes is not None and position.wakes <= self.now and self.lanes.get(lane) is position:
                self._due(lane, position)

    def _due(self, lane: str, position: Position) -> None:
        step = self._step(position)
        if position.phase is Phase.RETRYING:
            self.go_on(lane, self._attempt(lane, step, replace(position, due=None)))
            return
        late = StepFailure("STEP_TIMEOUT", f"step {step.id} was not over within its timeout", reason="timeout")
        if position.phase is Phase.BRANCHING:
            self.go_on(lane, self._branches_failed(lane, step, replace(position, limit=None), late))
            return
        if isinstance(step.kind, ChildKind):
            # Nobody waits for the child any more, so it is cancelled.
            position = replace(position, child=None, revive=False)
            self.go_on(lane, self._fail_for_good(lane, step, position, late))
            return
        assert isinstance(step.kind, WaitingKind)
        if position.ends is None or position.ends > self.now:
            self._remind(lane, step, position, step.kind)
            return
        described = step.kind.described(step.config, position.note)
        try:
            if position.until is None or position.until > self.now:
                raise late
            following = self._settle(lane, step, position, step.kind.elapsed(step.config), described)
        except StepFailure as failure:
            following = self._fail_for_good(lane, step, position, failure, described)
        self.go_on(lane, following)

    def _remind(self, lane: str, step: Step, position: Position, kind: WaitingKind) -> None:
        """However many reminders are overdue, one is enough."""
        self.lanes[lane] = replace(position, remind=kind.remind_again(step.config, self.now))
        self._tell(lane, step, position, "reminded")
        self._notify(lane, step, position, reminder=True)

    def answered(self, answered: Answered) -> None:
        position = self.lanes.get(answered.lane)
        if self.state.status not in OPEN or position is None or position.phase is not Phase.WAITING:
            raise Refusal("STEP_NOT_WAITING", f"step {answered.step} does not wait for an answer (any more)")
        if (position.step, position.visit, position.attempt) != (answered.step, answered.visit, answered.attempt):
            raise Refusal("STEP_NOT_WAITING", f"step {answered.step} does not wait for this answer any more")
        if position.ends is not None and position.ends <= self.now:
            raise Refusal("STEP_TOO_LATE", f"the time for step {answered.step} was over at {iso(position.ends)}")
        step = self._step(position)
        assert isinstance(step.kind, WaitingKind)
        outcome = step.kind.answer(step.config, position.note, answered.answer, self.now)
        if isinstance(outcome, Kept):
            position = self.lanes[answered.lane] = replace(position, note=outcome.note)
            self._tell(answered.lane, step, position, outcome.happened)
            return
        described = step.kind.described(step.config, position.note)
        self._tell(answered.lane, step, position, "decided", outcome.output)
        self.go_on(answered.lane, self._settle(answered.lane, step, position, outcome, described))

    def event_came(self, received: Received) -> None:
        if self.state.status not in OPEN and self.state.status is not Status.FAILED:
            raise NotAllowed(f"the execution is {self.state.status} and takes no more events")
        self.state = replace(self.state, inbox=(*self.state.inbox, received))
        if self.state.status not in OPEN:
            return  # it waits in the inbox until the execution is retried
        for lane, position in self.lanes.items():
            if position.phase is Phase.WAITING and position.event == received.name:
                step = self._step(position)
                try:
                    following = self._take(lane, step, position, received)
                except StepFailure as failure:
                    following = self._fail(lane, step, position, failure)
                self.go_on(lane, following)
                return

    def submitted(self, happening: Submitted) -> None:
        step, position = self._asked(happening.step, happening.visit)
        if self._expire():
            return
        assert isinstance(step.kind, UserKind)
        try:
            done = step.kind.submit(step.config, self.scope(ROOT), happening.answer, happening.by, self.now)
            following = self._settle(ROOT, step, position, done)
        except (StepFailure, ExpressionError) as error:
            following = self._fail(ROOT, step, position, failure_of(self.definition, step.id, error))
        self.go_on(ROOT, following)

    def went_back(self, happening: WentBack) -> None:
        step, _ = self._asked(happening.step, happening.visit)
        if self._expire():
            return
        target = way_back(self.definition, self.state)
        start = _back_to(self.definition, self.trail)
        if target is None or start is None:
            raise NoWayBack(f"what came before {step.id} cannot be changed any more")
        again = self.trail[start:]
        self.trail = self.trail[:start]
        values = self.values.get(ROOT, {})
        self.values[ROOT] = {name: value for name, value in values.items() if name not in again}
        self.state = replace(self.state, undone={**self.state.undone, **dict.fromkeys(again, self.ordinal)})
        self._scopes.clear()
        self.go_on(ROOT, self.definition.positions[target])

    def _asked(self, step_id: str, visit: int) -> tuple[Step, Position]:
        """The step that the end user is asked, if it is this one. Raises `NotCurrent`."""
        position = self.lanes.get(ROOT)
        if self.state.status in OPEN and position is not None and position.phase is Phase.WAITING:
            step = self._step(position)
            if (step.id, position.visit) == (step_id, visit) and isinstance(step.kind, UserKind):
                return step, position
        raise NotCurrent(f"the execution does not wait for an answer to step {step_id}, or not any more")

    def _expire(self) -> bool:
        """End the execution if the end user's time is over. What is under way is let come to its end first."""
        expires_at = self.state.expires_at
        if expires_at is None or expires_at > self.now or self.state.runnable:
            return False
        self.lanes = {}
        self.state = replace(self.state, status=Status.EXPIRED)
        return True

    def cancel(self, happening: Cancelled) -> None:
        if self.state.status in ENDED:
            raise NotAllowed(f"the execution has ended as {self.state.status}")
        error = {"code": "CANCELLED", "message": happening.reason} if happening.reason else None
        self.lanes = {}
        self.state = replace(self.state, status=Status.CANCELLED, error=error)

    def retry(self, revision_id: UUID) -> None:
        if self.state.status is not Status.FAILED:
            raise NotAllowed(f"only a FAILED execution can be retried; this one is {self.state.status}")
        self.state = replace(self.state, status=Status.RUNNING, error=None, revision_id=revision_id)
        for lane, position in list(self.lanes.items()):
            if position.phase is Phase.BRANCHING:
                self.lanes[lane] = replace(position, failure=None, limit=self._limit(self._step(position)))
            elif position.phase is Phase.WAITING and position.child is not None:
                # Its end may have come while nobody listened: look again.
                self.lanes[lane] = replace(position, phase=Phase.CALLING)
            elif position.phase is Phase.FAILED and position.step is None:
                self._finish()
        for lane, position in list(self.lanes.items()):
            if position.phase is Phase.FAILED and self.state.status in OPEN:
                self._again(lane, position)

    def _again(self, lane: str, position: Position) -> None:
        step = self._step(position)
        fresh = replace(
            position,
            phase=Phase.READY,
            attempt=position.attempt + 1,
            tries=1,
            since=self.now,
            until=None,
            limit=None,
            due=None,
            remind=None,
            event=None,
            note=None,
        )
        self.go_on(lane, self._attempt(lane, step, fresh))

    def _attempt(self, lane: str, step: Step, position: Position) -> int | None:
        try:
            return self._begin(lane, step, position)
        except (StepFailure, ExpressionError) as error:
            return self._fail(lane, step, position, failure_of(self.definition, step.id, error))

    def _step(self, position: Position) -> Step:
        return self.definition.by_id[str(position.step)]


def _below(lane: str, outer: str, step: Step) -> bool:
    """Whether `lane` hangs at `step` of `outer`, directly or further down."""
    while lane != ROOT:
        parent, owner, _ = place_of_lane(lane)
        if parent == outer:
            return owner == step.id
        lane = parent
    return False


def _around(lane: str, outer: str) -> bool:
    """Whether `lane` is `outer`, or hangs somewhere below it."""
    while lane not in (outer, ROOT):
        lane = place_of_lane(lane).parent
    return lane == outer


def _truth(step: Step, scope: Scope) -> bool:
    assert step.when is not None
    value = step.when.evaluate(scope)
    if not isinstance(value, bool):
        raise ExpressionError(step.when.source, "a condition must be true or false")
    return value


def _run(step: Step, kind: PureKind, scope: Scope) -> Done | Ended:
    try:
        return kind.run(step.config, scope)
    except (StepFailure, ExpressionError):
        raise
    except Exception as error:
        raise crashed(kind.name, error) from error


def _child_failure(ended: ChildEnded) -> StepFailure:
    error = ended.error or {}
    why = f": {error['code']}: {error['message']}" if "code" in error else ""
    said = {Status.FAILED: "failed", Status.EXPIRED: "expired"}.get(ended.status, "was cancelled")
    return StepFailure(
        f"CHILD_{ended.status.value}",
        f"the execution {ended.child} that the step started {said}{why}",
        reason="failed" if ended.status is Status.FAILED else None,
        details={"workflowId": str(ended.child), "status": ended.status.value, "error": ended.error},
    )


def crashed(kind: str, error: Exception) -> StepFailure:
    """What a kind raised that it should not have: the step fails, the engine goes on."""
    return StepFailure("STEP_CRASHED", f"steps of kind {kind} failed unexpectedly: {type(error).__name__}")


def _error(step: str | None, failure: StepFailure) -> JsonObject:
    return {
        "code": failure.code,
        "message": failure.message,
        **({"step": step} if step is not None else {}),
        **({"details": failure.details} if failure.details else {}),
    }
