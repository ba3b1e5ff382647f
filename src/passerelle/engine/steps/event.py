"""`event`: waits for `POST /workflows/{id}/events/{name}`. Its output is the event's body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import shorten
from typing import ClassVar, Final

from passerelle.definitions.expressions import Scope
from passerelle.definitions.json_schema import SchemaCheck
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.parts import part
from passerelle.definitions.problems import MOST_TOLD, render_path
from passerelle.engine.kinds import Done, StepFailure, Wait, WaitingKind
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.work import TooCostlyError

EVENT_BODY_INVALID: Final = "EVENT_BODY_INVALID"
EVENT_TIMEOUT: Final = "EVENT_TIMEOUT"
LONGEST_SAID: Final = 500
"""Characters of what is said of one problem: a schema may list any number of options."""


@dataclass(frozen=True, slots=True)
class EventConfig:
    """Which event, what its body must be, and how long to wait for it."""

    name: str
    schema: SchemaCheck | None = None
    within: timedelta | None = None


class EventKind(WaitingKind[EventConfig]):
    """Rests until an event of its name comes; one that came before the step was reached counts."""

    name = "event"
    schema: ClassVar[JsonObject] = {
        "type": ["object", "null"],
        "description": "Waits for `POST /workflows/{id}/events/{name}`; the event's body is the step's output.",
        "additionalProperties": False,
        "properties": {
            "name": {
                "type": "string",
                "description": "The event's name; the step's id by default.",
                "pattern": "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$",
                "errorMessage": "must have 1 to 100 letters, digits, `.`, `-` and `_`, and not begin with `.` or `-`",
                "examples": ["paymentReceived"],
            },
            "schema": part("jsonSchema", "What the body must be; any body without it."),
            "within": part("duration", "How long to wait; then the step fails with EVENT_TIMEOUT."),
        },
        "examples": [{"name": "paymentReceived", "within": "14d"}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> EventConfig:
        value = value or {}
        schema = compiling.json_schema(value["schema"], (*path, "schema")) if "schema" in value else None
        return EventConfig(
            name=value.get("name", compiling.step_id),
            schema=None if schema is None else SchemaCheck(schema),
            within=compiling.duration(value["within"], (*path, "within")) if "within" in value else None,
        )

    def wait(self, config: EventConfig, scope: Scope, now: datetime) -> Wait:
        return Wait(until=now + config.within if config.within is not None else None, event=config.name)

    def output_shape(self, config: EventConfig) -> JsonObject | None:
        return config.schema.schema if config.schema is not None else None

    def event_name(self, config: EventConfig) -> str:
        return config.name

    def accept(self, config: EventConfig, body: Json) -> Json:
        try:
            if config.schema is not None and not config.schema.is_valid(body):
                raise _invalid(config, body, config.schema)
        except TooCostlyError:
            raise StepFailure(
                EVENT_BODY_INVALID, f"the body of the event `{config.name}` is too large to be judged by its schema"
            ) from None
        return body

    def elapsed(self, config: EventConfig) -> Done:
        raise StepFailure(EVENT_TIMEOUT, f"the event `{config.name}` did not come in time: see `within`")


def _invalid(config: EventConfig, body: Json, schema: SchemaCheck) -> StepFailure:
    """Says everything that is wrong, without the values: they are people's data."""
    findings = schema.findings(body)
    problems = [
        {"path": render_path(path, None, "body"), "message": shorten(said, LONGEST_SAID, placeholder="…")}
        for path, said in findings[:MOST_TOLD]
    ]
    if (more := len(findings) - MOST_TOLD) > 0:
        problems.append({"path": "body", "message": f"and {more:,} more; mend these first"})
    listed = "; ".join(f"{problem['path']}: {problem['message']}" for problem in problems)
    return StepFailure(
        EVENT_BODY_INVALID,
        f"the body of the event `{config.name}` does not fit its schema: {listed}",
        details={"problems": problems},
    )
