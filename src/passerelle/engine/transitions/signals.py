"""What may happen, one function each: what changes at once. Where the lanes go from there is for `run`."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Step
from passerelle.engine.kinds import ChildKind, Done, KeptWaiting, OutsideKind, StepFailure, WaitingKind
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import ENDED, OPEN, Received, Status
from passerelle.engine.positions import LanePosition, Phase, calls_out
from passerelle.engine.signals import Answered, Called, Cancelled, ChildEnded, Submitted, WentBack
from passerelle.engine.transitions.branching import after_lane, branches_failed, fail, fail_for_good, inner_lanes
from passerelle.engine.transitions.going_back import start_of_way_back, way_back
from passerelle.engine.transitions.refusals import NotAllowed, NotCurrent, NoWayBack
from passerelle.engine.transitions.scopes import call_key, failure_of
from passerelle.engine.transitions.sending_back import awaited, go_back_to
from passerelle.engine.transitions.stepping import accepted, attempt, take
from passerelle.engine.transitions.working import Draft
from passerelle.engine.user_kinds import UserKind


def called(draft: Draft, call: Called) -> None:
    position = draft.lanes.get(call.lane)
    if draft.state.status not in OPEN or position is None or position.phase is not Phase.CALLING:
        return
    if (position.step, position.visit, position.attempt) != (call.step, call.visit, call.attempt):
        return
    step = draft.step_at(position)
    position = replace(position, since=call.started_at)
    if call.bound is not None:
        draft.state = replace(draft.state, identity=replace(draft.state.identity, record_id=call.bound))
    if isinstance(call.failure, StepFailure | ExpressionError):
        failure = failure_of(draft.definition, step.id, call.failure)
        position = replace(position, child=None, revive=False)  # it could not be started
        following = fail(draft, call.lane, step, position, failure, call.input)
        if draft.lanes.get(call.lane, position).phase is not Phase.RETRYING:
            _called_out(draft, call.lane, step, position, failure)
    else:
        following = draft.settle(call.lane, step, position, Done(call.output), call.input)
        _seal(draft, call)
        _called_out(draft, call.lane, step, position, None)
    draft.go_on(call.lane, following)


def _seal(draft: Draft, call: Called) -> None:
    """Keep what the answer gave to identify by; what an earlier visit of the step was given counts no more."""
    steps = dict(draft.state.sealed.get(call.lane, {}))
    steps.pop(call.step, None)
    if call.sealed:
        steps[call.step] = call.sealed
    if steps != draft.state.sealed.get(call.lane, {}):
        draft.state = replace(draft.state, sealed={**draft.state.sealed, call.lane: steps})


def _called_out(draft: Draft, lane: str, step: Step, position: LanePosition, failure: StepFailure | None) -> None:
    """A step outside is over: announce it, where its kind has an event for that."""
    if not isinstance(step.kind, OutsideKind):
        return
    event = step.kind.announce(call_key(draft.state.identity.id, lane, position), failure)
    if event is not None:
        draft.events.append(event)


def taken_over(draft: Draft) -> None:
    """Calls that were under way are made again, as other attempts: those before stand in the timeline as begun."""
    for lane, position in list(draft.lanes.items()):
        if position.unsent:
            draft.lanes[lane] = replace(position, unsent=False)
        elif calls_out(position, draft.definition):
            draft.let_go(lane)
            draft.lanes[lane] = replace(position, attempt=position.attempt + 1, since=draft.now, lost=position.lost + 1)


def elapsed(draft: Draft) -> None:
    if draft.state.status not in OPEN or _expire(draft):
        return
    for lane, position in list(draft.lanes.items()):
        if position.phase is Phase.READY:
            steps = draft.steps_of(lane)
            draft.go_on(lane, draft.definition.positions[position.step] if position.step else len(steps))
        elif position.wakes is not None and position.wakes <= draft.now and draft.lanes.get(lane) is position:
            _due(draft, lane, position)


def _due(draft: Draft, lane: str, position: LanePosition) -> None:
    step = draft.step_at(position)
    if position.phase is Phase.RETRYING:
        draft.go_on(lane, attempt(draft, lane, step, replace(position, due=None)))
        return
    late = StepFailure("STEP_TIMEOUT", f"step {step.id} was not over within its timeout", reason="timeout")
    if position.phase is Phase.BRANCHING:
        draft.go_on(lane, branches_failed(draft, lane, step, replace(position, limit=None), late))
        return
    if isinstance(step.kind, ChildKind):
        # Nobody waits for the child any more, so it is cancelled.
        position = replace(position, child=None, revive=False)
        draft.go_on(lane, fail_for_good(draft, lane, step, position, late))
        return
    resting = step.of(WaitingKind)
    if position.ends is None or position.ends > draft.now:
        _remind(draft, lane, resting, position)
        return
    described = resting.kind.described(step.config, position.note)
    try:
        if position.until is None or position.until > draft.now:
            raise late
        following = draft.settle(lane, step, position, resting.kind.elapsed(step.config), described)
    except StepFailure as failure:
        following = fail_for_good(draft, lane, step, position, failure, described)
    draft.go_on(lane, following)


def _remind(draft: Draft, lane: str, step: Step[WaitingKind], position: LanePosition) -> None:
    """However many reminders are overdue, one is enough."""
    draft.lanes[lane] = replace(position, remind=step.kind.remind_again(step.config, draft.now))
    draft.tell(lane, step, position, "reminded")
    draft.notify(lane, step, position, reminder=True)


def answered(draft: Draft, answer: Answered) -> None:
    position = awaited(draft, answer.lane, (answer.step, answer.visit, answer.attempt))
    step = draft.step_at(position).of(WaitingKind)
    outcome = step.kind.answer(step.config, position.note, answer.answer, draft.now)
    if isinstance(outcome, KeptWaiting):
        position = draft.lanes[answer.lane] = replace(position, note=outcome.note)
        draft.tell(answer.lane, step, position, outcome.happened)
        return
    described = step.kind.described(step.config, position.note)
    draft.tell(answer.lane, step, position, "decided", outcome.output)
    draft.go_on(answer.lane, draft.settle(answer.lane, step, position, outcome, described))


def event_came(draft: Draft, received: Received) -> None:
    if draft.state.status not in OPEN and draft.state.status is not Status.FAILED:
        raise NotAllowed(f"the execution is {draft.state.status} and takes no more events")
    draft.state = replace(draft.state, inbox=(*draft.state.inbox, received))
    if draft.state.status not in OPEN:
        return  # it waits in the inbox until the execution is retried
    for lane, position in draft.lanes.items():
        if position.phase is Phase.WAITING and position.event == received.name:
            step = draft.step_at(position).of(WaitingKind)
            output = accepted(step, received)
            if output is not None:
                draft.go_on(lane, take(draft, lane, step, position, received, output.output))
                return


# The end user.


def submitted(draft: Draft, signal: Submitted) -> None:
    step, position = _asked(draft, signal.step, signal.visit)
    if _expire(draft):
        return
    if signal.language not in (None, draft.state.language):
        draft.state = replace(draft.state, language=signal.language)
        draft.forget_scopes()
    try:
        done = step.kind.submit(step.config, draft.scope(ROOT), signal.answer, signal.evidence, draft.now)
        following = draft.settle(ROOT, step, position, done)
        then = str(position.note.get("then")) if position.note else ""
        if then in draft.definition.positions:
            following = draft.definition.positions[then]
    except (StepFailure, ExpressionError) as error:
        following = fail(draft, ROOT, step, position, failure_of(draft.definition, step.id, error))
    draft.go_on(ROOT, following)


def went_back(draft: Draft, signal: WentBack) -> None:
    step, _ = _asked(draft, signal.step, signal.visit)
    if _expire(draft):
        return
    target = way_back(draft.definition, draft.state)
    start = start_of_way_back(draft.definition, draft.trail)
    if target is None or start is None:
        raise NoWayBack(f"what came before {step.id} cannot be changed any more")
    again = draft.trail[start:]
    draft.trail = draft.trail[:start]
    draft.undo(again)
    draft.go_on(ROOT, draft.definition.positions[target])


def _asked(draft: Draft, step_id: str, visit: int) -> tuple[Step[UserKind], LanePosition]:
    """The step that the end user is asked, if it is this one. Raises `NotCurrent`."""
    position = draft.lanes.get(ROOT)
    if draft.state.status in OPEN and position is not None and position.phase is Phase.WAITING:
        step = draft.step_at(position)
        if (step.id, position.visit) == (step_id, visit) and isinstance(step.kind, UserKind):
            return step.of(UserKind), position
    raise NotCurrent(f"the execution does not wait for an answer to step {step_id}, or not any more")


def _expire(draft: Draft) -> bool:
    """End the execution if the end user's time is over. What is under way is let come to its end first."""
    expires_at = draft.state.expires_at
    if expires_at is None or expires_at > draft.now or draft.state.runnable:
        return False
    draft.lanes = {}
    draft.state = replace(draft.state, status=Status.EXPIRED)
    return True


