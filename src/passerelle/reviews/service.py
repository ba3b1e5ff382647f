"""Who may decide what, and what is said to those who may not or come too late; who has a review in hand; asking the
end user again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal, Protocol
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.definitions.words import suggest
from passerelle.engine.kinds import Refusal
from passerelle.engine.lanes import ROOT, path_of, split_path
from passerelle.engine.model import OPEN, State
from passerelle.engine.positions import LanePosition, Phase
from passerelle.engine.signals import Answered, AskedAgain, Signal
from passerelle.engine.steps.review import REVIEW_TIMEOUT, ReviewKind, Taking, Vote
from passerelle.kit.clock import Clock, iso
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.grants import acting
from passerelle.kit.http.auditing import tell_personal
from passerelle.kit.http.authentication import Principal
from passerelle.kit.json import JsonObject
from passerelle.links.models import MadeLink, Renewal
from passerelle.people.models import Colleague
from passerelle.people.users import Users
from passerelle.reviews import errors
from passerelle.reviews.repository import OpenReview, ReviewFilters, ReviewRepository
from passerelle.workflows.errors import WORKFLOW_ENDED
from passerelle.workflows.models import ExecutionView
from passerelle.workflows.service import Executions
from passerelle.workflows.shown import sees_personal

_REFUSALS: Final[dict[str, tuple[Code, Literal["/outcome"] | None]]] = {
    "REVIEW_OUTCOME_UNKNOWN": (errors.REVIEW_OUTCOME_UNKNOWN, "/outcome"),
    "REVIEW_NEEDS_ANOTHER": (errors.REVIEW_NEEDS_ANOTHER, None),
    "REVIEW_NEEDS_PERSON": (errors.REVIEW_NEEDS_PERSON, None),
    "REVIEW_TAKEN": (errors.REVIEW_TAKEN, None),
    "STEP_SPENT": (errors.STEP_NOT_ASKABLE, None),
    "STEP_NOT_ASKED": (errors.STEP_NOT_ASKABLE, None),
    "STEP_TOO_LATE": (errors.REVIEW_TOO_LATE, None),
}


REVIEW: Final = "can_review"
ASKED_FOR: Final = timedelta(days=7)
"""How long an end user who is asked again has, at least."""


class LinkSource(Protocol):
    """What `passerelle.links.service` does for us."""

    async def renew(self, workspace_id: UUID, execution_id: UUID, renewal: Renewal) -> MadeLink:
        """The link that leads to an execution from now on."""

    async def require_address(self, workspace_id: UUID, execution_id: UUID, renewal: Renewal) -> None:
        """Raises LINK_UNADDRESSED where the link could not be sent."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the end user is asked again.

    step   the step that they did before
    note   what they are told
    email  where the link goes; None: where it went before
    send   whether it is sent; otherwise whoever asks passes it on
    rerun  whether the steps between run again, before the review comes back
    """

    step: str
    note: str
    email: str | None = None
    send: bool = True
    rerun: bool = True


class Reviews:
    """The feature's service."""

    def __init__(
        self, executions: Executions, repository: ReviewRepository, users: Users, links: LinkSource, clock: Clock
    ) -> None:
        self._executions = executions
        self._repository = repository
        self._users = users
        self._links = links
        self._clock = clock

    async def page(
        self, workspace_id: UUID, filters: ReviewFilters, after: tuple[UUID, str] | None, limit: int
    ) -> list[OpenReview]:
        """Open reviews, those of the oldest execution first."""
        tell_personal(shown=False)
        found = await self._repository.page(workspace_id, replace(filters, assigned=_assigned()), after, limit)
        return [await self._shown(workspace_id, review) for review in found]

    async def count(self, workspace_id: UUID, filters: ReviewFilters, at_most: int) -> int:
        """How many open reviews there are, not counted further than `at_most`."""
        tell_personal(shown=False)
        return await self._repository.count(workspace_id, replace(filters, assigned=_assigned()), at_most)

    async def _shown(self, workspace_id: UUID, review: OpenReview) -> OpenReview:
        mask = await self._executions.mask_of(workspace_id, review.revision_id, review.parameters)
        masked = mask.value(review.facts)
        if not sees_personal(review.definition_id):
            return replace(review, facts=masked)
        tell_personal(shown=masked != review.facts)
        return review

    async def decide(
        self, principal: Principal, execution_id: UUID, step: str, outcome: str, comment: str | None
    ) -> ExecutionView:
        """Decide a review, which `step` names by its id or by its path (`owners[0].decide`).

        Raises WORKFLOW_NOT_FOUND, REVIEW_NOT_FOUND, REVIEW_NOT_ALLOWED, REVIEW_OUTCOME_UNKNOWN, and why it can be
        decided no more or not yet. Of two at the same time the second learns of the first.
        """
        lane, position, _ = await self._found(principal, execution_id, step)
        _require_allowed(principal, position)
        by = {"type": principal.kind, "id": str(principal.id), "name": principal.name}
        await self._happen(principal, execution_id, step, _answer(lane, position, Vote(outcome, comment, by)))
        return await self._executions.find(principal.workspace_id, execution_id)

    async def assign(
        self, principal: Principal, execution_id: UUID, step: str, user_id: UUID | None, instead_of: UUID | None
    ) -> None:
        """Give a review to somebody, or take it; None: nobody has it then. `instead_of`: who has it so far.

        Raises as `decide`, REVIEW_TAKEN where somebody else has it meanwhile, REVIEWER_UNFIT.
        """
        lane, position, _ = await self._found(principal, execution_id, step)
        to = None
        if user_id is not None:
            person = await self._colleague(principal, user_id)
            _require_fit(person, position.note["assignTo"])
            to = {"id": str(person.id), "name": person.name}
        taking = Taking(to, str(instead_of) if instead_of is not None else None)
        await self._happen(principal, execution_id, step, _answer(lane, position, taking))

    async def ask(self, principal: Principal, execution_id: UUID, step: str, question: Question) -> MadeLink:
        """Ask the end user to do a step once more; what they entered before is there. Their link is sent again.

        Raises as `decide`, STEP_NOT_ASKABLE, LINK_UNADDRESSED.
        """
        lane, position, definition = await self._found(principal, execution_id, step)
        _require_allowed(principal, position)
        loaded, _ = await self._executions.look(principal.workspace_id, execution_id)
        _require_askable(definition, loaded.state, lane, str(position.step), question.step)
        now = self._clock()
        by = {"type": principal.kind, "id": str(principal.id), "name": principal.name}
        told = {"step": question.step, "note": question.note, "by": by, "at": iso(now)}
        until = now + ASKED_FOR
        renewal = Renewal(question.email, send=question.send, until=until, anew=True)
        if question.send:
            await self._links.require_address(principal.workspace_id, execution_id, renewal)
        asked = AskedAgain(
            str(position.step), position.visit, position.attempt, question.step, told, until, question.rerun
        )
        await self._happen(principal, execution_id, step, asked)
        return await self._links.renew(principal.workspace_id, execution_id, renewal)

    async def _colleague(self, principal: Principal, user_id: UUID) -> Colleague:
        assert principal.organization_id is not None, "every principal belongs to an organization"
        found = await self._users.colleagues(principal.organization_id, principal.workspace_id)
        person = next((one for one in found if one.id == user_id), None)
        if person is None:
            raise errors.REVIEWER_UNFIT.error(
                "nobody with this id works in this workspace: see `GET /people`", "/userId"
            )
        return person

    async def _found(self, principal: Principal, execution_id: UUID, step: str) -> tuple[str, LanePosition, Definition]:
        """The one lane that waits at the review. Raises why there is none, or that there are several."""
        loaded, definition = await self._executions.look(principal.workspace_id, execution_id)
        state = loaded.state
        found = _open(state, step)
        if (assigned := _assigned()) is not None:
            found = [one for one in found if str(one[1].note["assignTo"]).lower() in assigned]
            if not found:
                raise errors.REVIEW_NOT_FOUND.error(
                    "no review of this name is open and assigned to whom you review for"
                )
        _require_review(definition, step)
        if len(found) > 1:
            paths = ", ".join(path_of(lane, str(position.step)) for lane, position in found)
            raise errors.REVIEW_AMBIGUOUS.error(f"several reviews `{step}` are open, name one of them: {paths}")
        if not found:
            raise await self._why_not_open(principal.workspace_id, state, step)
        return *found[0], definition

    async def _happen(self, principal: Principal, execution_id: UUID, step: str, signal: Signal) -> None:
        try:
            await self._executions.happen(principal.workspace_id, execution_id, signal)
        except Refusal as refusal:
            if refusal.code not in _REFUSALS:
                loaded, _ = await self._executions.look(principal.workspace_id, execution_id)
                raise await self._why_not_open(principal.workspace_id, loaded.state, step) from None
            code, pointer = _REFUSALS[refusal.code]
            raise code.error(refusal.message, pointer) from None

    async def _why_not_open(self, workspace_id: UUID, state: State, step: str) -> PasserelleError:
        ended = await self._repository.ended(workspace_id, state.identity.id, step)
        if ended is not None and ended.error is None:
            how = _how(ended.output)
            return errors.REVIEW_DECIDED.error(f"the review `{step}` is decided: {how}")
        if ended is not None and ended.error is not None and ended.error["code"] == REVIEW_TIMEOUT:
            return errors.REVIEW_TOO_LATE.error(f"the time for the review `{step}` is over: nobody decided in time")
        if state.status not in OPEN:
            return WORKFLOW_ENDED.error(f"the execution is {state.status}, so there is nothing to decide")
        return errors.REVIEW_NOT_REACHED.error(
            f"the execution has not come to the review `{step}` yet: `GET /workflows/{{id}}` says what it waits for"
        )


