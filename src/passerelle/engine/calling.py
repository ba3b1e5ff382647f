"""Calls an outside step once, and tells what came of it. Knows no store and no queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition
from passerelle.engine.checks import CheckResult, OutsideCheck
from passerelle.engine.kinds import MASK, OutsideKind, StepFailure, Tools
from passerelle.engine.lanes import ROOT, place_of_lane
from passerelle.engine.model import State
from passerelle.engine.positions import LanePosition
from passerelle.engine.screening import NameLists, NoLists, WorkspaceLists
from passerelle.engine.signals import Called
from passerelle.engine.transitions import call_key, crashed, scope_of
from passerelle.kit.clock import Clock
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.mail import Mail
from passerelle.kit.outgoing import Outgoing
from passerelle.kit.turns import Turns
from passerelle.kit.work import HERE_STEPS, Meter, WorkError, metered

CALLS: Final = 200
"""Calls to the outside that are under way at once in this process, as many as its client has connections."""
CALLS_EACH: Final = 100
"""Of these of one workspace, whose calls may all hang."""


class Sealing(Protocol):
    """Encrypts what an execution keeps of credentials that it was given."""

    def seal(self, plain: str) -> str: ...

    def unseal(self, sealed: str) -> str:
        """Raises `StepFailure` where no key opens it."""


class SecretValues(Sealing, Protocol):
    """Where `${secrets.…}` come from."""

    async def values(self, workspace_id: UUID) -> Mapping[str, str]:
        """By name. Raises `StepFailure` where they cannot be read."""


class _Openly:
    """For executions that live in memory only."""

    def seal(self, plain: str) -> str:
        return plain

    def unseal(self, sealed: str) -> str:
        return sealed


OPENLY: Final = _Openly()


class Calls:
    """Makes the calls of this process, each workspace in its turn."""

    def __init__(
        self, secrets: SecretValues, outgoing: Outgoing, clock: Clock, lists: NameLists, mail: Mail | None
    ) -> None:
        self._secrets = secrets
        self._outgoing = outgoing
        self._clock = clock
        self._lists = lists
        self._mail = mail
        self._turns = Turns(CALLS, CALLS_EACH)

    async def make(self, definition: Definition, state: State, lane: str, position: LanePosition) -> Called:
        """As `call_step`, with the workspace's secrets."""
        workspace_id = state.identity.workspace_id
        try:
            secrets = await self._secrets.values(workspace_id)
        except StepFailure as failure:
            return Called(lane, str(position.step), position.visit, position.attempt, self._clock(), failure=failure)
        async with self._turns.turn(workspace_id):
            called = await call_step(
                definition,
                state,
                lane,
                position,
                secrets=secrets,
                outgoing=self._outgoing,
                clock=self._clock,
                lists=self._lists,
                mail=self._mail,
                sealing=self._secrets,
            )
        if isinstance(called.failure, StepFailure) and called.failure.code == "STEP_CRASHED":
            import structlog  # noqa: PLC0415 - scenarios are played without a log, by a command that starts at once

            structlog.get_logger("passerelle.engine").error(
                "step.crashed", step=position.step, exc_info=called.failure.__cause__
            )
        return called

    async def ask(self, workspace_id: UUID, check: OutsideCheck, inputs: JsonObject, seconds: float) -> CheckResult:
        """What a check says outside of any step. Raises `StepFailure`, and `TimeoutError` after so many seconds."""
        async with asyncio.timeout(seconds), self._turns.turn(workspace_id):
            limit = timedelta(seconds=seconds)
            tools = Tools(self._outgoing, self._clock(), limit, WorkspaceLists(self._lists, workspace_id))
            return await check.run(inputs, tools)