# Operators.


def cancel(draft: Draft, signal: Cancelled) -> None:
    if draft.state.status in ENDED:
        raise NotAllowed(f"the execution has ended as {draft.state.status}")
    error = {"code": signal.code, "message": signal.reason} if signal.reason else None
    for lane in draft.lanes:
        draft.let_go(lane)
    draft.lanes = {}
    draft.state = replace(draft.state, status=Status.CANCELLED, error=error)


def retry(draft: Draft, revision_id: UUID, step: str | None = None) -> None:
    if draft.state.status is not Status.FAILED:
        raise NotAllowed(f"only a FAILED execution can be retried; this one is {draft.state.status}")
    draft.state = replace(draft.state, status=Status.RUNNING, error=None, revision_id=revision_id)
    if step is not None:
        go_back_to(draft, step)
        return
    for lane, position in list(draft.lanes.items()):
        if position.phase is Phase.BRANCHING:
            draft.lanes[lane] = replace(position, failure=None, limit=draft.limit_of(draft.step_at(position)))
        elif position.phase is Phase.WAITING and position.child is not None:
            # Its end may have come while nobody listened: look again.
            draft.lanes[lane] = replace(position, phase=Phase.CALLING)
        elif position.phase is Phase.FAILED and position.step is None:
            draft.finish()
    for lane, position in list(draft.lanes.items()):
        if draft.state.status not in OPEN or lane not in draft.lanes:
            continue
        if position.phase is Phase.FAILED:
            _again(draft, lane, position)
        elif position.phase is Phase.BRANCHING and not inner_lanes(draft, lane, draft.step_at(position), position):
            after_lane(draft, lane, str(position.step))  # its time was over before its lanes were


