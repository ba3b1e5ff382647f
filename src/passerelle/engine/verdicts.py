"""Whether an execution can be moved to another revision of its definition, and if not, why.

It can where nothing that it rests at, and nothing that lies ahead of it there, needs what it does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition, Step
from passerelle.definitions.parameters import check_parameters, fits
from passerelle.definitions.words import TYPE_NAMES, is_a, one_of, quoted, suggest
from passerelle.engine.kinds import BranchingKind, StepFailure, WaitingKind
from passerelle.engine.lanes import ROOT, path_of, place_of_lane, renamed_lane
from passerelle.engine.model import State, Status
from passerelle.engine.moving import Names, moved
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.reach import Reach
from passerelle.engine.transitions import scope_of
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.json import JsonObject


class MigrationVerdict(StrEnum):
    """What a migration says of one execution."""

    SAFE = "safe"
    NEEDS_MAPPING = "needs-mapping"
    LOOSENS = "loosens"
    """It could be moved, and an open review would have looser rules then: that needs somebody's word for it."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class VerdictReason:
    """Why an execution cannot be moved. `step` is the one that it is about, as `from` names it where it has it."""

    code: str
    message: str
    step: str | None = None
    verdict: MigrationVerdict = MigrationVerdict.REFUSED


_BEGUN: Final = (Phase.WAITING, Phase.CALLING, Phase.BRANCHING)
"""Where the step's kind has kept something that only the same kind understands."""


def verdict_of(reasons: Sequence[VerdictReason]) -> MigrationVerdict:
    """The worst of them; without any it is safe."""
    if not reasons:
        return MigrationVerdict.SAFE
    if any(reason.verdict is MigrationVerdict.REFUSED for reason in reasons):
        return MigrationVerdict.REFUSED
    if any(reason.verdict is MigrationVerdict.NEEDS_MAPPING for reason in reasons):
        return MigrationVerdict.NEEDS_MAPPING
    return MigrationVerdict.LOOSENS


