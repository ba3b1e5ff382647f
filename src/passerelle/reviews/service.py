"""Who may decide what, and what is said to those who may not or come too late."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.definitions.words import suggest
from passerelle.engine.kinds import Refusal
from passerelle.engine.lanes import path_of, split_path
from passerelle.engine.model import OPEN, Answered, Phase, Position, State
from passerelle.engine.steps.review import REVIEW_TIMEOUT, ReviewKind, Vote
from passerelle.errors import Code, PasserelleError
from passerelle.executions.errors import WORKFLOW_ENDED
from passerelle.executions.repository import ExecutionView
from passerelle.executions.service import Executions
from passerelle.kit.http.authentication import Principal
from passerelle.kit.json import JsonObject
from passerelle.reviews import errors
from passerelle.reviews.repository import Filters, OpenReview, ReviewRepository

_REFUSALS: Final[dict[str, tuple[Code, Literal["/outcome"] | None]]] = {
    "REVIEW_OUTCOME_UNKNOWN": (errors.REVIEW_OUTCOME_UNKNOWN, "/outcome"),
    "REVIEW_NEEDS_ANOTHER": (errors.REVIEW_NEEDS_ANOTHER, None),
    "STEP_TOO_LATE": (errors.REVIEW_TOO_LATE, None),
}


class Reviews:
    """The feature's service."""

    def __init__(self, executions: Executions, repository: ReviewRepository) -> None:
        self._executions = executions
        self._repository = repository

    async def page(
        self, workspace_id: UUID, filters: Filters, after: tuple[UUID, str] | None, limit: int
    ) -> list[OpenReview]:
        """Open reviews, those of the oldest execution first."""
        return await self._repository.page(workspace_id, filters, after, limit)

    async def decide(
        self, principal: Principal, execution_id: UUID, step: str, outcome: str, comment: str | None
    ) -> ExecutionView:
        """Decide a review, which `step` names by its id or by its path (`owners[0].decide`).

        Raises WORKFLOW_NOT_FOUND, REVIEW_NOT_FOUND, REVIEW_NOT_ALLOWED, REVIEW_OUTCOME_UNKNOWN, and why it can be
        decided no more or not yet. Of two at the same time the second learns of the first.
        """
        loaded, definition = await self._executions.look(principal.workspace_id, execution_id)
        state = loaded.state
        _require_review(definition, step)
        found = _open(state, step)
        if len(found) > 1:
            paths = ", ".join(path_of(lane, str(position.step)) for lane, position in found)
            raise errors.REVIEW_AMBIGUOUS.error(f"several reviews `{step}` are open, name one of them: {paths}")
        if not found:
            raise await self._why_not_open(principal.workspace_id, state, step)
        lane, position = found[0]
        _require_allowed(principal, position)
        by = {"type": "key", "id": str(principal.key_id), "name": principal.name}
        vote = Answered(lane, str(position.step), position.visit, position.attempt, Vote(outcome, comment, by))
        try:
            await self._executions.happen(principal.workspace_id, execution_id, vote)
        except Refusal as refusal:
            if refusal.code not in _REFUSALS:
                loaded, _ = await self._executions.look(principal.workspace_id, execution_id)
                raise await self._why_not_open(principal.workspace_id, loaded.state, step) from None
            code, pointer = _REFUSALS[refusal.code]
            raise code.error(refusal.message, pointer) from None
        return await self._executions.find(principal.workspace_id, execution_id)

    async def _why_not_open(self, workspace_id: UUID, state: State, step: str) -> PasserelleError:
        ended = await self._repository.ended(workspace_id, state.identity.id, step)
        if ended is not None and ended.error is None:
            how = _how(ended.output)
            return errors.REVIEW_DECIDED.error(f"the review `{step}` is decided: {how}")
        if ended is not None and ended.error["code"] == REVIEW_TIMEOUT:
            return errors.REVIEW_TOO_LATE.error(f"the time for the review `{step}` is over: nobody decided in time")
        if state.status not in OPEN:
            return WORKFLOW_ENDED.error(f"the execution is {state.status}, so there is nothing to decide")
        return errors.REVIEW_NOT_REACHED.error(
            f"the execution has not come to the review `{step}` yet: `GET /workflows/{{id}}` says what it waits for"
        )


def may_decide(principal: Principal, assign_to: str | None) -> bool:
    """Whether somebody may decide a review that is assigned so; upper and lower case are the same."""
    return assign_to is None or assign_to.lower() in {role.lower() for role in principal.roles}


def _how(output: JsonObject) -> str:
    return f"`{output['outcome']}` by {output['by']['name']} at {output['at']}"


def _require_review(definition: Definition, step: str) -> None:
    reviews = [one.id for one in definition.all_steps if isinstance(one.kind, ReviewKind)]
    _, step_id = split_path(step)
    if step_id not in reviews:
        hint = suggest(step_id, reviews, "its reviews are") if reviews else "it has none"
        raise errors.REVIEW_NOT_FOUND.error(f"{definition.name} has no review `{step_id}`; {hint}")


def _open(state: State, step: str) -> list[tuple[str, Position]]:
    """The lanes that wait at this review: the named one, or all that do where only the step's id is given."""
    lane, step_id = split_path(step)
    return [
        (name, position)
        for name, position in state.lanes.items()
        if position.step == step_id and position.phase is Phase.WAITING and (not lane or lane == name)
    ]


def _require_allowed(principal: Principal, position: Position) -> None:
    assign_to = position.note["assignTo"]
    if not may_decide(principal, assign_to):
        mine = ", ".join(sorted(principal.roles)) or "none"
        raise errors.REVIEW_NOT_ALLOWED.error(
            f"this review is assigned to {assign_to}, and the roles of {principal.name} are: {mine}"
        )
