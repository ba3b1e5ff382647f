"""What expressions see, and what their failures say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from textwrap import shorten
from typing import Final
from uuid import UUID

from passerelle.definitions.expression_places import place_of
from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.model import Definition, Step
from passerelle.engine.kinds import MASK, BranchingKind, OutsideKind, StepFailure
from passerelle.engine.lanes import ROOT, path_of, place_of_lane
from passerelle.engine.model import State
from passerelle.engine.positions import LanePosition
from passerelle.kit.clock import iso
from passerelle.kit.json import Json, JsonObject, KnownJson

LONGEST_NAMED: Final = 80
"""Characters of an expression that a message repeats; the whole of it is in the details."""


def scope_of(
    definition: Definition,
    state: State,
    now: datetime,
    lane: str = ROOT,
    values: Mapping[str, JsonObject] | None = None,
) -> dict[str, KnownJson]:
    """The names that expressions in `lane` see.

    Inner steps see the outputs of their own lane and of the lanes around it, never those of a neighbour.

    values  the outputs by lane, where they are others than those of `state`
    """
    values = state.values if values is None else values
    identity = state.identity
    scope: dict[str, KnownJson] = {
        "parameters": identity.parameters,
        "steps": dict(values.get(ROOT, {})),
        **state.read,
        "execution": {
            "id": str(identity.id),
            "definition": definition.name,
            "startedAt": iso(identity.created_at),
            "now": iso(now),
            "today": now.astimezone(definition.time_zone or UTC).date().isoformat(),
            "timeZone": str(definition.time_zone or "UTC"),
            "locale": identity.locale,
            "language": state.language or identity.locale,
            "recordId": str(identity.record_id) if identity.record_id else None,
        },
    }
    return _inner_scope(definition, values, scope, lane) if lane else scope


def _inner_scope(
    definition: Definition, values: Mapping[str, JsonObject], root: dict[str, KnownJson], lane: str
) -> dict[str, KnownJson]:
    parent, step_id, key = place_of_lane(lane)
    outer = _inner_scope(definition, values, root, parent) if parent else root
    step = definition.by_id[step_id].of(BranchingKind)
    names = step.kind.names(step.config, outer, key)
    return {**outer, **names, "steps": {**outer["steps"], **values.get(lane, {})}}


def failure_of(definition: Definition, step: str | None, error: StepFailure | ExpressionError) -> StepFailure:
    """A failed expression as the failure of its step, or of the result where `step` is None."""
    if isinstance(error, StepFailure):
        return error
    place = place_of(definition.document, step, error.expression)
    details = {"expression": error.expression, **({"path": place} if place else {})}
    named = shorten(error.expression, LONGEST_NAMED, placeholder="…")
    return StepFailure("EXPRESSION_FAILED", f"`{named}`: {error.reason}", details=details)


class _Masks(dict[str, str]):
    """Secrets as the timeline shows them: each there, none to be seen."""

    def __missing__(self, name: str) -> str:
        return MASK

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: object = None) -> str:
        return MASK


def call_shown(step: Step, scope: Scope) -> Json:
    """A call as the timeline shows it while nobody knows what comes of it; None where it cannot be worked out."""
    if not isinstance(step.kind, OutsideKind):
        return None
    try:
        return step.kind.describe(step.config, {**scope, "secrets": _Masks()})
    except (StepFailure, ExpressionError):
        return None


def call_key(execution_id: UUID, lane: str, position: LanePosition) -> str:
    """Names a call to the outside, the same for all its attempts: the idempotency key that the other side gets."""
    return f"{execution_id}:{position.known_as or path_of(lane, str(position.step))}:{position.visit}"


def crashed(kind: str, error: Exception) -> StepFailure:
    """What a kind raised that it should not have: the step fails, the engine goes on."""
    return StepFailure("STEP_CRASHED", f"steps of kind {kind} failed unexpectedly: {type(error).__name__}")
