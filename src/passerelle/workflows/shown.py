"""What whoever a request acts for sees of executions: which of them, and whether with personal values."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.engine.kinds import MASK
from passerelle.kit.grants import acting
from passerelle.records.masking import Masking
from passerelle.records.sight import PERSONAL
from passerelle.workflows.masking import personal_parameters
from passerelle.workflows.models import ExecutionFilters, ExecutionView

VIEWED: Final = "can_view_executions"


def sees_personal(definition_id: UUID) -> bool:
    """Whether personal values of a definition's executions are shown as they are."""
    now = acting()
    return now is None or now.caller.reach(PERSONAL, "definition", str(definition_id)) is not None


def seen_definitions() -> tuple[UUID, ...] | None:
    """The definitions whose executions may be listed; None for all."""
    now = acting()
    if now is None or now.of != "definition" or now.permission in (None, *now.caller.permissions):
        return None
    assert now.permission is not None
    found = now.caller.grants.resources(now.permission, "definition")
    return None if found is None else tuple(UUID(one) for one in sorted(found))


def narrowed(filters: ExecutionFilters) -> ExecutionFilters:
    """Filters that find only what may be listed."""
    return replace(filters, definitions=seen_definitions())


def shown_view(view: ExecutionView, definition: Definition) -> ExecutionView:
    """An execution without the personal values that it was started with; its result is not looked at."""
    personal = [name for name, parameter in definition.parameters.items() if parameter.pii]
    mask = Masking(personal_parameters(definition, view.parameters))
    parameters = {
        name: MASK if name in personal and value is not None else mask.value(value)
        for name, value in view.parameters.items()
    }
    return replace(view, parameters=parameters, waiting_for=mask.value(view.waiting_for), error=mask.value(view.error))
