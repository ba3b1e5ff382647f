"""Calls an outside step once, and tells what came of it. Knows no store, no queue and no log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import MASK, OutsideKind, StepFailure, Tools
from passerelle.engine.model import Called, Position, State
from passerelle.engine.screening import NameLists, NoLists, WorkspaceLists
from passerelle.engine.transitions import call_key, crashed, scope_of
from passerelle.kit.clock import Clock
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.mail import Mail
from passerelle.kit.outgoing import Outgoing


async def call_step(
    definition: Definition,
    state: State,
    lane: str,
    position: Position,
    *,
    secrets: Mapping[str, str],
    outgoing: Outgoing,
    clock: Clock,
    lists: NameLists = NoLists(),  # noqa: B008 - it has no state
    mail: Mail | None = None,
    instead: Callable[[], Json] | None = None,
) -> Called:
    """Call the outside step at which a lane is. Whatever goes wrong in it is the happening's `failure`.

    Where the kind raised what it should not have, the failure's cause is that error.
    `instead` is called in the place of the step's kind: it gives the output, or raises `StepFailure`.
    """
    step = definition.by_id[str(position.step)]
    assert isinstance(step.kind, OutsideKind)
    started_at = clock()
    scope = {**scope_of(definition, state, started_at, lane)}
    called = Called(lane, str(position.step), position.visit, position.attempt, started_at)
    try:
        masked = {**scope, "secrets": dict.fromkeys(secrets, MASK)}
        called = replace(called, input=step.kind.describe(step.config, masked))
        if instead is not None:
            return replace(called, output=instead())
        mine = WorkspaceLists(lists, state.identity.workspace_id)
        tools = Tools(outgoing=outgoing, now=clock(), timeout=step.timeout, lists=mine, mail=mail)
        key = call_key(state.identity.id, lane, position)
        output = await _within(step.timeout, step.kind, step.config, {**scope, "secrets": secrets}, tools, key)
    except (StepFailure, ExpressionError) as failure:
        return replace(called, failure=failure)
    return replace(called, output=output)


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
    except (StepFailure, ExpressionError):
        raise
    except Exception as error:
        raise crashed(kind.name, error) from error
