"""Validates by JSON Schema 2020-12 and says in our own words everything that is wrong.

A schema may carry its own sentence in `errorMessage`, which several editors know as well: it replaces ours for
`type`, `enum`, `const`, `pattern`, `format`, `not`, `anyOf` and `oneOf` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, Final

import orjson
from jsonschema_rs import Draft202012Validator, FancyRegexOptions, ValidationError, ValidationErrorKind

from passerelle.definitions.kinds import Path
from passerelle.definitions.schema_size import SchemaSize, schema_size, size_findings
from passerelle.definitions.words import TYPE_NAMES, is_a, nearest, one_of, quoted, suggest
from passerelle.kit.countries import is_country
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.phones import is_phone
from passerelle.kit.work import HERE_STEPS, Meter, current

Finding = tuple[Path, str]
"""Where in the value, and what is wrong and what would be right."""

CHECKED_HERE: Final[Mapping[str, Callable[[str], bool]]] = {"phone": is_phone, "country": is_country}
"""Formats that JSON Schema does not have, with what judges a text."""

LONGEST_SHOWN: Final = 60
"""Values that are longer are described, not shown."""
MOST_JUDGED: Final = 1_000
"""Values within a value of which every problem is told; of a larger one only the first."""
PATTERN_ATTEMPTS: Final = 10_000
"""Attempts at one match of a `pattern` that looks around or back."""
PATTERN_BYTES: Final = 1_000_000
"""Memory that a compiled `pattern` may take."""


def build_validator(schema: JsonObject, *, show_values: bool = True) -> Draft202012Validator:
    """A validator that checks formats and never fetches a schema from elsewhere.

    Raises `jsonschema_rs.ValidationError` where the schema itself is not valid.
    """
    return Draft202012Validator(
        dict(schema),
        validate_formats=True,
        offline=True,
        mask=None if show_values else "it",
        formats=dict(CHECKED_HERE),
        pattern_options=_patterns(),
    )


def _patterns() -> FancyRegexOptions:
    """Linear in the text but for what looks around or back, of which only so many attempts are made."""
    return FancyRegexOptions(backtrack_limit=PATTERN_ATTEMPTS, size_limit=PATTERN_BYTES, dfa_size_limit=PATTERN_BYTES)


class SchemaCheck:
    """One schema, compiled. Immutable; may be used from several threads.

    show_values   whether messages may show the values they are about: yes for definitions, no for what people enter
    """

    def __init__(self, schema: JsonObject, *, show_values: bool = False) -> None:
        self._schema = schema
        self._show_values = show_values

    @property
    def schema(self) -> JsonObject:
        """The schema itself."""
        return self._schema

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return build_validator(self._schema, show_values=self._show_values)

    @cached_property
    def _size(self) -> SchemaSize:
        return schema_size(self._schema)

    def __getstate__(self) -> dict[str, Any]:
        """For another process: the validator is made anew where it is needed."""
        return {"_schema": self._schema, "_show_values": self._show_values}

    def is_valid(self, value: Json) -> bool:
        """Whether the value fits; faster than asking for findings. Raises `WorkError` under a meter."""
        self._spend(value)
        return self._validator.is_valid(value)

    def findings(self, value: Json, *, all_of_it: bool = False) -> list[Finding]:
        """Everything that is wrong with `value`; empty where it fits.

        Of a value with more than `MOST_JUDGED` values in it only the first problem, unless `all_of_it`: each problem
        costs as much as judging a hundred values.
        """
        if self._validator.is_valid(value):
            return []
        if all_of_it or parts_within(value, MOST_JUDGED // self._size.at_once):
            return self._say_all(list(self._validator.iter_errors(value)))
        try:
            self._validator.validate(value)
        except ValidationError as first:
            return [*self._say_all([first]), ((), "is too large to tell what else may be wrong: mend this first")]
        return []

    def _spend(self, value: Json) -> None:
        meter = current() or Meter(each=HERE_STEPS)
        meter.begin()
        # Some 30 ns for eight bytes of JSON and a keyword that is about them.
        meter.spend((_bytes_of(value) >> 3) * self._size.cost >> 5)

    def _say_all(self, errors: list[ValidationError]) -> list[Finding]:
        unknown = {tuple(error.instance_path) for error in errors if error.kind.name == "additionalProperties"}
        found: list[Finding] = []
        for error in errors:
            if _is_choice(error) and tuple(error.instance_path) in unknown:
                continue  # The unknown key is most likely the misspelt choice.
            found.extend(self._say(error))
        return found

    def _say(self, error: ValidationError) -> Iterator[Finding]:
        here = tuple(error.instance_path)
        keyword = error.kind.name
        if keyword == "additionalProperties":
            yield from self._unknown_keys(error, here)
        elif keyword == "propertyNames":
            yield from self._bad_names(error, here)
        elif keyword in ("anyOf", "oneOf"):
            yield from self._alternatives(error, here)
        else:
            yield here, self._sentence(error)

    def _sentence(self, error: ValidationError) -> str:
        keyword = error.kind.name
        around = self._around(error)
        if isinstance(error.kind, ValidationErrorKind.BacktrackLimitExceeded):
            return f"is too hard to match with the pattern `{around.get('pattern')}`; make the pattern simpler"
        if keyword in _REPLACED and "errorMessage" in around:
            shown = f", is {is_a(error.instance)}" if keyword == "type" else self._shown(error.instance)
            return f"{around['errorMessage']}{shown}"
        if keyword in ("enum", "const"):
            return self._choice(error, error.kind.value if keyword == "enum" else [error.kind.value])
        if (sentence := SENTENCES.get(keyword)) is not None:
            shown = self._shown(error.instance) if keyword in LIMITS else ""
            return sentence(error.kind.value, error.instance) + shown
        return error.message

    def _choice(self, error: ValidationError, options: list[Json]) -> str:
        sentence = f"must be {one_of(f'`{option}`' for option in options)}{self._shown(error.instance)}"
        near = nearest(error.instance, map(str, options)) if isinstance(error.instance, str) else None
        return f"{sentence}; did you mean `{near}`?" if near and self._show_values else sentence

    def _shown(self, value: object) -> str:
        if not self._show_values or isinstance(value, dict | list):
            return f", is {is_a(value)}" if not isinstance(value, str) else ""
        text = "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        return f", is `{text}`" if len(text) <= LONGEST_SHOWN else ""

    def _unknown_keys(self, error: ValidationError, here: Path) -> Iterator[Finding]:
        known = list(self._around(error).get("properties", ()))
        for key in error.kind.value:
            yield (*here, key), f"unknown key; {suggest(key, known, 'possible here:')}"

    def _bad_names(self, error: ValidationError, here: Path) -> Iterator[Finding]:
        inner = error.kind.value
        yield (*here, str(inner.instance)), self._sentence(inner)

    def _alternatives(self, error: ValidationError, here: Path) -> Iterator[Finding]:
        around = self._around(error)
        if names := _choices(around.get("oneOf", ())):
            if isinstance(error.instance, dict):  # What is no object is told by its type.
                yield here, _exactly_one(names, [name for name in names if name in error.instance])
        elif (meant := _meant(error, {"type", "enum", "const"})) is not None:
            yield from self._say_all(meant)
        elif "errorMessage" in around:
            yield here, f"{around['errorMessage']}{self._shown(error.instance)}"
        elif (meant := _meant(error, {"type"})) is not None:
            yield from self._say_all(meant)
        else:
            sentences = (finding[1] for branch in error.kind.value for finding in self._say_all(branch[:1]))
            yield here, "; or ".join(dict.fromkeys(sentences)) or "fits several alternatives at once; only one may fit"

    def _around(self, error: ValidationError) -> Mapping[str, Any]:
        """The schema in which the failed keyword stands."""
        here: Any = self._schema
        for part in error.schema_path[:-1]:
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                return {}
        return here if isinstance(here, Mapping) else {}


def _meant(error: ValidationError, mismatch: set[str]) -> list[ValidationError] | None:
    """The errors of the one alternative that does not fail by such a keyword at the value itself."""
    branches = [
        branch
        for branch in error.kind.value
        if branch and not any(e.kind.name in mismatch and e.instance_path == error.instance_path for e in branch)
    ]
    return branches[0] if len(branches) == 1 else None


_REPLACED: Final = frozenset({"type", "pattern", "format", "not", "const", "enum"})
LIMITS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})


def _choices(branches: Any) -> list[str]:
    """The names, where every alternative only requires one key."""
    names = [branch["required"][0] for branch in branches if list(branch) == ["required"]]
    return names if len(names) == len(branches) else []


def _is_choice(error: ValidationError) -> bool:
    return error.kind.name == "oneOf" and all(
        len(branch) == 1 and branch[0].kind.name == "required" for branch in error.kind.value
    )


def _exactly_one(names: list[str], given: list[str]) -> str:
    if given:
        return f"has {' and '.join(f'`{name}`' for name in given)}; only one of them may stand here"
    return f"needs one of {quoted(names)}"


def _count(limit: int, singular: str, plural: str) -> str:
    return f"{limit} {singular if limit == 1 else plural}"


def _type(types: list[str], value: Json) -> str:
    is_fraction = types == ["integer"] and isinstance(value, float)
    return f"must be {one_of(TYPE_NAMES[name] for name in types)}, is {'a fraction' if is_fraction else is_a(value)}"


def _min_length(limit: int, _value: Json) -> str:
    return "must not be empty" if limit == 1 else f"must have at least {limit} characters"


SENTENCES: Final[Mapping[str, Callable[[Any, KnownJson], str]]] = {
    "type": _type,
    "required": lambda name, _: f"the key `{name}` is missing",
    "pattern": lambda pattern, _: f"must match the pattern `{pattern}`",
    "format": lambda name, _: f"is not a valid {name}",
    "minLength": _min_length,
    "maxLength": lambda limit, _: f"must have at most {_count(limit, 'character', 'characters')}",
    "minimum": lambda limit, _: f"must be at least {limit}",
    "maximum": lambda limit, _: f"must be at most {limit}",
    "exclusiveMinimum": lambda limit, _: f"must be more than {limit}",
    "exclusiveMaximum": lambda limit, _: f"must be less than {limit}",
    "multipleOf": lambda step, _: f"must be a multiple of {step}",
    "minItems": lambda limit, _: f"must have at least {_count(limit, 'item', 'items')}",
    "maxItems": lambda limit, _: f"must have at most {_count(limit, 'item', 'items')}",
    "uniqueItems": lambda _, __: "has the same item twice; each may stand once",
    "minProperties": lambda limit, _: f"must have at least {_count(limit, 'key', 'keys')}",
    "maxProperties": lambda limit, _: f"must have at most {_count(limit, 'key', 'keys')}",
    "not": lambda _, __: "is not allowed here",
    "falseSchema": lambda _, __: "is not allowed here",
    "contains": lambda _, __: "must have an item of the kind that the schema asks for",
    "unevaluatedProperties": lambda names, _: f"unknown keys {quoted(names)}; remove them",
}


def _bytes_of(value: Json) -> int:
    """As JSON. A text of thousands of characters is one value, but each of them may be compared."""
    try:
        return len(orjson.dumps(value))
    except TypeError:  # cannot be written, and so not be stored: something else refuses it
        return 1


def parts_within(value: Json, most: int) -> bool:
    """Whether a value has at most so many values in it."""
    left, todo = most, [value]
    while todo:
        item = todo.pop()
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        left -= len(inner)
        if left < 0:
            return False
        todo.extend(inner)
    return True


def _lost_reference(message: str) -> str:
    """The library names what a `$ref` leads to in quotes: a place in the schema, or another document."""
    target = next(iter(re.findall("'([^']*)'", message)), "$ref")
    if target.startswith("/"):
        return f"a `$ref` leads to `#{target}`, where nothing is; put the schema there"
    return f"a `$ref` leads to `{target}`; a schema can refer into itself only, as `#/$defs/…`"


DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


@cache
def _meta_schema() -> SchemaCheck:
    return SchemaCheck({"$ref": DRAFT}, show_values=True)


def schema_findings(schema: JsonObject) -> list[Finding]:
    """What is wrong with a JSON Schema that an author wrote: by its meta-schema, its references and its patterns."""
    if schema.get("$schema", DRAFT) not in (DRAFT, f"{DRAFT}#"):
        return [(("$schema",), f"must be `{DRAFT}`, or left out")]
    if findings := _meta_schema().findings(schema) or size_findings(schema):
        return findings
    try:
        build_validator(schema)
    except ValidationError as error:
        if error.kind.name == "$ref":
            return [((), _lost_reference(error.message))]
        return [(tuple(error.instance_path), f"is no usable JSON Schema: {error.message}")]
    return []