@dataclass(frozen=True)
class RevisionChange:
    """From one revision to another, `number`, with the new names of renamed steps by the old ones."""

    before: Definition
    after: Definition
    number: int
    names: Names

    @cached_property
    def _old(self) -> Reach:
        return Reach(self.before)

    @cached_property
    def _new(self) -> Reach:
        return Reach(self.after)

    @cached_property
    def _former(self) -> Mapping[str, str]:
        """What the steps of `after` are called in `before`, as far as they are there."""
        return {self.name(step): step for step in self.before.by_id if self.name(step) in self.after.by_id}

    def name(self, step: str) -> str:
        """What a step of `before` is called in `after`."""
        return self.names.get(step, step)

    def mapping_problems(self) -> Iterator[tuple[str, str]]:
        """Everything that is wrong with the mapping: the old name it is about, and a sentence."""
        there = f"revision {self.number}"
        taken = {step: step for step in self.before.by_id if step not in self.names and step in self.after.by_id}
        for old, new in self.names.items():
            if old not in self.before.by_id:
                yield old, f"there is no step `{old}` to map; {suggest(old, self.before.by_id, 'the steps are')}"
            elif new not in self.after.by_id:
                yield old, f"{there} has no step `{new}`; {suggest(new, self.after.by_id, 'its steps are')}"
            elif new in taken:
                yield old, f"`{taken[new]}` and `{old}` would both become `{new}`; map each step onto one of its own"
            elif (kinds := self._kinds(old, new)) is not None:
                yield old, f"`{old}` is a `{kinds[0]}` step and `{new}` a `{kinds[1]}`; map steps of the same kind"
            else:
                taken[new] = old

    def _kinds(self, old: str, new: str) -> tuple[str, str] | None:
        kinds = self.before.by_id[old].kind.name, self.after.by_id[new].kind.name
        return kinds if kinds[0] != kinds[1] else None

    def parameters(self, state: State) -> JsonObject:
        """What the execution has from then on: what it has, and the defaults of what it lacks."""
        given = state.identity.parameters
        declared = {name: value for name, value in given.items() if name in self.after.parameters}
        filled, _ = check_parameters(self.after, declared)
        return {**given, **filled} if filled.keys() - given.keys() else given

    def judge(self, state: State, now: datetime) -> list[VerdictReason]:
        """Everything that keeps an execution, which has not ended, from being moved."""
        stands = [
            reason
            for lane, position in state.lanes.items()
            if position.step is not None
            for reason in self._stand(state, lane, position)
        ]
        # Only where it has its place there can be said what lies ahead of it.
        later = [] if stands else [*self._branches(state, now), *self._loosened(state, now), *self._lacking(state)]
        return list(dict.fromkeys([*self._whole(state, now), *stands, *later]))

    # What concerns the execution as a whole.

    def _whole(self, state: State, now: datetime) -> Iterator[VerdictReason]:
        there, identity = f"revision {self.number}", state.identity
        if identity.execution_type != self.after.execution_type:
            asks = "asks an end user" if self.after.execution_type == "INTERACTIVE" else "has no steps for an end user"
            yield VerdictReason(
                "EXECUTION_TYPE_CHANGED", f"{there} {asks}, other than the revision that it was started on"
            )
        elif self._asks_too_late(state, now):
            yield VerdictReason("END_USER_IS_DONE", f"{there} asks the end user again, whose time is over")
        if identity.record_id is not None and self._table_changed():
            yield VerdictReason(
                "RECORD_TABLE_CHANGED", f"{there} concerns records of another table than the execution does"
            )
        yield from self._parameters(identity.parameters)
        taken = {
            step.kind.event_name(step.config) for step in self.after.all_steps if isinstance(step.kind, WaitingKind)
        }
        for name in sorted({received.name for received in state.inbox} - taken):
            yield VerdictReason(
                "EVENT_NOT_TAKEN", f"the event `{name}` has come and waits for its step: {there} has none for it"
            )

    def _asks_too_late(self, state: State, now: datetime) -> bool:
        position, expires_at = state.lanes.get(ROOT), state.identity.expires_at
        if state.status is not Status.AWAITING or position is None or expires_at is None or expires_at > now:
            return False
        return position.step is not None and self.name(position.step) in self.after.user_part.needing

    def _table_changed(self) -> bool:
        before, after = self.before.record, self.after.record
        return after is not None and (before is None or before.table != after.table)

    def _parameters(self, given: JsonObject) -> Iterator[VerdictReason]:
        for name, parameter in self.after.parameters.items():
            if name not in given and parameter.required and parameter.default is None:
                yield VerdictReason("PARAMETER_MISSING", f"revision {self.number} requires the parameter `{name}`")
            elif name in given and not fits(given[name], parameter.type):
                said = f"the parameter `{name}` is {is_a(given[name])}, and there {TYPE_NAMES[parameter.type]}"
                yield VerdictReason("PARAMETER_TYPE", said)

    # Where it stands.

    def _stand(self, state: State, lane: str, position: LanePosition) -> Iterator[VerdictReason]:
        step = self.before.by_id[str(position.step)]
        name = self.name(step.id)
        target = self.after.by_id.get(name)
        owner, _ = self._old.home(step.id)
        if owner is not None and self.name(owner) not in self.after.by_id:
            return  # that is said of the step around it
        if target is None:
            yield self._missing(step)
            return
        if self._new.home(name) != self._home(step.id):
            yield VerdictReason("STEP_ELSEWHERE", f"the step `{name}` stands in another list of steps there", step.id)
        if position.phase in _BEGUN and type(step.kind) is not type(target.kind):
            kinds = f"`{target.kind.name}` there" if step.kind.name != target.kind.name else "of another sort there"
            yield VerdictReason("KIND_CHANGED", f"the step is under way as `{step.kind.name}` and is {kinds}", step.id)
        elif position.phase is Phase.WAITING and isinstance(target.kind, WaitingKind):
            why = target.kind.cannot_stay(target.config, position.event, position.note)
            if why is not None:
                yield VerdictReason("WAIT_CHANGED", f"it cannot be moved while it rests, because {why}", step.id)
        renamed = path_of(lane, step.id) != path_of(renamed_lane(lane, self.names), name)
        if renamed and position.phase is Phase.CALLING:
            yield VerdictReason(
                "STEP_CALLING", "the step is being called at this moment, so move it a little later", step.id
            )
        if name != step.id and state.visits.get(lane, {}).get(name, 0) >= position.visit:
            yield VerdictReason("NAME_USED", f"another step has run as `{name}` in this execution", step.id)

    def _home(self, step: str) -> tuple[str | None, str | None]:
        owner, branch = self._old.home(step)
        return None if owner is None else self.name(owner), branch

    def _missing(self, step: Step) -> VerdictReason:
        home = self._home(step.id)
        free = [
            name
            for name, target in self.after.by_id.items()
            if target.kind.name == step.kind.name and name not in self._former and self._new.home(name) == home
        ]
        gone = f"revision {self.number} has no step `{step.id}`"
        if free:
            onto = one_of(f"`{name}`" for name in free)
            return VerdictReason("STEP_MISSING", f"{gone}: map it onto {onto}", step.id, MigrationVerdict.NEEDS_MAPPING)
        return VerdictReason("STEP_REMOVED", f"{gone}, and no new step of its kind that could take its place", step.id)

    def _branches(self, state: State, now: datetime) -> Iterator[VerdictReason]:
        """Branches and items that are under way must be the same ones there."""
        branching = [(lane, position) for lane, position in state.lanes.items() if position.phase is Phase.BRANCHING]
        if not branching:
            return
        there = moved(state, self.after, state.revision_id, self.names, self.parameters(state))
        for lane, position in branching:
            step = self.before.by_id[str(position.step)]
            target = self.after.by_id[self.name(step.id)].of(BranchingKind)
            try:
                old = scope_of(self.before, state, now, lane)
                new = scope_of(self.after, there, now, renamed_lane(lane, self.names))
                same = target.kind.same(step.config, old, target.config, new)
            except (ExpressionError, StepFailure):
                same = False
            if not same:
                said = f"it is in the middle of `{step.id}`, whose branches or items are others there"
                yield VerdictReason("BRANCHES_CHANGED", said, step.id)

    def _loosened(self, state: State, now: datetime) -> Iterator[VerdictReason]:
        """Rules of what rests that would bind less there: a review keeps those under which it was asked for."""
        there = moved(state, self.after, state.revision_id, self.names, self.parameters(state))
        for lane, position in state.lanes.items():
            if position.phase is not Phase.WAITING:
                continue
            step = self.before.by_id[str(position.step)]
            target = self.after.by_id[self.name(step.id)]
            if not isinstance(target.kind, WaitingKind):
                continue
            try:
                scope = scope_of(self.after, there, now, renamed_lane(lane, self.names))
                how = target.kind.loosens(step.config, target.config, scope, position.note)
            except (ExpressionError, StepFailure):
                how = "its rules cannot be worked out there"
            if how is not None:
                said = f"the review is open, and {how}: `loosenReviews` moves it, by somebody who has not voted"
                yield VerdictReason("REVIEW_LOOSENED", said, step.id, MigrationVerdict.LOOSENS)

    def voters(self, state: State) -> set[tuple[str, str]]:
        """Who has voted on a review that is open, by type and id."""
        votes = (
            vote for one in state.lanes.values() if isinstance(one.note, dict) for vote in one.note.get("votes", ())
        )
        return {(vote["by"]["type"], vote["by"]["id"]) for vote in votes}

    def under_rules(self, state: State, definition: Definition, now: datetime) -> State:
        """An execution whose open reviews have the rules of `definition`, on which it is."""
        for lane, position in state.lanes.items():
            step = definition.by_id.get(str(position.step))
            if position.phase is Phase.WAITING and step is not None and isinstance(step.kind, WaitingKind):
                note = step.kind.loosened(step.config, scope_of(definition, state, now, lane), position.note)
                state = state.lane(lane, replace(position, note=note))
        return state

    # What lies ahead of it.

    def _lacking(self, state: State) -> Iterator[VerdictReason]:
        """Outputs that steps ahead cannot do without, and that nothing gives any more."""
        for lane, position in state.lanes.items():
            for name in sorted(self._needed(lane, position)):
                yield from self._lacks(state, lane, name)

    def _needed(self, lane: str, position: LanePosition) -> set[str]:
        if position.step is None:
            ahead: set[str] = set()
        else:
            step = self.after.by_id[self.name(position.step)]
            ahead = set(self._new.ahead(step.id))
            if position.phase is Phase.WAITING and not isinstance(step.kind, UserKind):
                ahead.discard(step.id)  # what it reads was read when it began to rest
            if position.phase is not Phase.BRANCHING or self._new.goes_on_inside(step.id):
                ahead |= self._new.inside(step.id)
        needed = {name for step_id in ahead for name in self.after.needs.get(step_id, ())}
        return needed | self.after.needs.get(None, frozenset()) if lane == ROOT else needed

    def _lacks(self, state: State, lane: str, name: str) -> Iterator[VerdictReason]:
        former = self._former.get(name)
        if former is not None and former in _seen(state, lane):
            kinds = self.before.by_id[former].kind.name, self.after.by_id[name].kind.name
            if kinds[0] != kinds[1]:
                said = f"`{name}` has run as `{kinds[0]}` and is `{kinds[1]}` there, where later steps read its output"
                yield VerdictReason("OUTPUT_CHANGED", said, former)
            return
        if name in self._new.still(_positions(state, lane, self._new, self.names)):
            return
        if former is not None and former not in self._old.still(_positions(state, lane, self._old, {})):
            return  # it did not run here either: the definition knows what to do then, or does not, in both revisions
        yield self._unread(state, lane, name)

    def _unread(self, state: State, lane: str, name: str) -> VerdictReason:
        kind = self.after.by_id[name].kind.name
        seen = _seen(state, lane)
        givers = [
            step
            for step in self.before.by_id
            if self.name(step) not in self.after.by_id and self.before.by_id[step].kind.name == kind and step in seen
        ]
        said = f"steps ahead read the output of `{name}`, which this execution has passed by and never ran"
        if givers and name not in self._former:
            onto = f"{said}: map {one_of(quoted([step]) for step in givers)} onto it"
            return VerdictReason("OUTPUT_MISSING", onto, name, MigrationVerdict.NEEDS_MAPPING)
        return VerdictReason("OUTPUT_MISSING", f"{said}; let them ask for it with has(steps.{name})", name)


def _positions(state: State, lane: str, reach: Reach, names: Names) -> list[tuple[str, bool]]:
    """Where a lane and those around it stand, and whether the steps inside may still run."""
    found = []
    for here in _chain(lane):
        position = state.lanes.get(here)
        if position is not None and position.step is not None:
            step = names.get(position.step, position.step)
            # Of the steps around it, what they hold is this lane.
            inside = here == lane and (position.phase is not Phase.BRANCHING or reach.goes_on_inside(step))
            found.append((step, inside))
    return found


def _seen(state: State, lane: str) -> set[str]:
    """The steps whose outputs a lane can read, by their old names."""
    return {step for here in _chain(lane) for step in state.values.get(here, {})}


def _chain(lane: str) -> Iterator[str]:
    """A lane and those around it."""
    yield lane
    while lane != ROOT:
        lane = place_of_lane(lane).parent
        yield lane
