"""Checks at a form's fields that ask somebody outside: when a field is left, and once more at Continue.

Whoever cannot be reached keeps nobody from going on: what is not known to be wrong is taken.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

import structlog

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.form_answers import FieldFinding, Judged
from passerelle.definitions.kinds import Path
from passerelle.end_user.session.limits import Pace
from passerelle.engine.field_checks import OutsideFieldCheck
from passerelle.engine.kinds import StepFailure
from passerelle.engine.steps.form import FormConfig
from passerelle.kit.clock import Clock
from passerelle.kit.http.fields import pointer
from passerelle.kit.json import Json, JsonObject, dumps
from passerelle.workflows.service import Executions

SECONDS: Final = 6.0
"""How long somebody waits for an answer."""
MOST_ASKED: Final = 20
"""Values of one form that are asked about; others are taken."""
REMEMBERED: Final = timedelta(minutes=10)
"""How long an answer holds, so that Continue asks nothing that was asked when the field was left."""
_MOST_REMEMBERED: Final = 2_000

log = structlog.get_logger("passerelle.end_user")

_Key = tuple[UUID, str, str]


class Asking:
    """Asks, no more often than `Pace` allows, and remembers what it heard."""

    def __init__(self, executions: Executions, pace: Pace, clock: Clock) -> None:
        self._executions = executions
        self._pace = pace
        self._clock = clock
        self._heard: OrderedDict[_Key, tuple[datetime, Judged]] = OrderedDict()

    async def findings(
        self,
        workspace_id: UUID,
        execution_id: UUID,
        config: FormConfig,
        kept: JsonObject,
        scope: Scope,
        *,
        without: Collection[Path] = (),
        only: str | None = None,
    ) -> list[FieldFinding]:
        """What the checks say is wrong. Raises TOO_MANY_SUBMISSIONS.

        without   the values that something is wrong with already
        only      the value at this JSON pointer
        """
        if not config.outside:
            return []
        around = {**scope, "form": kept}
        wanted = (
            (place, path, value)
            for place, path, value in config.check.places(kept, config.outside)
            if path not in without and only in (None, pointer(path))
        )
        asked = list(islice(wanted, MOST_ASKED))
        judged = await asyncio.gather(
            *(self._ask(workspace_id, execution_id, config.outside[place], value, around) for place, _, value in asked)
        )
        return [
            _finding(config, place, path, one.reason)
            for (place, path, _), one in zip(asked, judged, strict=True)
            if one.reason is not None
        ]

    async def _ask(
        self, workspace_id: UUID, execution_id: UUID, check: OutsideFieldCheck, value: Json, scope: Scope
    ) -> Judged:
        try:
            inputs = check.inputs(value, scope)
        except ExpressionError:
            return Judged()
        except StepFailure:
            return Judged("FORMAT")
        key = (workspace_id, check.check.name, dumps(inputs))
        heard = self._heard.get(key)
        if heard is not None and self._clock() - heard[0] < REMEMBERED:
            return heard[1]
        await self._pace.require("check", execution_id)
        try:
            result = await self._executions.ask(workspace_id, check.check, inputs, SECONDS)
        except (StepFailure, TimeoutError) as error:
            log.info("field_check.unanswered", check=check.check.name, error=type(error).__name__)
            return Judged()
        judged = check.judged(result)
        self._heard[key] = (self._clock(), judged)
        while len(self._heard) > _MOST_REMEMBERED:
            self._heard.popitem(last=False)
        return judged


def _finding(config: FormConfig, place: Path, path: Path, reason: str) -> FieldFinding:
    name = config.outside[place].check.name
    said = config.form.texts.get((place, "errorMessage"))
    parameters = {"check": name, "reason": reason, **({} if said is None else {"said": said})}
    return FieldFinding(path, "check", f"does not pass the check `{name}` ({reason})", parameters)
