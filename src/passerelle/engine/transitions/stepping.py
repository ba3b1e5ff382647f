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
from passerelle.engine.model import OPEN, Phase, Position, Received
from passerelle.engine.transitions.branching import Branching
from passerelle.engine.transitions.scopes import crashed, failure_of
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.ids import derived_id


class Stepping(Branching):
    """Runs pure steps, and stops at those that call, wait, branch or start another execution."""

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

    def _attempt(self, lane: str, step: Step, position: Position) -> int | None:
        try:
            return self._begin(lane, step, position)
        except (StepFailure, ExpressionError) as error:
            return self._fail(lane, step, position, failure_of(self.definition, step.id, error))

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

    def _take(self, lane: str, step: Step, position: Position, received: Received) -> int | None:
        assert isinstance(step.kind, WaitingKind)
        remaining = tuple(event for event in self.state.inbox if event.id != received.id)
        self.state = replace(self.state, inbox=remaining)
        self.consumed.append(received.id)
        output = step.kind.accept(step.config, received.body)
        return self._settle(lane, step, position, Done(output))

    def _run_child(self, lane: str, step: Step, position: Position) -> None:
        """Have the step's child started, or the failed one that it still holds retried."""
        child = position.child or derived_id(
            self.now, self.state.identity.id, path_of(lane, step.id), position.visit, position.attempt
        )
        self.lanes[lane] = replace(position, phase=Phase.CALLING, child=child, limit=self._limit(step))


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
