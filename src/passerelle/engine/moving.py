"""Moving an execution to another revision of its definition, without any step of it running.

What has begun goes on as it began: a wait keeps its end, an attempt its count, a call its idempotency key. Where steps
have other names in the other revision, a mapping says so. It renames everything that the execution still needs; the
runs that are recorded stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.engine.lanes import path_of, renamed_lane
from passerelle.engine.model import Renaming, State
from passerelle.engine.positions import LanePosition, Phase
from passerelle.kit.json import JsonObject

_CALLED: Final = (Phase.CALLING, Phase.RETRYING, Phase.FAILED)
"""Where an attempt may have reached the outside already."""

Value = TypeVar("Value")
Names = Mapping[str, str]
"""The new names of steps by the old ones; others keep theirs."""


def moved(state: State, to: Definition, revision_id: UUID, names: Names, parameters: JsonObject | None = None) -> State:
    """The same execution on the revision `to`. That it can stand there was judged before.

    parameters   what it is to have from now on; None: the same
    """
    identity = state.identity if parameters is None else replace(state.identity, parameters=parameters)
    state = replace(state, identity=identity, revision_id=revision_id)
    own = {step.id for step in to.steps}
    trail = _trail(tuple(names.get(step, step) for step in state.trail), own)
    if not names:
        return replace(state, trail=trail)
    return replace(
        state,
        lanes={renamed_lane(lane, names): _position(lane, position, names) for lane, position in state.lanes.items()},
        visits={renamed_lane(lane, names): _visits(visits, names, to) for lane, visits in state.visits.items()},
        values={renamed_lane(lane, names): _keys(values, names) for lane, values in state.values.items()},
        undone=_keys(state.undone, names),
        sealed={renamed_lane(lane, names): _keys(steps, names) for lane, steps in state.sealed.items()},
        trail=trail,
        renamings=_renamings(state, names),
    )


def inverse(names: Names) -> Names:
    """The way back; no two steps have the same new name."""
    return {new: old for old, new in names.items()}


def _position(lane: str, position: LanePosition, names: Names) -> LanePosition:
    if position.step is None:
        return position
    step = names.get(position.step, position.step)
    before, after = path_of(lane, position.step), path_of(renamed_lane(lane, names), step)
    known_as = position.known_as
    if before != after and position.phase in _CALLED:
        known_as = known_as or before
    return replace(position, step=step, known_as=None if known_as == after else known_as)


def _visits(visits: Mapping[str, int], names: Names, to: Definition) -> dict[str, int]:
    """A new step under an old name goes on counting: each visit of a name is recorded once."""
    counted = {step: count for step, count in visits.items() if step not in names or step in to.by_id}
    for step, count in visits.items():
        if step in names:
            counted[names[step]] = max(count, visits.get(names[step], 0))
    return counted


def _keys(values: Mapping[str, Value], names: Names) -> dict[str, Value]:
    return {names.get(name, name): value for name, value in values.items()}


def _trail(trail: Sequence[str], own: set[str]) -> tuple[str, ...]:
    """How far the end user may go back: not beyond a step that is not there any more."""
    start = next((index + 1 for index in range(len(trail) - 1, -1, -1) if trail[index] not in own), 0)
    return tuple(trail[start:])


def _renamings(state: State, names: Names) -> tuple[Renaming, ...]:
    last = state.renamings[-1] if state.renamings else None
    if last is not None and last.before == state.ordinal and last.names == inverse(names):
        return state.renamings[:-1]  # it goes back, and nothing has run since
    return (*state.renamings, Renaming(state.ordinal, dict(names)))
