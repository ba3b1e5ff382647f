"""`wait`: rests for a time. It has no output."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.parts import part
from passerelle.engine.kinds import StepFailure, Wait, WaitingKind
from passerelle.kit.json import Json, JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class WaitConfig:
    """How long to wait, or until when."""

    length: timedelta | None = None
    until: Template | None = None


class WaitKind(WaitingKind[WaitConfig]):
    """Rests `for` a length of time or `until` a moment; a moment that has passed is no wait."""

    name = "wait"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Waits for a length of time or until a moment.",
        "additionalProperties": False,
        "oneOf": [{"required": ["for"]}, {"required": ["until"]}],
        "properties": {
            "for": part("duration", "How long to wait."),
            "until": {
                "type": "string",
                "description": "The moment, as ISO 8601 with an offset or `Z`; a date alone begins in UTC.",
                "examples": ["${steps.offer.validUntil}", "2026-12-31T12:00:00Z"],
            },
        },
        "examples": [{"for": "2d"}, {"until": "${steps.offer.validUntil}"}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> WaitConfig:
        if "for" in value:
            return WaitConfig(length=compiling.duration(value["for"], (*path, "for")))
        until = value["until"]
        if "${" not in until and parse_moment(until) is None:
            compiling.problem(
                (*path, "until"), f"must be a moment such as `2026-12-31T12:00:00Z`, or `${{…}}`, is `{until}`"
            )
        return WaitConfig(until=compiling.template(until, (*path, "until")))

    def wait(self, config: WaitConfig, scope: Scope, now: datetime) -> Wait:
        if config.until is None:
            return Wait(until=now + (config.length or timedelta()))
        until = parse_moment(config.until.render(scope))
        if until is None:
            raise StepFailure(
                "WAIT_UNTIL_INVALID",
                "`until` gave no moment: it must be ISO 8601 with an offset or `Z`, such as 2026-12-31T12:00:00Z",
            )
        return Wait(until=until)


def parse_moment(value: Json) -> datetime | None:
    """A moment in ISO 8601, in UTC; None for anything else, and for a time of day that names no offset."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2026-12-31"):
            return datetime.combine(date.fromisoformat(value), time(), UTC)
        moment = datetime.fromisoformat(value)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