def _answer(lane: str, position: LanePosition, answer: Vote | Taking) -> Answered:
    return Answered(lane, str(position.step), position.visit, position.attempt, answer)


def _require_fit(person: Colleague, assign_to: str | None) -> None:
    if "can_review" not in person.permissions:
        raise errors.REVIEWER_UNFIT.error(f"{person.name} has no role that decides reviews", "/userId")
    if not _named(assign_to, person.roles):
        raise errors.REVIEWER_UNFIT.error(f"the review is for {assign_to}, which {person.name} is not", "/userId")


def _require_askable(definition: Definition, state: State, lane: str, review: str, step: str) -> None:
    """Raises STEP_NOT_ASKABLE where the end user never did this step, or another way leads back to it."""
    done = [name for name in definition.user_part.asked if state.visits.get(ROOT, {}).get(name)]
    if lane != ROOT:
        raise errors.STEP_NOT_ASKABLE.error("the review stands inside of another step: nobody can be asked again there")
    if step not in done:
        raise errors.STEP_NOT_ASKABLE.error(
            f"the end user has not done a step `{step}`; {suggest(step, done, 'they did')}"
            if done
            else "the end user has done nothing in this execution",
            "/step",
        )
    if definition.positions[step] > definition.positions[review]:
        raise errors.STEP_NOT_ASKABLE.error(f"`{step}` comes after the review", "/step")


