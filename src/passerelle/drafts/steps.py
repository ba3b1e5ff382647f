"""A step of a text that is being written, to be tried."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from passerelle.definitions.kinds import StepKind
from passerelle.definitions.model import Step
from passerelle.definitions.revisions.service import Revisions
from passerelle.drafts.errors import STEP_NOT_TRIED

K = TypeVar("K", bound=StepKind)


async def step_in(revisions: Revisions, workspace_id: UUID, text: str, step_id: str, kind: type[K]) -> Step[K]:
    """The step with that id, inner ones included. Raises STEP_NOT_TRIED, DEFINITION_TOO_HEAVY."""
    compiled = await revisions.tried(workspace_id, text)
    if compiled.definition is None:
        raise STEP_NOT_TRIED.error(f"mend the text first: {compiled.problems[0]}", "/text")
    step = compiled.definition.by_id.get(step_id)
    if step is None or not isinstance(step.kind, kind):
        raise STEP_NOT_TRIED.error(f"the text has no `{kind.name}` step with the id `{step_id}`", "/step")
    return step.of(kind)
