"""Inner lanes, and failing: what a failure means is for the steps around it to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from passerelle.definitions.model import Step
from passerelle.engine.kinds import BranchingKind, Done, StepFailure
from passerelle.engine.lanes import ROOT, Key, inner_lane, place_of_lane
from passerelle.engine.model import Phase, Position
from passerelle.engine.transitions.working import Working, error_of
from passerelle.kit.json import Json, JsonObject


class Branching(Working):
    """Opens and joins the lanes of `parallel` and `each`; retries what failed, or lets it fail for good."""

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
        if free > 0 or not all(self._has_failed(inner) for inner in under_way):
            return None
        if position.failure is not None:
            return self._branches_failed(lane, step, position, StepFailure(**position.failure))
        return self._joined(lane, step, position, kind, keys)

    def _inner(self, lane: str, step: Step, position: Position) -> list[str]:
        """The lanes of a branching step that are under way, or failed and not dealt with."""
        return [inner for inner in self.lanes if inner != ROOT and place_of_lane(inner)[:2] == (lane, step.id)]

    def _has_failed(self, lane: str) -> bool:
        """Whether a lane has failed, and nothing below it goes on."""
        position = self.lanes[lane]
        if position.phase is not Phase.BRANCHING:
            return position.phase is Phase.FAILED
        inner = self._inner(lane, self._step(position), position)
        return position.failure is not None and all(self._has_failed(name) for name in inner)

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

    # Failing.

    def _fail(
        self, lane: str, step: Step, position: Position, failure: StepFailure, described: Json = None
    ) -> int | None:
        """An attempt failed: make another one later, or let the step fail for good."""
        retry = step.retry
        again = retry is not None and position.tries < retry.attempts and retry.covers(failure.reason)
        if retry is None or not again:
            return self._fail_for_good(lane, step, position, failure, described)
        self._record(lane, step, position, "FAILED", input=described, error=error_of(step.id, failure))
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
        error = error_of(step.id, failure)
        # Later steps can ask `has(steps.<id>.error)`.
        self._record(lane, step, position, "FAILED", input=described, error=error, output={"error": error})
        return self._after(step, step.on_error.goto)

    def _give_up(self, lane: str, step: Step, position: Position, failure: StepFailure, described: Json) -> None:
        self._record(lane, step, position, "FAILED", input=described, error=error_of(step.id, failure))
        self.lanes[lane] = replace(position, phase=Phase.FAILED, due=None)
        self._fall(lane, step.id, failure)

    def _fall(self, lane: str, step_id: str, failure: StepFailure) -> None:
        """A step of `lane` failed for good: the step around the lane decides, or the execution fails."""
        if lane == ROOT:
            self._failed(step_id, failure)
            return
        parent, owner_id, _ = place_of_lane(lane)
        owner = self.definition.by_id[owner_id]
        assert isinstance(owner.kind, BranchingKind)
        policy = self._policy(parent, owner, owner.kind)
        if policy == "continue":
            position = self.lanes[lane]
            if position.phase is Phase.BRANCHING:  # so that the last run of the lane says that it failed
                self._record(lane, self._step(position), position, "FAILED", error=error_of(step_id, failure))
            for name in [name for name in self.lanes if _around(name, lane)]:
                self._close(name)
            self.values[lane] = {"error": error_of(step_id, failure)}
            self._after_lane(parent, owner_id)
        elif policy == "wait":
            self.lanes[parent] = replace(self.lanes[parent], failure=_facts(failure))
            self._after_lane(parent, owner_id)
        else:
            self.go_on(parent, self._branches_failed(parent, owner, self.lanes[parent], failure, step_id))

    def _policy(self, lane: str, step: Step, kind: BranchingKind) -> Literal["cancel", "wait", "continue"]:
        """What a branching step does when one of its lanes fails. Where its own failure makes a step around it wait
        for others, its lanes are waited for as well: they stay for a retry, and must not go on unseen."""
        policy = kind.when_one_fails(step.config)
        if policy != "cancel" or step.on_error.action != "fail" or lane == ROOT:
            return policy
        parent, owner_id, _ = place_of_lane(lane)
        owner = self.definition.by_id[owner_id]
        assert isinstance(owner.kind, BranchingKind)
        return "wait" if self._policy(parent, owner, owner.kind) == "wait" else "cancel"

    def _branches_failed(
        self, lane: str, step: Step, position: Position, failure: StepFailure, inner: str | None = None
    ) -> int | None:
        """A branching step fails. Where nobody handles that, its lanes stay, so that a retry goes on inside of them."""
        if step.on_error.action == "fail":
            self.lanes[lane] = replace(position, failure=_facts(failure))
            self._fall(lane, inner or step.id, failure)
            return None
        for name in [name for name in self.lanes if _below(name, lane, step)]:
            self._close(name)
        return self._fail_for_good(lane, step, position, failure)


def _facts(failure: StepFailure) -> JsonObject:
    return {"code": failure.code, "message": failure.message, "details": failure.details}


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
