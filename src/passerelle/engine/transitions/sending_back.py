"""Sending an execution back: the end user is asked again, or an operator has it go on from an earlier step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from passerelle.engine.kinds import Refusal, WaitingKind
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import OPEN
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.signals import AskedAgain
from passerelle.engine.transitions.refusals import NotAllowed
from passerelle.engine.transitions.stepping import enter
from passerelle.engine.transitions.working import Draft
from passerelle.kit.clock import iso


def awaited(draft: Draft, lane: str, place: tuple[str, int, int]) -> LanePosition:
    """The lane's position, if it rests at this step, visit and attempt. Raises `Refusal`."""
    position = draft.lanes.get(lane)
    if draft.state.status not in OPEN or position is None or position.phase is not Phase.WAITING:
        raise Refusal("STEP_NOT_WAITING", f"step {place[0]} does not wait for an answer (any more)")
    if (position.step, position.visit, position.attempt) != place:
        raise Refusal("STEP_NOT_WAITING", f"step {place[0]} does not wait for this answer any more")
    if position.ends is not None and position.ends <= draft.now:
        raise Refusal("STEP_TOO_LATE", f"the time for step {place[0]} was over at {iso(position.ends)}")
    return position


def asked_again(draft: Draft, asked: AskedAgain) -> None:
    """The end user does a step once more; then the steps between run again, or the review follows at once."""
    position = awaited(draft, ROOT, (asked.step, asked.visit, asked.attempt))
    step, target = draft.step_at(position).of(WaitingKind), draft.definition.by_id[asked.target]
    places = draft.definition.positions
    between = [one.id for one in draft.definition.steps[places[target.id] : places[step.id] + 1]]
    again = between if asked.rerun else [target.id, step.id]
    _require_visits_left(draft, again)
    described = step.kind.described(step.config, position.note)
    draft.record(ROOT, step, position, "SKIPPED", input={**described, "askedAgain": asked.told})
    draft.tell(ROOT, step, position, "returned")
    draft.undo(again)
    draft.trail = ()
    _give_time(draft, asked.until)
    following = enter(draft, ROOT, target)
    position = draft.lanes[ROOT]
    if following is not None or position.phase is not Phase.WAITING:
        raise Refusal("STEP_NOT_ASKED", f"step {target.id} would not ask anything as things stand: its `when`")
    then = {} if asked.rerun else {"then": step.id}
    draft.lanes[ROOT] = replace(position, note={"asked": asked.told, **then})


def go_back_to(draft: Draft, step: str) -> None:
    """Let the root lane go on from a step that it has been at; what came after that counts no more."""
    here, ids = draft.lanes[ROOT].step, [one.id for one in draft.definition.steps]
    last = ids.index(here) if here in ids else len(ids) - 1
    if step not in ids[: last + 1] or not draft.visits.get(ROOT, {}).get(step):
        raise NotAllowed(f"the execution has not come by a step {step} of its own sequence")
    for lane in draft.lanes:
        draft.let_go(lane)
    draft.lanes = {}
    draft.undo(ids[ids.index(step) : last + 1])
    draft.trail = ()
    draft.go_on(ROOT, ids.index(step))


def _require_visits_left(draft: Draft, steps: Sequence[str]) -> None:
    visits = draft.visits.get(ROOT, {})
    spent = [step for step in steps if visits.get(step, 0) >= draft.definition.by_id[step].max_visits]
    if spent:
        raise Refusal("STEP_SPENT", f"step {spent[0]} was reached as often as its maxVisits allows")


def _give_time(draft: Draft, until: datetime) -> None:
    identity = draft.state.identity
    if identity.expires_at is not None and identity.expires_at < until:
        draft.state = replace(draft.state, identity=replace(identity, expires_at=until))
