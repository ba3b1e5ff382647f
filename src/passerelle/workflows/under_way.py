"""Calls to the outside that have begun and not come back: their side may have taken them already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from passerelle.definitions.model import Definition
from passerelle.engine.kinds import OutsideKind
from passerelle.engine.lanes import path_of
from passerelle.engine.model import State
from passerelle.engine.positions import Phase
from passerelle.engine.transitions import call_shown, scope_of
from passerelle.workflows.models import StepRunView


def under_way(
    definition: Definition, state: State, now: datetime, over: Sequence[StepRunView]
) -> Iterator[StepRunView]:
    """As the timeline shows them. `over`: the attempts that are."""
    known = {(run.step, run.visit, run.attempt) for run in over}
    for lane, position in state.lanes.items():
        step = definition.by_id.get(str(position.step))
        if step is None or position.phase is not Phase.CALLING or not isinstance(step.kind, OutsideKind):
            continue
        path, since = path_of(lane, step.id), position.since or state.identity.created_at
        if (path, position.visit, position.attempt) not in known:
            shown = call_shown(step, scope_of(definition, state, now, lane))
            yield StepRunView(
                path, position.visit, position.attempt, step.kind.name, "RUNNING", shown, None, None, since, None
            )
