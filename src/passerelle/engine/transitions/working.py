"""The state of an execution while one happening is worked out: what is noted, and how a step is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition, Step
from passerelle.engine.kinds import Announcement, BranchingKind, Done, Ended, PureKind, StepFailure, WaitingKind
from passerelle.engine.lanes import ROOT, path_of, place_of_lane
from passerelle.engine.model import (
    MOVES,
    OPEN,
    Happening,
    Notice,
    Phase,
    Position,
    Started,
    State,
    Status,
    StepRun,
    Transition,
)
from passerelle.engine.transitions.refusals import NotAllowed
from passerelle.engine.transitions.scopes import failure_of, scope_of
from passerelle.engine.user_kinds import UserKind
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


class Working:
    """What every part of `advance` reads and writes. Lives as long as one call of it."""

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

    def go_on(self, lane: str, index: int | None) -> None:
        """Let a lane go on with the step at `index` of its sequence; None where it stays at its step."""
        if index is not None:
            self._todo.append((lane, index))

    def _steps(self, lane: str) -> tuple[Step, ...]:
        if lane == ROOT:
            return self.definition.steps
        _, step_id, key = place_of_lane(lane)
        step = self.definition.by_id[step_id]
        assert isinstance(step.kind, BranchingKind)
        return step.kind.steps(step.config, key)

    def _step(self, position: Position) -> Step:
        return self.definition.by_id[str(position.step)]

    def _limit(self, step: Step) -> datetime | None:
        return self.now + step.timeout if step.timeout is not None else None

    # A step is over.

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

    def _failed(self, step: str | None, failure: StepFailure) -> None:
        self.state = replace(self.state, status=Status.FAILED, error=error_of(step, failure))

    # What others hear.

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


def error_of(step: str | None, failure: StepFailure) -> JsonObject:
    return {
        "code": failure.code,
        "message": failure.message,
        **({"step": step} if step is not None else {}),
        **({"details": failure.details} if failure.details else {}),
    }
