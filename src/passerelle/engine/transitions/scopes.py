"""What expressions see, and what their failures say."""

from __future__ import annotations

from datetime import datetime
from textwrap import shorten
from typing import Final
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.model import Definition
from passerelle.definitions.places import place_of
from passerelle.engine.kinds import BranchingKind, StepFailure
from passerelle.engine.lanes import ROOT, path_of, place_of_lane
from passerelle.engine.model import Position, State
from passerelle.kit.clock import iso
from passerelle.kit.json import Json

LONGEST_NAMED: Final = 80
"""Characters of an expression that a message repeats; the whole of it is in the details."""


def scope_of(definition: Definition, state: State, now: datetime, lane: str = ROOT) -> Scope:
    """The names that expressions in `lane` see.

    Inner steps see the outputs of their own lane and of the lanes around it, never those of a neighbour.
    """
    identity = state.identity
    scope: dict[str, Json] = {
        "parameters": identity.parameters,
        "steps": dict(state.values.get(ROOT, {})),
        **state.read,
        "execution": {
            "id": str(identity.id),
            "definition": definition.name,
            "startedAt": iso(identity.created_at),
            "now": iso(now),
            "today": f"{now:%Y-%m-%d}",
            "locale": identity.locale,
            "recordId": str(identity.record_id) if identity.record_id else None,
        },
    }
    return _inner_scope(definition, state, scope, lane) if lane else scope


def _inner_scope(definition: Definition, state: State, root: dict[str, Json], lane: str) -> dict[str, Json]:
    parent, step_id, key = place_of_lane(lane)
    outer = _inner_scope(definition, state, root, parent) if parent else root
    step = definition.by_id[step_id]
    assert isinstance(step.kind, BranchingKind)
    names = step.kind.names(step.config, outer, key)
    return {**outer, **names, "steps": {**outer["steps"], **state.values.get(lane, {})}}


def failure_of(definition: Definition, step: str | None, error: StepFailure | ExpressionError) -> StepFailure:
    """A failed expression as the failure of its step, or of the result where `step` is None."""
    if isinstance(error, StepFailure):
        return error
    place = place_of(definition.document, step, error.expression)
    details = {"expression": error.expression, **({"path": place} if place else {})}
    named = shorten(error.expression, LONGEST_NAMED, placeholder="…")
    return StepFailure("EXPRESSION_FAILED", f"`{named}`: {error.reason}", details=details)


def call_key(execution_id: UUID, lane: str, position: Position) -> str:
    """Names a call to the outside, the same for all its attempts: the idempotency key that the other side gets."""
    return f"{execution_id}:{position.known_as or path_of(lane, str(position.step))}:{position.visit}"


def crashed(kind: str, error: Exception) -> StepFailure:
    """What a kind raised that it should not have: the step fails, the engine goes on."""
    return StepFailure("STEP_CRASHED", f"steps of kind {kind} failed unexpectedly: {type(error).__name__}")
