"""The JSON Schema of scenario files, published for editors."""

from __future__ import annotations

from typing import Any, Final

from passerelle.definitions.parts import PARTS, part
from passerelle.kit.json import JsonObject

SCHEMA_ID: Final = "urn:passerelle:schema:scenarios"

_ANSWER: Final[JsonObject] = {
    "type": "object",
    "description": "One answer: over HTTP `status`, `headers` and `body`, or `fails`; instead of any other call "
    "`output` or `error`; to a step that waits, `body` and `after`.",
    "additionalProperties": False,
    "properties": {
        "status": {
            "type": "integer",
            "minimum": 100,
            "maximum": 599,
            "default": 200,
            "description": "The status of an HTTP answer.",
        },
        "headers": {
            "type": "object",
            "description": "The headers of an HTTP answer.",
            "additionalProperties": {"type": "string"},
        },
        "body": {"description": "The body: a text is sent as it is, anything else as JSON."},
        "fails": {
            "enum": ["timeout", "connection", "unreadable", "tooLarge", "refused"],
            "description": "There is no HTTP answer: too late, no connection, too large, or not allowed to be asked.",
        },
        "output": {"description": "What the step gives, without being called; of a check, `status` is enough."},
        "error": {
            "type": "object",
            "description": "How the step fails, without being called.",
            "additionalProperties": False,
            "required": ["code"],
            "properties": {
                "code": part("errorCode", "The failure's code."),
                "message": {"type": "string", "description": "The failure's sentence."},
                "reason": {"type": "string", "description": "What `retry.on` is compared with: `timeout`, `503`…"},
            },
        },
        "outcome": {"type": "string", "description": "What a reviewer decides."},
        "comment": {"type": "string", "description": "What the reviewer says to it."},
        "by": {"type": "string", "description": "Who decides; by default the first, the second… reviewer."},
        "after": part("duration", "How long after the step began to wait it is sent; at once by default."),
    },
    "examples": [
        {"status": 200, "body": {"active": True}},
        {"status": 503, "headers": {"Retry-After": "2"}},
        {"fails": "timeout"},
        {"output": {"status": "valid"}},
        {"body": {"paid": 120}, "after": "2d"},
        {"outcome": "approve", "by": "Anna", "after": "3h"},
    ],
}

_ANSWERS: Final[JsonObject] = {
    "type": "object",
    "description": "What steps are answered, by step: one answer for every call, or a list with one for each.",
    "additionalProperties": {
        "description": "One answer for every call, or a list with one for each.",
        "anyOf": [{"$ref": "#/$defs/answer"}, {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/answer"}}],
        "errorMessage": "must be an answer, or a list of answers",
    },
    "examples": [{"registry": [{"status": 503}, {"status": 200, "body": {"age": 3}}]}],
}

_REQUEST: Final[JsonObject] = {
    "type": "object",
    "description": "A request as it must have gone out; what is left out is not compared.",
    "additionalProperties": False,
    "properties": {
        "method": {"type": "string", "description": "The method, such as `POST`."},
        "url": {"type": "string", "description": "The whole URL."},
        "headers": {
            "type": "object",
            "description": "Headers by name, upper or lower case.",
            "additionalProperties": {"type": "string"},
        },
        "body": {"description": "The body: JSON where it is JSON, its text otherwise."},
    },
    "examples": [{"method": "GET", "url": "https://registry.example/companies/7740001454"}],
}

_RECORDS: Final[JsonObject] = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "object"}},
}

_EXPECT: Final[JsonObject] = {
    "type": "object",
    "description": "What must come of it; what is left out is not compared.",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "status": {
            "enum": ["RUNNING", "AWAITING", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"],
            "description": "Where the execution stands at the end.",
        },
        "path": {
            "type": "array",
            "description": "The steps that ran, in order; skipped ones do not count, and repeated attempts count once. "
            "Steps inside of others count where one of them stands here by its place.",
            "items": {"$ref": "#/$defs/place"},
        },
        "result": {"description": "The result. Of objects, only the members that stand here are compared."},
        "outputs": {
            "type": "object",
            "description": "Outputs by step. Of objects, only the members that stand here are compared.",
        },
        "error": {
            "description": "The error that the execution failed with: its code, or more of it.",
            "anyOf": [
                part("errorCode"),
                {
                    "type": "object",
                    "additionalProperties": False,
                    "minProperties": 1,
                    "properties": {
                        "code": part("errorCode", "The error's code."),
                        "step": part("stepId", "The step that failed."),
                        "message": {"type": "string", "description": "The whole sentence."},
                    },
                },
            ],
            "errorMessage": "must be a code such as `HTTP_TIMEOUT`, or `{code, step, message}`",
        },
        "waitingFor": {
            "type": "array",
            "description": "The steps at which it rests.",
            "items": {"$ref": "#/$defs/place"},
        },
        "records": {
            **_RECORDS,
            "description": "Every record of a table, by table. Of each, only the fields that stand here are compared.",
        },
        "requests": {
            "type": "object",
            "description": "The requests over HTTP that a step made, all of them, in order.",
            "additionalProperties": {"type": "array", "items": _REQUEST},
        },
        "elapsed": part("duration", "How long it took by the scenario's clock: its waits, and those between attempts."),
    },
    "examples": [{"status": "COMPLETED", "path": ["nip", "register"], "result": {"decision": "approve"}}],
}

