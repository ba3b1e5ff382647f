"""Parts of the language's JSON Schema that step kinds refer to in theirs.

`part("duration", "How long to wait.")` is a reference to `#/$defs/duration` with the description that editors
show at this place. A kind's schema may refer to these parts only; it has no `$defs` of its own.
"""

from __future__ import annotations

from typing import Final

from passerelle.kit.json import JsonObject

# Lengths of time and sizes of files, as `passerelle.kit.durations` and `passerelle.kit.sizes` read them.
DURATION_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"
SIZE_PATTERN: Final = r"^[0-9]{1,12}(B|KB|MB|GB)$"

IDENTIFIER: Final = "^[A-Za-z_][A-Za-z0-9_]*$"
PII: Final = "^[a-z][a-z0-9-]{0,62}$"
LANGUAGE: Final = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"

PARTS: Final[dict[str, JsonObject]] = {
    "text": {
        "type": ["string", "object"],
        "description": "A text for people: one string, or one for each language.",
        "errorMessage": "must be a text, or one text for each language",
        "minProperties": 1,
        "propertyNames": {
            "pattern": LANGUAGE,
            "errorMessage": "a language is written like `en` or `pt-BR`",
        },
        "additionalProperties": {"type": "string"},
        "examples": ["Your company", {"en": "Your company", "pl": "Twoja firma"}],
    },
    "expression": {
        "type": "string",
        "description": "A CEL expression, without `${…}` around it.",
        "errorMessage": "must be an expression such as `steps.risk.score >= 70`",
        "minLength": 1,
        "examples": ["steps.risk.score >= 70", "!has(steps.review) || steps.review.outcome == 'approve'"],
    },
    "template": {
        "description": "Any value; `${…}` in its texts is replaced. A text that is one `${…}` keeps its type.",
        "examples": ["${parameters.userId}", "Dear ${steps.person.firstName}"],
    },
    "textTemplate": {
        "type": "string",
        "description": "A text; `${…}` in it is replaced.",
        "examples": ["Dear ${steps.person.firstName}"],
    },
    "duration": {
        "type": "string",
        "description": "A length of time: a number with ms, s, m, h or d.",
        "pattern": DURATION_PATTERN,
        "errorMessage": "must be a length of time such as `30s`, `5m`, `12h` or `2d`",
        "examples": ["30s", "5m", "12h", "2d"],
    },
    "size": {
        "type": "string",
        "description": "A size of a file: a number with B, KB, MB or GB; 1 KB is 1,024 bytes.",
        "pattern": SIZE_PATTERN,
        "errorMessage": "must be a size such as `500KB` or `10MB`",
        "examples": ["500KB", "10MB"],
    },
    "stepId": {
        "type": "string",
        "description": "Names the step; expressions read its output as `steps.<id>`.",
        "pattern": IDENTIFIER,
        "maxLength": 100,
        "errorMessage": "must begin with a letter and have letters, digits and `_` only (a `-` would be a minus in"
        " `steps.<id>`)",
        "examples": ["company", "riskScore"],
    },
    "name": {
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9-]{0,62}$",
        "errorMessage": "must have 1 to 63 lower-case letters, digits and `-`, and not begin with `-`",
        "examples": ["company-onboarding"],
    },
    "pii": {
        "type": "string",
        "description": "Marks personal data, by class; it is masked in timelines, logs and traces.",
        "pattern": PII,
        "errorMessage": "must be a word in lower-case letters, digits and `-`, such as `contact`",
        "examples": ["contact", "identity", "financial"],
    },
    "jsonSchema": {
        "type": "object",
        "description": "A JSON Schema, draft 2020-12.",
        "examples": [{"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}}],
    },
}
"""By name; `steps`, a list of steps, is added once the kinds are known."""


def part(name: str, description: str | None = None) -> JsonObject:
    """A reference to a part, with a description for its place."""
    reference = {"$ref": f"#/$defs/{name}"}
    return {**reference, "description": description} if description else reference