def _again(draft: Draft, lane: str, position: LanePosition) -> None:
    step = draft.step_at(position)
    fresh = replace(
        position,
        phase=Phase.READY,
        attempt=position.attempt + 1,
        tries=1,
        since=draft.now,
        until=None,
        limit=None,
        due=None,
        remind=None,
        event=None,
        note=None,
    )
    draft.go_on(lane, attempt(draft, lane, step, fresh))


# Executions that steps start.


def child_began(draft: Draft, child: UUID) -> None:
    lane, position = _holder(draft, child)
    if position is not None and position.phase is Phase.CALLING:
        draft.lanes[lane] = replace(position, phase=Phase.WAITING, revive=False)


def child_ended(draft: Draft, ended: ChildEnded) -> None:
    lane, position = _holder(draft, ended.child)
    if position is None:
        return
    draft.over.add(ended.child)
    step = draft.step_at(position)
    described = {"workflowId": str(ended.child)}
    if ended.status is Status.COMPLETED:
        output = {**described, "status": ended.status.value, "result": ended.result}
        draft.go_on(lane, draft.settle(lane, step, position, Done(output), described))
        return
    # One that was cancelled or has expired cannot go on: a retry starts another one.
    held = ended.child if ended.status is Status.FAILED else None
    position = replace(position, child=held, revive=held is not None)
    draft.go_on(lane, fail(draft, lane, step, position, _child_failure(ended), described))


def _holder(draft: Draft, child: UUID) -> tuple[str, LanePosition | None]:
    """The lane that waits for this child; None where none does any more."""
    if draft.state.status in OPEN:
        for lane, position in draft.lanes.items():
            if position.child == child and position.phase in (Phase.CALLING, Phase.WAITING):
                return lane, position
    return ROOT, None


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
