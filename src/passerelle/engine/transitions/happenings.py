"""What may happen to an execution, one method each."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Step
from passerelle.engine.kinds import ChildKind, Done, Kept, OutsideKind, Refusal, StepFailure, WaitingKind
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import (
    ENDED,
    OPEN,
    Answered,
    Called,
    Cancelled,
    ChildEnded,
    Phase,
    Position,
    Received,
    Status,
    Submitted,
    WentBack,
)
from passerelle.engine.transitions.going_back import start_of_way_back, way_back
from passerelle.engine.transitions.refusals import NotAllowed, NotCurrent, NoWayBack
from passerelle.engine.transitions.scopes import call_key, failure_of
from passerelle.engine.transitions.stepping import Stepping
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.clock import iso


class Happenings(Stepping):
    """Each says what changes at once; where the lanes go from there is for `run`."""

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

    # The end user.

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
        start = start_of_way_back(self.definition, self.trail)
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

    # Operators.

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
            if self.state.status not in OPEN or lane not in self.lanes:
                continue
            if position.phase is Phase.FAILED:
                self._again(lane, position)
            elif position.phase is Phase.BRANCHING and not self._inner(lane, self._step(position), position):
                self._after_lane(lane, str(position.step))  # its time was over before its lanes were

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

    # Executions that steps start.

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
