"""The state of an execution while one signal is worked out: what is noted, and how a step is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition, Step
from passerelle.engine.kinds import (
    Announcement,
    BranchingKind,
    Done,
    Ended,
    OutsideKind,
    PureKind,
    StepFailure,
    WaitingKind,
)
from passerelle.engine.lanes import ROOT, path_of, place_of_lane
from passerelle.engine.model import ALLOWED, OPEN, Notice, State, Status, StepRun, Transition
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.signals import Signal, Started
from passerelle.engine.transitions.refusals import NotAllowed
from passerelle.engine.transitions.scopes import call_shown, failure_of, scope_of
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.json import Json, JsonObject, KnownJson, dumps
from passerelle.kit.work import KEPT_BYTES, Meter, TooMuchKeptError

LONGEST_TRAIL: Final = 500
"""Steps that an end user can go back over; more are forgotten."""
PURE_STEPS_AT_ONCE: Final = 500
"""After so many pure steps the engine commits and yields, so that one execution cannot hold a process."""
STEP_COST: Final = 20
"""Steps of work for beginning one step of a definition, whatever it does."""

_ANNOUNCED: Final[Mapping[Status, str]] = {
    Status.AWAITING: "workflow.awaiting",
    Status.COMPLETED: "workflow.completed",
    Status.FAILED: "workflow.failed",
    Status.EXPIRED: "workflow.expired",
    Status.CANCELLED: "workflow.cancelled",
}


OPEN_END: Final = StepFailure(
    "OUTCOME_UNKNOWN",
    "sent, outcome unknown: the execution went on without an answer, and whether the request was received nobody knows",
)
"""What stands in the timeline for a call that was under way when nobody waited for it any more."""


class Draft:
    """The next state while one call of `advance` works it out. The state before it stays as it is."""

    def __init__(self, definition: Definition, state: State, now: datetime, meter: Meter, steps_at_once: int) -> None:
        self.definition = definition
        self.before = state
        self.state = state
        self.now = now
        self.runs: list[StepRun] = []
        self.consumed: list[UUID] = []
        self.events: list[Announcement] = []
        self.notices: list[Notice] = []
        self.over: set[UUID] = set()
        self.budget = steps_at_once
        self.meter = meter
        self.lanes = dict(state.lanes)
        self.visits = {lane: dict(visits) for lane, visits in state.visits.items()}
        self.values = dict(state.values)
        self.ordinal = state.ordinal
        self.kept = state.kept
        self.trail = state.trail
        self._own: set[str] = set()
        self._scopes: dict[str, dict[str, Json]] = {}
        self.todo: deque[tuple[str, int]] = deque()

    def scope(self, lane: str) -> dict[str, KnownJson]:
        """What expressions of a lane see; kept up to date while its steps run."""
        if lane not in self._scopes:
            self._scopes[lane] = scope_of(self.definition, self.state, self.now, lane, self.values)
        return self._scopes[lane]

    def forget_scopes(self) -> None:
        """What expressions see has changed otherwise than by a step."""
        self._scopes.clear()

    def undo(self, steps: Collection[str]) -> None:
        """What these steps of the root lane gave counts no more, until they run again."""
        values = self.values.get(ROOT, {})
        self.values[ROOT] = {name: value for name, value in values.items() if name not in steps}
        self._own.discard(ROOT)
        self.state = replace(self.state, undone={**self.state.undone, **dict.fromkeys(steps, self.ordinal)})
        self.forget_scopes()

    def close(self, lane: str) -> None:
        """A lane is over; what its steps gave stays until the join."""
        self.let_go(lane)
        self.lanes.pop(lane, None)
        self.visits.pop(lane, None)
        self._scopes.pop(lane, None)

    def transition(self, before: Status, signal: Signal, spent: int) -> Transition:
        """What has come of it. `spent`: the steps of work that it has cost in all."""
        status = self.state.status
        state = replace(
            self.state,
            status=self._open_status() if status in OPEN else status,
            lanes=self.lanes,
            visits=self.visits,
            values=self.values,
            ordinal=self.ordinal,
            trail=self.trail[-LONGEST_TRAIL:],
            kept=self.kept,
            spent=spent,
        )
        if state.status is not before or isinstance(signal, Started):
            if state.status not in ALLOWED[before]:
                raise NotAllowed(f"an execution that is {before} cannot become {state.status}")
            named = [_ANNOUNCED[state.status]] if state.status in _ANNOUNCED else []
            self.events += [Announcement(kind) for kind in (*named, "workflow.status_changed")]
        abandoned = tuple(sorted(self.before.children - state.children - self.over))
        return Transition(
            state, tuple(self.runs), tuple(self.consumed), tuple(self.events), tuple(self.notices), abandoned
        )

    def _open_status(self) -> Status:
        kind = self.state.identity.execution_type
        if kind == "INTERACTIVE" and self.lanes[ROOT].step in self.definition.user_part.needing:
            return Status.RUNNING
        if kind == "BACKGROUND":
            busy = (Phase.READY, Phase.CALLING, Phase.RETRYING)
            if any(position.phase in busy or position.child for position in self.lanes.values()):
                return Status.RUNNING
        return Status.AWAITING

    def go_on(self, lane: str, index: int | None) -> None:
        """Let a lane go on with the step at `index` of its sequence; None where it stays at its step."""
        if index is not None:
            self.todo.append((lane, index))

    def steps_of(self, lane: str) -> tuple[Step, ...]:
        if lane == ROOT:
            return self.definition.steps
        _, step_id, key = place_of_lane(lane)
        step = self.definition.by_id[step_id].of(BranchingKind)
        return step.kind.steps(step.config, key)

    def step_at(self, position: LanePosition) -> Step:
        return self.definition.by_id[str(position.step)]

    def limit_of(self, step: Step) -> datetime | None:
        return self.now + step.timeout if step.timeout is not None else None

    # A step is over.

    def settle(
        self, lane: str, step: Step, position: LanePosition, outcome: Done | Ended, described: Json = None
    ) -> int | None:
        """A step is over, successfully."""
        if isinstance(outcome, Ended):
            self.record(lane, step, position, "COMPLETED", output=outcome.output)
            self.finish()
            return None
        self.record(lane, step, position, "COMPLETED", input=described or outcome.input, output=outcome.output)
        return self.after(step, outcome.goto)

    def after(self, step: Step, goto: str | None = None) -> int:
        if goto is not None:
            return self.definition.positions[goto]
        return self.definition.positions[step.id] + 1

    def record(
        self,
        lane: str,
        step: Step,
        position: LanePosition,
        status: str,
        *,
        input: Json = None,
        output: Json = None,
        error: JsonObject | None = None,
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
            self.kept += len(dumps(output))
            if self.kept > KEPT_BYTES:
                raise TooMuchKeptError
            if lane not in self._own:  # the state's own mapping stays as it is
                self._own.add(lane)
                self.values[lane] = dict(self.values.get(lane, {}))
            self.values[lane][step.id] = output  # type: ignore[index] # made our own above
            self.scope(lane)["steps"][step.id] = output

    def let_go(self, lane: str) -> None:
        """Nobody waits for a lane's call any more: the timeline says that it was begun, and not what came of it."""
        position = self.lanes.get(lane)
        if position is None or position.phase is not Phase.CALLING or position.step is None:
            return
        step = self.step_at(position)
        place = (path_of(lane, step.id), position.visit, position.attempt)
        if not isinstance(step.kind, OutsideKind) or any(
            (run.step, run.visit, run.attempt) == place for run in self.runs
        ):
            return
        self.record(
            lane, step, position, "FAILED", input=call_shown(step, self.scope(lane)), error=error_of(step.id, OPEN_END)
        )

    def _leave_trail(self, lane: str, step: Step, status: str) -> None:
        """Note how far the end user may go back: not beyond a step that may have had an effect."""
        if lane != ROOT or self.state.identity.execution_type != "INTERACTIVE":
            return
        harmless = status == "SKIPPED" or isinstance(step.kind, PureKind | UserKind)
        self.trail = (*self.trail, step.id) if harmless else ()

    def finish(self) -> None:
        """Every step is through, or an `end` was reached: work out the result."""
        try:
            template = self.definition.result
            result = dict(self.values.get(ROOT, {})) if template is None else template.render(self.scope(ROOT))
        except ExpressionError as error:
            self.lanes = {ROOT: LanePosition(None, Phase.FAILED)}
            self.fail_as_a_whole(None, failure_of(self.definition, None, error))
            return
        self.lanes = {}
        self.state = replace(self.state, status=Status.COMPLETED, result=result, error=None)

    def fail_as_a_whole(self, step: str | None, failure: StepFailure) -> None:
        self.state = replace(self.state, status=Status.FAILED, error=error_of(step, failure))

    # What others hear.

    def tell(self, lane: str, step: Step[WaitingKind], position: LanePosition, what: str, output: Json = None) -> None:
        """Announce what became of a waiting step, where its kind has events."""
        kind = step.kind
        if kind.subject is None:
            return
        data = {
            "workflowId": str(self.state.identity.id),
            "workflowDefinitionId": str(self.state.identity.definition_id),
            "step": path_of(lane, step.id),
            **kind.facts(step.config, position.note, output),
        }
        self.events.append(Announcement(f"{kind.subject}.{what}", data))

    def notify(self, lane: str, step: Step[WaitingKind], position: LanePosition, *, reminder: bool) -> None:
        if step.kind.has_receivers(step.config, position.note):
            self.notices.append(Notice(lane, step.id, position.visit, position.attempt, self.now, reminder))


def error_of(step: str | None, failure: StepFailure) -> JsonObject:
    return {
        "code": failure.code,
        "message": failure.message,
        **({"step": step} if step is not None else {}),
        **({"details": failure.details} if failure.details else {}),
    }
