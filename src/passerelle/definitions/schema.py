"""The language's published JSON Schema, built from the step kinds that are installed."""

from __future__ import annotations

from typing import Any, Final

from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.parts import PARTS, part
from passerelle.definitions.words import quoted
from passerelle.kit.json import JsonObject

SCHEMA_ID: Final = "urn:passerelle:schema:definition"

PARAMETER_TYPES: Final = ("string", "number", "boolean", "object", "list")

_PARAMETER: Final[JsonObject] = {
    "type": "object",
    "description": "One value that an execution is started with.",
    "additionalProperties": False,
    "required": ["type"],
    "properties": {
        "type": {"enum": list(PARAMETER_TYPES), "description": "What the value must be."},
        "required": {"type": "boolean", "default": False, "description": "Whether a start without it is refused."},
        "default": {"description": "The value where none is given; of the parameter's type."},
        "title": part("text", "What people are shown as its name."),
        "pii": part("pii"),
    },
    "examples": [{"type": "string", "required": True}],
}

_RETRY: Final[JsonObject] = {
    "type": "object",
    "description": "When and how often a failed attempt is repeated. What is left out stays at its default.",
    "additionalProperties": False,
    "properties": {
        "attempts": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": 5,
            "description": "Attempts in all, the first included; 1 means no retry.",
        },
        "first": part("duration", "The wait before the second attempt; 1s by default."),
        "factor": {
            "type": "number",
            "minimum": 1,
            "maximum": 100,
            "default": 2,
            "description": "How much longer each further wait is.",
        },
        "max": part("duration", "The longest wait; 1m by default."),
        "on": {
            "type": "array",
            "description": "What is worth another attempt: `timeout`, `connection`, `answer` (it came and cannot be"
            " read), a status, `4xx` or `5xx`.",
            "minItems": 1,
            "items": {
                "type": ["string", "integer"],
                "minimum": 400,
                "maximum": 599,
                "pattern": "^(timeout|connection|answer|[45]xx|[45][0-9][0-9])$",
                "errorMessage": "must be `timeout`, `connection`, `answer`, `4xx`, `5xx` or a status from 400 to 599",
            },
            "examples": [["timeout", "5xx", 429]],
        },
    },
    "examples": [{"attempts": 5, "first": "1s", "factor": 2, "max": "1m", "on": ["timeout", "5xx", 429]}],
}

_ON_ERROR: Final[JsonObject] = {
    "description": "What follows when the step has failed for good: `fail` (the execution fails), `continue` (with the"
    " next step), or a jump.",
    "anyOf": [
        {"enum": ["fail", "continue"]},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["goto"],
            "properties": {"goto": part("stepId", "The step that follows.")},
        },
    ],
    "errorMessage": "must be `fail`, `continue` or `{goto: <step>}`",
    "default": "fail",
    "examples": ["continue", {"goto": "review"}],
}

COMMON_STEP_KEYS: Final[dict[str, JsonObject]] = {
    "id": part("stepId"),
    "title": part("text", "What people are shown as the step's name."),
    "when": part("expression", "The step runs only where this is true; otherwise it has no output."),
    "retry": _RETRY,
    "timeout": part("duration", "How long the step may take; then it fails with `timeout`."),
    "onError": _ON_ERROR,
    "maxVisits": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10_000,
        "default": 100,
        "description": "How often a loop may come to this step; once more and it fails.",
    },
    "background": {
        "type": "boolean",
        "default": False,
        "description": "From this step on the end user is done: no step after it may be user-facing.",
    },
}
"""What every step may have beside its kind. A step kind cannot have one of these names."""

_ROOT_KEYS: Final[dict[str, JsonObject]] = {
    "$schema": {"type": "string", "description": "For editors: where this schema is."},
    "name": part("name", "Unique in the workspace; pushing the same name again makes a new revision."),
    "title": part("text", "What people are shown as the workflow's name."),
    "parameters": {
        "type": "object",
        "description": "The values that an execution is started with, by name; expressions read `parameters.<name>`.",
        "propertyNames": {"minLength": 1, "maxLength": 100},
        "additionalProperties": _PARAMETER,
        "examples": [{"userId": {"type": "string", "required": True}}],
    },
    "record": {
        "type": "object",
        "description": "Executions concern a record of this table; its fields are read as `record.<field>`.",
        "additionalProperties": False,
        "required": ["table"],
        "properties": {
            "table": {"type": "string", "minLength": 1, "description": "The table's name."},
            "create": {
                "type": "boolean",
                "default": False,
                "description": "Whether a run that was given no record makes one.",
            },
        },
        "examples": [{"table": "customers", "create": True}],
    },
    "start": {
        "type": "object",
        "description": "What the page at a link says before anything is asked.",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {
            "text": part("text", "What it is about, in Markdown."),
            "documents": {
                "type": "array",
                "description": "What people should have at hand.",
                "minItems": 1,
                "maxItems": 20,
                "items": part("text"),
            },
            "minutes": {"type": "integer", "minimum": 1, "maximum": 600, "description": "How long it takes, roughly."},
        },
        "examples": [{"text": "We open your account.", "documents": ["Your identity card"], "minutes": 5}],
    },
    "timeZone": {
        "type": "string",
        "maxLength": 64,
        "description": "Whose day `execution.today` is: a name of the time zone database; the workspace's by "
        "default, else UTC.",
        "examples": ["Europe/Warsaw"],
    },
    "expiresAfter": part("duration", "How long the end user has: 30m to 30d, 7d by default."),
    "steps": part("steps", "What is done, in order."),
    "result": {
        "description": "What the finished execution answers; every step's output by its id where there is no `result`.",
        "examples": [{"decision": "${has(steps.review) ? steps.review.outcome : 'approve'}"}],
    },
}


def definition_schema(kinds: KindRegistry) -> dict[str, Any]:
    """The JSON Schema 2020-12 of definitions that use these step kinds."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Passerelle workflow definition",
        "description": "A workflow: its parameters, its steps and its result.",
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "steps"],
        "properties": _ROOT_KEYS,
        "$defs": {**PARTS, "steps": _STEPS, "step": _step(kinds)},
    }


_STEPS: Final[JsonObject] = {
    "type": "array",
    "description": "Steps, in order.",
    "minItems": 1,
    "items": {"$ref": "#/$defs/step"},
}


def _step(kinds: KindRegistry) -> JsonObject:
    return {
        "type": "object",
        "description": f"One step: its `id`, one kind ({quoted(kinds)}), and what every step may have.",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {**COMMON_STEP_KEYS, **{name: kind.schema for name, kind in kinds.items()}},
        "oneOf": [{"required": [name]} for name in kinds],
        "examples": [{"id": "risk", "set": {"score": "${parameters.amount > 1000 ? 80 : 10}"}}],
    }