def may_decide(principal: Principal, assign_to: str | None) -> bool:
    """Whether somebody may decide a review that is assigned so; upper and lower case are the same."""
    if assign_to is None or _named(assign_to, principal.roles):
        return True
    grant = principal.grants.on(REVIEW, "review", assign_to.lower())
    return grant is not None and grant.resource is not None


def _assigned() -> frozenset[str] | None:
    """Whose reviews whoever asks sees; None for everybody's."""
    now = acting()
    if now is None or now.of != "review" or REVIEW in now.caller.permissions:
        return None
    return now.caller.grants.resources(REVIEW, "review")


def _named(assign_to: str | None, roles: frozenset[str]) -> bool:
    return assign_to is None or assign_to.lower() in {role.lower() for role in roles}


def _how(output: JsonObject) -> str:
    return f"`{output['outcome']}` by {output['by']['name']} at {output['at']}"


def _require_review(definition: Definition, step: str) -> None:
    reviews = [one.id for one in definition.all_steps if isinstance(one.kind, ReviewKind)]
    _, step_id = split_path(step)
    if step_id not in reviews:
        hint = suggest(step_id, reviews, "its reviews are") if reviews else "it has none"
        raise errors.REVIEW_NOT_FOUND.error(f"{definition.name} has no review `{step_id}`; {hint}")


def _open(state: State, step: str) -> list[tuple[str, LanePosition]]:
    """The lanes that wait at this review: the named one, or all that do where only the step's id is given."""
    lane, step_id = split_path(step)
    return [
        (name, position)
        for name, position in state.lanes.items()
        if position.step == step_id and position.phase is Phase.WAITING and (not lane or lane == name)
    ]


def _require_allowed(principal: Principal, position: LanePosition) -> None:
    assign_to = position.note["assignTo"]
    if not may_decide(principal, assign_to):
        mine = ", ".join(sorted(principal.roles)) or "none"
        raise errors.REVIEW_NOT_ALLOWED.error(
            f"this review is assigned to {assign_to}, and the roles of {principal.name} are: {mine}"
        )
