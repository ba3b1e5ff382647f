"""What must hold before an execution is started, retried or given an event; where it does not, why not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.definitions.model import Definition
from passerelle.definitions.parameters import check_parameters
from passerelle.definitions.revisions.service import Published
from passerelle.definitions.words import suggest
from passerelle.engine.kinds import StepFailure, WaitingKind
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import ENDED, State, Status
from passerelle.engine.positions import Phase
from passerelle.engine.reach import Reach
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import FIELD_INVALID
from passerelle.kit.json import Json, JsonObject, dumps
from passerelle.workflows import errors
from passerelle.workflows.models import ExecutionView

EXPIRES_FROM: Final = timedelta(minutes=30)
EXPIRES_UNTIL: Final = timedelta(days=30)
EVENTS_WAITING: Final = 1_000
"""Events that wait in an execution for their step."""
EVENT_BYTES_WAITING: Final = 5_000_000
"""Bytes of their bodies together: all are read whenever the execution goes on."""


def require_no_user(published: Published) -> None:
    """Raises WORKFLOW_NEEDS_USER for a definition that an end user takes part in."""
    if published.definition.execution_type == "INTERACTIVE":
        raise errors.WORKFLOW_NEEDS_USER.error(
            f"{published.definition.name} has steps for an end user: "
            "create a link or a token, or start it with POST /workflows",
            "/workflowDefinitionId",
        )


def not_found(execution_id: UUID) -> PasserelleError:
    """What is raised for an execution that the workspace does not have."""
    return errors.WORKFLOW_NOT_FOUND.error(f"this workspace has no execution {execution_id}")


def why_no_result(view: ExecutionView) -> str:
    """Why an execution has no result, and what to do."""
    if view.status is Status.FAILED and view.error is not None:
        return f"the execution is FAILED ({view.error['code']}: {view.error['message']}): mend the cause and retry it"
    if view.status in ENDED:
        return f"the execution has ended as {view.status}: there is no result"
    return f"the execution is {view.status}: ask again once it is COMPLETED, or wait for the webhook"


def checked_parameters(definition: Definition, given: JsonObject, wrong: Sequence[Problem] = ()) -> JsonObject:
    """The parameters with their defaults. Raises what is wrong with them, beside what is `wrong` already."""
    values, problems = check_parameters(definition, given)
    if problems or wrong:
        raise PasserelleError(400, [*wrong, *problems])
    return values


def wrong_expiry(expires_at: datetime | None, now: datetime) -> list[Problem]:
    """What is wrong with the time at which an execution is to expire."""
    if expires_at is None:
        return []
    if expires_at.tzinfo is None:
        return [FIELD_INVALID.problem("expiresAt needs a time zone, such as Z", "/expiresAt")]
    if not now + EXPIRES_FROM <= expires_at <= now + EXPIRES_UNTIL:
        return [errors.EXPIRES_AT_INVALID.problem("expiresAt must lie 30 minutes to 30 days ahead", "/expiresAt")]
    return []


def require_steps(state: State, published: Published) -> None:
    """Raises STEP_NOT_IN_REVISION where the revision lacks the steps that the execution stands at."""
    here = {position.step for position in state.lanes.values() if position.step is not None}
    missing = sorted(here - published.definition.positions.keys())
    if missing:
        raise errors.STEP_NOT_IN_REVISION.error(
            f"revision {published.number} has no step {', '.join(missing)}: retry with ?definition=original"
        )


def require_room(state: State, name: str, body: Json) -> None:
    """Refuse an event that would have to wait, where there is no room beside those that do."""
    if any(position.phase is Phase.WAITING and position.event == name for position in state.lanes.values()):
        return
    waiting = state.inbox
    too_many = len(waiting) >= EVENTS_WAITING
    if too_many or (waiting and sum(len(dumps(one.body)) for one in waiting) + len(dumps(body)) > EVENT_BYTES_WAITING):
        raise errors.EVENTS_TOO_MANY.error(
            f"{len(waiting):,} events wait for their steps already: send this one once the execution has taken some"
        )


def require_visited(definition: Definition, state: State, step: str) -> None:
    """Raises STEP_NOT_REACHED for a step that the execution has not come by."""
    reached = [one.id for one in definition.steps if state.visits.get(ROOT, {}).get(one.id)]
    if step not in reached:
        raise errors.STEP_NOT_REACHED.error(
            f"the execution has not come by a step `{step}`; {suggest(step, reached, 'it came by')}", "/step"
        )


def require_event(definition: Definition, state: State, name: str, body: Json) -> None:
    """Refuse at once what no step would take, or will: so that the sender learns of it."""
    takers = [
        step.of(WaitingKind)
        for step in definition.all_steps
        if isinstance(step.kind, WaitingKind) and step.kind.event_name(step.config) == name
    ]
    if not takers:
        raise errors.EVENT_UNKNOWN.error(f"{definition.name} has no event step that takes {name}")
    here = [(position.step, True) for position in state.lanes.values() if position.step in definition.by_id]
    still = Reach(definition).still([(step, inside) for step, inside in here if step is not None])
    coming = [step for step in takers if step.id in still]
    if not coming:
        raise errors.EVENT_UNKNOWN.error(f"every step of {definition.name} that takes {name} is over")
    for step in coming:
        try:
            step.kind.accept(step.config, body)
            return
        except StepFailure as failure:
            refusal = failure
    raise errors.EVENT_BODY_INVALID.error(refusal.message)
