"""The lanes of `parallel` and `each`, and failing: what a failure means is for the steps around it to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from passerelle.definitions.model import Step
from passerelle.engine.kinds import BranchingKind, Done, StepFailure
from passerelle.engine.lanes import ROOT, Key, inner_lane, place_of_lane
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.transitions.working import Draft, error_of
from passerelle.kit.json import Json, JsonObject


def branch(draft: Draft, lane: str, step: Step[BranchingKind], position: LanePosition) -> int | None:
    """Open the first lanes of a branching step; it is over at once where it has none."""
    draft.lanes[lane] = replace(position, phase=Phase.BRANCHING, limit=draft.limit_of(step))
    return _open_more(draft, lane, step)


def _open_more(draft: Draft, lane: str, step: Step[BranchingKind]) -> int | None:
    """Open as many lanes as may run at once; the step is over once none is left."""
    kind, position = step.kind, draft.lanes[lane]
    keys = kind.open(step.config, draft.scope(lane))
    under_way = inner_lanes(draft, lane, step, position)
    free = min(kind.at_once(step.config) - len(under_way), len(keys) - position.opened)
    if position.failure is not None:
        free = 0
    for key in keys[position.opened : position.opened + max(free, 0)]:
        inner = inner_lane(lane, step.id, position.visit, position.attempt, key)
        draft.lanes[inner] = LanePosition(kind.steps(step.config, key)[0].id)
        draft.todo.append((inner, 0))
    position = draft.lanes[lane] = replace(position, opened=position.opened + max(free, 0))
    if free > 0 or not all(_has_failed(draft, inner) for inner in under_way):
        return None
    if position.failure is not None:
        return branches_failed(draft, lane, step, position, StepFailure(**position.failure))
    return _joined(draft, lane, step, position, keys)


def inner_lanes(draft: Draft, lane: str, step: Step, position: LanePosition) -> list[str]:
    """The lanes of a branching step that are under way, or failed and not dealt with."""
    draft.meter.spend(len(draft.lanes) >> 1)  # lanes inside of lanes multiply
    return [inner for inner in draft.lanes if inner != ROOT and place_of_lane(inner)[:2] == (lane, step.id)]


def _has_failed(draft: Draft, lane: str) -> bool:
    """Whether a lane has failed, and nothing below it goes on."""
    position = draft.lanes[lane]
    if position.phase is not Phase.BRANCHING:
        return position.phase is Phase.FAILED
    inner = inner_lanes(draft, lane, draft.step_at(position), position)
    return position.failure is not None and all(_has_failed(draft, name) for name in inner)


def _joined(
    draft: Draft, lane: str, step: Step[BranchingKind], position: LanePosition, keys: Sequence[Key]
) -> int | None:
    names = {key: inner_lane(lane, step.id, position.visit, position.attempt, key) for key in keys}
    outputs = {key: draft.values.get(name, {}) for key, name in names.items()}
    for name in names.values():
        draft.values.pop(name, None)
    return draft.settle(lane, step, position, Done(step.kind.join(step.config, outputs)))


def after_lane(draft: Draft, lane: str, step_id: str) -> None:
    draft.go_on(lane, _open_more(draft, lane, draft.definition.by_id[step_id].of(BranchingKind)))


# Failing.


def fail(
    draft: Draft, lane: str, step: Step, position: LanePosition, failure: StepFailure, described: Json = None
) -> int | None:
    """An attempt failed: make another one later, or let the step fail for good."""
    retry = step.retry
    again = retry is not None and position.tries < retry.attempts and retry.covers(failure.reason)
    if retry is None or not again:
        return fail_for_good(draft, lane, step, position, failure, described)
    draft.record(lane, step, position, "FAILED", input=described, error=error_of(step.id, failure))
    delay = retry.delay(position.tries).total_seconds()
    due = draft.now + timedelta(seconds=max(delay, min(failure.after or 0, retry.max.total_seconds())))
    draft.lanes[lane] = replace(
        position, phase=Phase.RETRYING, attempt=position.attempt + 1, tries=position.tries + 1, due=due,
        child=None, revive=False,
    )  # fmt: skip
    return None


def fail_for_good(
    draft: Draft, lane: str, step: Step, position: LanePosition, failure: StepFailure, described: Json = None
) -> int | None:
    if step.on_error.action == "fail":
        give_up(draft, lane, step, position, failure, described)
        return None
    error = error_of(step.id, failure)
    # Later steps can ask `has(steps.<id>.error)`.
    draft.record(lane, step, position, "FAILED", input=described, error=error, output={"error": error})
    return draft.after(step, step.on_error.goto)


def give_up(draft: Draft, lane: str, step: Step, position: LanePosition, failure: StepFailure, described: Json) -> None:
    draft.record(lane, step, position, "FAILED", input=described, error=error_of(step.id, failure))
    draft.lanes[lane] = replace(position, phase=Phase.FAILED, due=None)
    _fall(draft, lane, step.id, failure)


def _fall(draft: Draft, lane: str, step_id: str, failure: StepFailure) -> None:
    """A step of `lane` failed for good: the step around the lane decides, or the execution fails."""
    if lane == ROOT:
        draft.fail_as_a_whole(step_id, failure)
        return
    parent, owner_id, _ = place_of_lane(lane)
    owner = draft.definition.by_id[owner_id].of(BranchingKind)
    policy = _policy(draft, parent, owner)
    if policy == "continue":
        position = draft.lanes[lane]
        if position.phase is Phase.BRANCHING:  # so that the last run of the lane says that it failed
            draft.record(lane, draft.step_at(position), position, "FAILED", error=error_of(step_id, failure))
        for name in [name for name in draft.lanes if _around(name, lane)]:
            draft.close(name)
        draft.values[lane] = {"error": error_of(step_id, failure)}
        after_lane(draft, parent, owner_id)
    elif policy == "wait":
        draft.lanes[parent] = replace(draft.lanes[parent], failure=_facts(failure))
        after_lane(draft, parent, owner_id)
    else:
        draft.go_on(parent, branches_failed(draft, parent, owner, draft.lanes[parent], failure, step_id))


def _policy(draft: Draft, lane: str, step: Step[BranchingKind]) -> Literal["cancel", "wait", "continue"]:
    """What a branching step does when one of its lanes fails. Where its own failure makes a step around it wait
    for others, its lanes are waited for as well: they stay for a retry, and must not go on unseen."""
    policy = step.kind.when_one_fails(step.config)
    if policy != "cancel" or step.on_error.action != "fail" or lane == ROOT:
        return policy
    parent, owner_id, _ = place_of_lane(lane)
    owner = draft.definition.by_id[owner_id].of(BranchingKind)
    return "wait" if _policy(draft, parent, owner) == "wait" else "cancel"


def branches_failed(
    draft: Draft, lane: str, step: Step, position: LanePosition, failure: StepFailure, inner: str | None = None
) -> int | None:
    """A branching step fails. Where nobody handles that, its lanes stay, so that a retry goes on inside of them."""
    if step.on_error.action == "fail":
        draft.lanes[lane] = replace(position, failure=_facts(failure))
        _fall(draft, lane, inner or step.id, failure)
        return None
    for name in [name for name in draft.lanes if _below(name, lane, step)]:
        draft.close(name)
    return fail_for_good(draft, lane, step, position, failure)


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
