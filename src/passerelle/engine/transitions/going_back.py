"""How far back the end user may go."""

from __future__ import annotations

from collections.abc import Sequence

from passerelle.definitions.model import Definition
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import State


def way_back(definition: Definition, state: State) -> str | None:
    """The user-facing step that the end user may go back to from where the execution rests; None where there is none.

    Only steps without an effect may lie between, and none of those that would run again may have spent its `maxVisits`.
    """
    start = start_of_way_back(definition, state.trail)
    if start is None:
        return None
    here = state.lanes[ROOT].step if ROOT in state.lanes else None
    visits = state.visits.get(ROOT, {})
    again = (*state.trail[start:], *([here] if here is not None else []))
    free = all(visits.get(step, 0) < definition.by_id[step].max_visits for step in again)
    return state.trail[start] if free else None


def start_of_way_back(definition: Definition, trail: Sequence[str]) -> int | None:
    """The place in `trail` of the last step that asked the end user; None where none did."""
    asked = definition.user_part.asked
    return next((index for index in range(len(trail) - 1, -1, -1) if trail[index] in asked), None)
