"""Keywords of JSON Schema that an author has misspelled, and properties that nothing asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from passerelle.definitions.json_schema import Finding
from passerelle.definitions.kinds import Path
from passerelle.definitions.words import suggest
from passerelle.kit.json import Json

KEYWORDS: Final = frozenset(
    [
        "$schema",
        "$id",
        "$ref",
        "$anchor",
        "$dynamicRef",
        "$dynamicAnchor",
        "$defs",
        "$comment",
        "$vocabulary",
        "definitions",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "prefixItems",
        "items",
        "contains",
        "properties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
        "type",
        "enum",
        "const",
        "multipleOf",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "maxContains",
        "minContains",
        "maxProperties",
        "minProperties",
        "required",
        "dependentRequired",
        "title",
        "description",
        "default",
        "deprecated",
        "readOnly",
        "writeOnly",
        "examples",
        "format",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "errorMessage",
    ]
)
"""Of the dialect 2020-12, with `errorMessage`. What begins with `x-` is everybody's own."""
_ONE: Final = (
    *("items", "additionalProperties", "contains", "not", "if", "then", "else", "propertyNames"),
    *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)
_MANY: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_BESIDE: Final = frozenset({"if", "then", "else", "not", "allOf", "anyOf", "oneOf", "dependentSchemas"})
_MAY_ADD: Final = ("$ref", "allOf", "anyOf", "oneOf", "if", "patternProperties", "dependentSchemas")


def keyword_findings(schema: Json, path: Path = (), *, whole: bool = True) -> Iterator[Finding]:
    """What a valid schema says and nobody reads: the standard lets unknown keywords pass.

    whole   whether it is all that is said of the value; `then` and the like say more of what stands beside them
    """
    if not isinstance(schema, dict):
        return
    for keyword in schema:
        if keyword not in KEYWORDS and not keyword.startswith("x-"):
            hint = suggest(keyword, sorted(KEYWORDS), "see json-schema.org for those that exist, such as")
            yield (*path, keyword), f"there is no keyword `{keyword}`, so nothing would check it; {_short(hint)}"
    if whole:
        yield from _required(schema, path)
    for keyword in _ONE:
        yield from keyword_findings(schema.get(keyword), (*path, keyword), whole=keyword not in _BESIDE)
    for keyword in _MANY:
        for number, inner in enumerate(schema.get(keyword) or ()):
            yield from keyword_findings(inner, (*path, keyword, number), whole=keyword not in _BESIDE)
    for keyword in _NAMED:
        if isinstance(schema.get(keyword), dict):
            for name, inner in schema[keyword].items():
                yield from keyword_findings(inner, (*path, keyword, name), whole=keyword not in _BESIDE)


def _required(schema: dict[str, Any], path: Path) -> Iterator[Finding]:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list) or any(one in schema for one in _MAY_ADD):
        return
    for number, name in enumerate(required):
        if name not in properties:
            hint = suggest(str(name), list(properties), "it has")
            yield (*path, "required", number), f"there is no property `{name}`, so nobody could fill it in; {hint}"


def _short(hint: str) -> str:
    return hint if len(hint) < 120 else "see json-schema.org for those that exist"
