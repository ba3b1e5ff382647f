"""`http` steps tried for real while they are written: as a run would send them, once, with sample values."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from passerelle.definitions.expressions import Scope
from passerelle.definitions.model import Step
from passerelle.definitions.revisions.rule import PublishingRule
from passerelle.definitions.revisions.service import Revisions
from passerelle.drafts.errors import HTTP_TRIES_TOO_MANY, HTTP_TRY_NEEDS_ANOTHER
from passerelle.drafts.steps import step_in
from passerelle.drafts.try_schemas import HttpTryBody
from passerelle.engine.calling import SecretValues
from passerelle.engine.http.requests import HttpConfig
from passerelle.engine.http.trying import HttpTrial, try_request
from passerelle.engine.kinds import StepFailure, Tools
from passerelle.engine.steps.http import HttpKind
from passerelle.kit.clock import Clock
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.kit.json import JsonObject
from passerelle.kit.observer import note_object
from passerelle.kit.outgoing import Outgoing
from passerelle.kit.rates import Limit, Rates
from passerelle.kit.turns import Turns
from passerelle.kit.work import HERE_STEPS, Meter, WorkError, metered

TRIES: Final = Limit("http_try", 60, timedelta(minutes=10))
"""For each workspace: they go to where the caller says, in the installation's name."""
LONGEST: Final = timedelta(seconds=60)
"""How long one may take, whatever the step says: somebody waits for it."""
MOST_BYTES: Final = 1_000_000
"""Of an answer: it is shown to a person, beside the work of all others."""
PATIENCE: Final = 10.0
"""Seconds that a try waits for others to end."""
AT_ONCE: Final = 20
AT_ONCE_EACH: Final = 3
"""Tries under way in this process, and those of one workspace: they may all hang."""


class PublishingRules(Protocol):
    """Where it is said whether publishing needs a second person (`passerelle.publishing.service`)."""

    async def rule(self, workspace_id: UUID) -> PublishingRule: ...


class HttpTries:
    """The feature's service. `outgoing`: the one that executions use, with all that it refuses."""

    def __init__(
        self,
        revisions: Revisions,
        secrets: SecretValues,
        outgoing: Outgoing,
        rules: PublishingRules,
        rates: Rates,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._revisions = revisions
        self._secrets = secrets
        self._outgoing = outgoing
        self._rules = rules
        self._rates = rates
        self._clock = clock
        self._new_id = new_id
        self._turns = Turns(AT_ONCE, AT_ONCE_EACH)

    async def send(self, caller: Principal, body: HttpTryBody) -> tuple[HttpTrial, bool]:
        """Send the request of a step. What a run would make of the answer, and whether it would try again.

        Raises STEP_NOT_TRIED, HTTP_TRY_NEEDS_ANOTHER, HTTP_TRIES_TOO_MANY, DEFINITION_TOO_HEAVY.
        """
        step = await step_in(self._revisions, caller.workspace_id, body.text, body.step, HttpKind)
        await self._require_two(caller.workspace_id, step)
        await self._require_few(caller.workspace_id)
        note_object(step.id)
        trial = await self._tried(caller.workspace_id, step, body.values)
        reason = trial.failure.reason if trial.failure is not None else None
        return trial, step.retry is not None and step.retry.attempts > 1 and step.retry.covers(reason)

    async def _tried(self, workspace_id: UUID, step: Step[HttpKind], values: JsonObject) -> HttpTrial:
        try:
            secrets = await self._secrets.values(workspace_id)
        except StepFailure as failure:
            return HttpTrial(None, None, 0, None, failure)
        tools = Tools(self._outgoing, self._clock(), _bounded(step.timeout), workspace_id=workspace_id)
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(PATIENCE):
                    await held.enter_async_context(self._turns.turn(workspace_id))
            except TimeoutError:
                raise HTTP_TRIES_TOO_MANY.error(
                    "other tries are still under way: go on in a moment", headers={"Retry-After": "10"}
                ) from None
            return await _within_work(step.config, _scope(values, secrets), tools, str(self._new_id()))

    async def _require_two(self, workspace_id: UUID, step: Step[HttpKind]) -> None:
        """Where a second person looks at what is published, nobody sends secrets to where they like alone."""
        if step.config.reads_secrets and (await self._rules.rule(workspace_id)).second_person:
            raise HTTP_TRY_NEEDS_ANOTHER.error(
                f"`{step.id}` sends secrets, and here nobody publishes alone: try it with sample values instead"
            )

    async def _require_few(self, workspace_id: UUID) -> None:
        tally = await self._rates.hit(TRIES, str(workspace_id))
        if tally.full:
            raise HTTP_TRIES_TOO_MANY.error(
                f"{TRIES.most} tries in ten minutes are enough: go on in {tally.seconds} seconds",
                headers={"Retry-After": str(tally.seconds)},
            )


async def _within_work(config: HttpConfig, scope: Scope, tools: Tools, key: str) -> HttpTrial:
    bounded = replace(config, max_bytes=min(config.max_bytes, MOST_BYTES), timeout=_bounded(config.timeout))
    try:
        # Filled in twice: as it goes out, and as it is shown.
        with metered(Meter(each=HERE_STEPS, total=2 * HERE_STEPS)):
            return await try_request(bounded, scope, tools, key)
    except WorkError:
        said = f"its values take more than {HERE_STEPS:,} steps of work: compute them in a `set` step before"
        return HttpTrial(None, None, 0, None, StepFailure("STEP_TOO_COSTLY", said))


def _bounded(timeout: timedelta | None) -> timedelta | None:
    return None if timeout is None else min(timeout, LONGEST)


def _scope(values: JsonObject, secrets: Mapping[str, str]) -> JsonObject:
    """The sample values, and the workspace's own secrets, whatever the samples say of them."""
    return {"parameters": {}, "steps": {}, "record": {}, "case": {}, "execution": {}, **values, "secrets": secrets}