_GIVEN: Final[dict[str, JsonObject]] = {
    "now": {
        "type": "string",
        "description": "When it starts, as ISO 8601 with `Z`; 2026-01-05T09:00:00Z by default.",
        "examples": ["2026-03-28T22:00:00Z"],
    },
    "locale": {"type": "string", "description": "The execution's language.", "examples": ["pl"]},
    "parameters": {"type": "object", "description": "What the execution is started with."},
    "secrets": {
        "type": "object",
        "description": "Secrets by name; a secret that is not given has its name as its value.",
        "additionalProperties": {"type": "string"},
    },
    "record": {
        "type": "object",
        "description": "The fields of the record that the execution is started with.",
        "examples": [{"companyNumber": "7740001454"}],
    },
    "records": {
        **_RECORDS,
        "description": "Other records that are there, by table. Their types are not checked.",
        "examples": [{"customers": [{"companyNumber": "7740001454", "status": "new"}]}],
    },
    "answers": _ANSWERS,
}

_SCENARIO: Final[JsonObject] = {
    "type": "object",
    "description": "One execution and what must come of it.",
    "additionalProperties": False,
    "required": ["name", "expect"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200, "description": "What it shows, in a sentence."},
        **_GIVEN,
        "events": {
            "type": "array",
            "description": "Events that come at their time, whatever the execution does then.",
            "items": {
                "type": "object",
                "description": "One event.",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "description": "The event's name."},
                    "body": {"description": "The event's body."},
                    "after": part("duration", "How long after the start; at once by default."),
                },
            },
            "examples": [[{"name": "paymentReceived", "body": {"amount": 120}, "after": "2d"}]],
        },
        "stopAfter": part("duration", "How far the clock goes. By default waits and retries are over by themselves."),
        "expect": _EXPECT,
    },
}

_ERROR_CODE: Final[JsonObject] = {
    "type": "string",
    "description": "An error's code.",
    "pattern": "^[A-Z][A-Z0-9_]*$",
    "errorMessage": "must be a code in capitals, such as `HTTP_TIMEOUT`",
}


_PLACE: Final[JsonObject] = {
    "type": "string",
    "description": "A step: its id, or its place inside of other steps such as `owners[0].person`.",
    "pattern": r"^[A-Za-z_][A-Za-z0-9_]*((#\d+-\d+)?(\[\d+\])?\.[A-Za-z_][A-Za-z0-9_]*)*$",
    "errorMessage": "must be a step's id, or its place such as `owners[0].person`",
}


def scenarios_schema() -> dict[str, Any]:
    """The JSON Schema 2020-12 of scenario files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Passerelle scenarios",
        "description": "Scenarios that a definition must pass.",
        "type": "object",
        "additionalProperties": False,
        "required": ["scenarios"],
        "properties": {
            "$schema": {"type": "string", "description": "For editors: where this schema is."},
            "definition": {
                "type": "string",
                "minLength": 1,
                "description": "The definition's file, seen from this one; `a.yaml` by default for `a.test.yaml`.",
            },
            "common": {
                "type": "object",
                "description": "What every scenario has that does not say otherwise, by name.",
                "additionalProperties": False,
                "properties": _GIVEN,
            },
            "scenarios": {
                "type": "array",
                "description": "The scenarios.",
                "minItems": 1,
                "items": _SCENARIO,
            },
        },
        "$defs": {
            **{name: PARTS[name] for name in ("duration", "stepId")},
            "errorCode": _ERROR_CODE,
            "answer": _ANSWER,
            "place": _PLACE,
        },
    }
