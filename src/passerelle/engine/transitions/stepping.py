"""Going from step to step, until something has to be committed first in every lane."""

from __future__ import annotations

from dataclasses import replace

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.model import Step
from passerelle.engine.kinds import (
    BranchingKind,
    ChildKind,
    Done,
    Ended,
    OutsideKind,
    PureKind,
    RecordingKind,
    StepFailure,
    WaitingKind,
)
from passerelle.engine.lanes import ROOT, path_of, place_of_lane
from passerelle.engine.model import OPEN, Received
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.transitions.branching import after_lane, branch, fail, give_up
from passerelle.engine.transitions.scopes import crashed, failure_of
from passerelle.engine.transitions.working import STEP_COST, Draft
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.ids import derived_id
from passerelle.kit.json import Json
from passerelle.kit.work import WorkError


def run(draft: Draft) -> None:
    """Run pure steps until something has to be committed first in every lane, or all is through."""
    while draft.todo and draft.state.status in OPEN:
        lane, index = draft.todo.popleft()
        steps = draft.steps_of(lane)
        if lane != ROOT and lane not in draft.lanes:
            continue  # it was closed while it stood in the queue
        if index >= len(steps):
            _through(draft, lane)
        elif draft.budget == 0 or draft.meter.half_used:
            _park(draft, lane, index)
        else:
            draft.budget -= 1
            draft.meter.spend(STEP_COST)
            draft.go_on(lane, enter(draft, lane, steps[index]))
    for lane, index in draft.todo:
        if lane in draft.lanes:
            _park(draft, lane, index)


def _park(draft: Draft, lane: str, index: int) -> None:
    """Let a lane go on from here after the next commit; where the execution has failed, after a retry."""
    steps = draft.steps_of(lane)
    draft.lanes[lane] = LanePosition(steps[index].id if index < len(steps) else None)


def _through(draft: Draft, lane: str) -> None:
    if lane == ROOT:
        draft.finish()
    else:
        draft.close(lane)
        after_lane(draft, place_of_lane(lane).parent, place_of_lane(lane).step)


def enter(draft: Draft, lane: str, step: Step) -> int | None:
    """Begin `step`. The index of the step to go on with, or None where the lane stops here."""
    visits = draft.visits.setdefault(lane, {})
    visit = visits[step.id] = visits.get(step.id, 0) + 1
    position = LanePosition(step.id, Phase.READY, visit, since=draft.now)
    if visit > step.max_visits:
        failure = StepFailure(
            "TOO_MANY_VISITS",
            f"step {step.id} was reached more than {step.max_visits} times: "
            "check the loop's way out, or raise the step's maxVisits",
        )
        give_up(draft, lane, step, position, failure, None)  # `onError` cannot keep a loop going
        return None
    try:
        if step.when is not None and not _truth(step, draft.scope(lane)):
            draft.record(lane, step, position, "SKIPPED")
            return draft.after(step)
    except (StepFailure, ExpressionError) as error:
        return fail(draft, lane, step, position, failure_of(draft.definition, step.id, error))
    return attempt(draft, lane, step, position)


def attempt(draft: Draft, lane: str, step: Step, position: LanePosition) -> int | None:
    try:
        return _begin(draft, lane, step, position)
    except (StepFailure, ExpressionError) as error:
        return fail(draft, lane, step, position, failure_of(draft.definition, step.id, error))


def _begin(draft: Draft, lane: str, step: Step, position: LanePosition) -> int | None:
    kind = step.kind
    if (position.child is not None or position.revive) and not isinstance(kind, ChildKind):
        position = replace(position, child=None, revive=False)
    if isinstance(kind, PureKind):
        return draft.settle(lane, step, position, _run(step, kind, draft.scope(lane)))
    if isinstance(kind, OutsideKind | RecordingKind):
        draft.lanes[lane] = replace(position, phase=Phase.CALLING, since=draft.now, unsent=False, lost=0)
        return None
    if isinstance(kind, WaitingKind):
        return _rest(draft, lane, step.of(WaitingKind), position)
    if isinstance(kind, BranchingKind):
        return branch(draft, lane, step.of(BranchingKind), position)
    assert isinstance(kind, ChildKind), "kinds of other classes are not loaded"
    _run_child(draft, lane, step, position)
    return None


def _rest(draft: Draft, lane: str, step: Step[WaitingKind], position: LanePosition) -> int | None:
    kind = step.kind
    if step.id in draft.definition.user_part.end_pages and isinstance(kind, UserKind):
        return draft.settle(lane, step, position, Done(input=kind.show(step.config, draft.scope(lane))))
    wait = kind.wait(step.config, draft.scope(lane), draft.now)
    for received in draft.state.inbox:
        if wait.event is not None and received.name == wait.event and (output := accepted(step, received)):
            return take(draft, lane, step, position, received, output.output)
    if wait.event is None and wait.until is not None and wait.until <= draft.now:
        return draft.settle(lane, step, position, kind.elapsed(step.config))
    position = draft.lanes[lane] = replace(
        position,
        phase=Phase.WAITING,
        until=wait.until,
        limit=draft.limit_of(step),
        remind=wait.remind,
        event=wait.event,
        note=wait.note,
    )
    draft.tell(lane, step, position, "requested")
    draft.notify(lane, step, position, reminder=False)
    return None


def take(draft: Draft, lane: str, step: Step, position: LanePosition, received: Received, output: Json) -> int | None:
    remaining = tuple(event for event in draft.state.inbox if event.id != received.id)
    draft.state = replace(draft.state, inbox=remaining)
    draft.consumed.append(received.id)
    return draft.settle(lane, step, position, Done(output))


def _run_child(draft: Draft, lane: str, step: Step, position: LanePosition) -> None:
    """Have the step's child started, or the failed one that it still holds retried."""
    child = position.child or derived_id(
        draft.now, draft.state.identity.id, path_of(lane, step.id), position.visit, position.attempt
    )
    draft.lanes[lane] = replace(position, phase=Phase.CALLING, child=child, limit=draft.limit_of(step))


def accepted(step: Step[WaitingKind], received: Received) -> Done | None:
    """What a step makes of an event; None where it does not fit, so that it goes on waiting for one that it fits."""
    try:
        return Done(step.kind.accept(step.config, received.body))
    except StepFailure:
        return None


def _truth(step: Step, scope: Scope) -> bool:
    assert step.when is not None
    value = step.when.evaluate(scope)
    if not isinstance(value, bool):
        raise ExpressionError(step.when.source, "a condition must be true or false")
    return value


def _run(step: Step, kind: PureKind, scope: Scope) -> Done | Ended:
    try:
        return kind.run(step.config, scope)
    except (StepFailure, ExpressionError, WorkError):
        raise
    except Exception as error:
        raise crashed(kind.name, error) from error