async def call_step(
    definition: Definition,
    state: State,
    lane: str,
    position: LanePosition,
    *,
    secrets: Mapping[str, str],
    outgoing: Outgoing,
    clock: Clock,
    lists: NameLists = NoLists(),  # noqa: B008 - it has no state
    mail: Mail | None = None,
    sealing: Sealing = OPENLY,
    instead: Callable[[], Json] | None = None,
) -> Called:
    """Call the outside step at which a lane is. Whatever goes wrong in it is the signal's `failure`.

    Where the kind raised what it should not have, the failure's cause is that error.
    `sealing` hides what later calls need and nobody may see.
    `instead` is called in the place of the step's kind: it gives the output, or raises `StepFailure`.
    """
    step = definition.by_id[str(position.step)].of(OutsideKind)
    started_at = clock()
    scope = {**scope_of(definition, state, started_at, lane)}
    called = Called(lane, str(position.step), position.visit, position.attempt, started_at)
    try:
        masked = {**scope, "secrets": dict.fromkeys(secrets, MASK)}
        with metered(Meter(each=HERE_STEPS, total=HERE_STEPS)):
            called = replace(called, input=_described(step.kind, step.config, masked))
        if instead is not None:
            return replace(called, output=instead())
        mine = WorkspaceLists(lists, state.identity.workspace_id)
        kept: dict[str, str] = {}
        held = _unsealed(state, lane, sealing) if step.kind.secrets_allowed else {}
        tools = Tools(
            outgoing=outgoing,
            now=clock(),
            timeout=step.timeout,
            lists=mine,
            mail=mail,
            workspace_id=state.identity.workspace_id,
            credentials=[value for headers in held.values() for value in headers.values()],
            keep=kept.__setitem__,
        )
        key = call_key(state.identity.id, lane, position)
        whole = {**scope, "secrets": secrets, "steps": _with_headers(scope["steps"], held)}
        with metered(Meter(each=HERE_STEPS, total=HERE_STEPS)):
            output = await _within(step.timeout, step.kind, step.config, whole, tools, key)
    except (StepFailure, ExpressionError) as failure:
        return replace(called, failure=failure)
    except WorkError:
        said = f"its values take more than {HERE_STEPS:,} steps of work: compute them in a `set` step before"
        return replace(called, failure=StepFailure("STEP_TOO_COSTLY", said))
    return replace(called, output=output, sealed={name: sealing.seal(value) for name, value in kept.items()})


def _unsealed(state: State, lane: str, sealing: Sealing) -> dict[str, dict[str, str]]:
    """The kept headers of the steps that a lane sees, by step and name. Raises `StepFailure`."""
    if not state.sealed:
        return {}
    around = [ROOT, *(lane for lane in _around(lane) if lane != ROOT)]
    return {
        step: {name: sealing.unseal(value) for name, value in headers.items()}
        for one in around
        for step, headers in state.sealed.get(one, {}).items()
    }


def _around(lane: str) -> list[str]:
    """A lane and those that it is inside of, the outermost first."""
    return [] if lane == ROOT else [*_around(place_of_lane(lane)[0]), lane]


def _with_headers(steps: JsonObject, held: Mapping[str, Mapping[str, str]]) -> JsonObject:
    """The steps' outputs, with the kept headers in the place of their masks."""
    filled = {
        step: {**output, "headers": {**output["headers"], **headers}}
        for step, headers in held.items()
        if isinstance(output := steps.get(step), dict) and isinstance(output.get("headers"), dict)
    }
    return {**steps, **filled} if filled else steps


def _described(kind: OutsideKind, config: object, masked: JsonObject) -> Json:
    try:
        return kind.describe(config, masked)
    except (StepFailure, ExpressionError, WorkError):
        raise
    except Exception as error:
        raise crashed(kind.name, error) from error


async def _within(
    limit: timedelta | None, kind: OutsideKind, config: object, scope: JsonObject, tools: Tools, key: str
) -> Json:
    seconds = limit.total_seconds() if limit is not None else None
    try:
        async with asyncio.timeout(seconds):
            return await kind.call(config, scope, tools, key)
    except TimeoutError as error:
        message = f"no answer within {seconds:g} s" if seconds else "no answer in time"
        raise StepFailure("STEP_TIMEOUT", message, reason="timeout") from error
    except (StepFailure, ExpressionError, WorkError):
        raise
    except Exception as error:
        raise crashed(kind.name, error) from error
