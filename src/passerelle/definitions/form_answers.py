"""Checks what somebody entered into a form: the whole schema, visible fields only, everything that is wrong at once.

Fields that are not visible are neither required nor kept. A text that is empty, and null, count as not filled in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final

import orjson
from jsonschema_rs import Draft202012Validator, ValidationError

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.form_schema import FormSchema
from passerelle.definitions.json_schema import LIMITS, SENTENCES, validator_of_form
from passerelle.definitions.kinds import Path
from passerelle.definitions.schema_places import Place, Places, leaves
from passerelle.definitions.words import TYPE_NAMES, one_of, suggest
from passerelle.kit.json import Json, JsonObject

MASK: Final = "•••"
"""Stands in the place of personal data."""
LARGEST: Final = 256 * 1024
"""Bytes of JSON that one answer may have."""
DEEPEST: Final = 20
"""Levels of lists and objects in an answer."""
MOST_SHAPES: Final = 64
"""Compiled schemas that a form keeps; each set of visible fields has one."""

_COMPOSED: Final = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "patternProperties"}
)
_STRICT: Final = frozenset({"additionalProperties", "unevaluatedProperties"})


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """What is wrong with one value.

    path        where it is, within what was sent
    keyword     stable, for translation: a keyword of JSON Schema, or `unknown`, `tooLarge`, `tooDeep`, `characters`…
    parameters  what a sentence about it needs: `limit`, `format`, `options`, `expected`; `said` are the author's words
    message     the sentence in English, without the value
    """

    path: Path
    keyword: str
    message: str
    parameters: JsonObject = field(default_factory=dict)


class FormCheck:
    """Checks answers to one form. Used from several tasks at once."""

    def __init__(self, form: FormSchema) -> None:
        self._form = form
        self._places = Places(form.plain)
        self._shapes: dict[frozenset[Path], tuple[JsonObject, Draft202012Validator]] = {}

    def hidden(self, values: JsonObject, scope: Scope) -> frozenset[Path]:
        """The places in the schema of the fields that are not asked for with these values.

        A hidden field has no value for the conditions of others. A condition that cannot be worked out is not met.
        """
        hidden: frozenset[Path] = frozenset()
        for _ in range(len(self._conditions) + 1):
            form = self.kept(values, hidden)
            now = frozenset(
                place for place, condition in self._conditions.items() if not _met(condition, {**scope, "form": form})
            )
            if now == hidden:
                break
            hidden = now
        return hidden

    def kept(self, values: JsonObject, hidden: frozenset[Path]) -> dict[str, Json]:
        """The values without those of hidden fields and without empty ones."""
        pruned = self._pruned(values, self._places.top(), hidden)
        return pruned if isinstance(pruned, dict) else {}

    def check(self, values: Json, scope: Scope) -> tuple[dict[str, Json], list[FieldFinding]]:
        """The values that are kept, and everything that is wrong with them."""
        if findings := unfit(values):
            return {}, findings
        kept = self.kept(values, hidden := self.hidden(values, scope))
        return kept, self._findings(kept, hidden)

    def look(self, values: JsonObject, scope: Scope) -> tuple[frozenset[Path], list[FieldFinding]]:
        """What `hidden` and `check` say to these values, worked out once."""
        hidden = self.hidden(values, scope)
        return hidden, unfit(values) or self._findings(self.kept(values, hidden), hidden)

    def masked(self, values: Json) -> Json:
        """An answer with `•••` in the place of every value of a field with a `pii` class."""
        return self._masked(values, self._places.top())

    def personal(self, values: Json) -> Iterator[Json]:
        """Every value, within an answer, of a field with a `pii` class."""
        yield from self._personal(values, self._places.top())

    @cached_property
    def _conditions(self) -> Mapping[Path, Any]:
        return {
            place: condition for place, condition in self._form.visible_when.items() if place[-2:-1] == ("properties",)
        }

    def _findings(self, kept: JsonObject, hidden: frozenset[Path]) -> list[FieldFinding]:
        schema, validator = self._shape(hidden)
        return list(_findings(validator, schema, self._form, kept))

    def _shape(self, hidden: frozenset[Path]) -> tuple[JsonObject, Draft202012Validator]:
        shape = self._shapes.get(hidden)
        if shape is None:
            schema = _without(self._form.plain, hidden)
            shape = schema, validator_of_form(schema, phone=_is_phone)
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            self._shapes[hidden] = shape
        return shape

    def _pruned(self, value: Json, places: list[Place], hidden: frozenset[Path]) -> Json:
        if isinstance(value, list):
            inner = self._places.items(places)
            return [self._pruned(item, inner, hidden) for item in value]
        if not isinstance(value, dict):
            return value
        kept = {}
        for name, item in value.items():
            inner = self._places.member(places, name)
            if not any(path in hidden for path, _ in inner) and not _is_empty(item, inner):
                kept[name] = self._pruned(item, inner, hidden)
        return kept

    def _masked(self, value: Json, places: list[Place]) -> Json:
        if any(path in self._form.pii for path, _ in places):
            return None if value is None else MASK
        if isinstance(value, list):
            return [self._masked(item, self._places.items(places)) for item in value]
        if isinstance(value, dict):
            return {name: self._masked(item, self._places.member(places, name)) for name, item in value.items()}
        return value

    def _personal(self, value: Json, places: list[Place]) -> Iterator[Json]:
        if any(path in self._form.pii for path, _ in places):
            yield from leaves(value)
        elif isinstance(value, list):
            for item in value:
                yield from self._personal(item, self._places.items(places))
        elif isinstance(value, dict):
            for name, item in value.items():
                yield from self._personal(item, self._places.member(places, name))


def unfit(values: Json) -> list[FieldFinding]:
    """What keeps values from being looked at: no object, too large, too deep, characters that cannot be stored."""
    if not isinstance(values, dict):
        return [FieldFinding((), "type", "must be an object with the form's fields", {"expected": ["object"]})]
    if (place := _too_deep(values)) is not None:
        return [FieldFinding(place, "tooDeep", f"is nested more than {DEEPEST} levels deep", {"limit": DEEPEST})]
    try:
        size = len(orjson.dumps(values))
    except TypeError:  # half of a surrogate pair, or a number beyond 64 bits
        return [FieldFinding(place, *_CHARACTERS) for place in _unwritable(values, ())]
    if size > LARGEST:
        return [FieldFinding((), "tooLarge", f"is larger than {LARGEST:,} bytes in all", {"limit": LARGEST})]
    return [FieldFinding(place, *_CHARACTERS) for place in _with_nul(values, ())]


_CHARACTERS: Final = ("characters", "has characters that cannot be stored; type it again")


def _too_deep(value: Json) -> Path | None:
    level: list[tuple[Path, Json]] = [((), value)]
    for _ in range(DEEPEST + 1):
        level = [((*path, key), item) for path, inner in level for key, item in _members(inner)]
    return level[0][0][:1] if level else None


def _members(value: Json) -> Iterator[tuple[str | int, Json]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _unwritable(value: Json, path: Path) -> Iterator[Path]:
    if not isinstance(value, dict | list):
        try:
            orjson.dumps(value)
        except TypeError:
            yield path
        return
    for key, item in _members(value):
        try:
            orjson.dumps(key)
        except TypeError:
            yield path
        yield from _unwritable(item, (*path, key))


def _with_nul(value: Json, path: Path) -> Iterator[Path]:
    if isinstance(value, str) and "\0" in value:
        yield path
    for key, item in _members(value):
        if isinstance(key, str) and "\0" in key:
            yield path
        yield from _with_nul(item, (*path, key))


def _met(condition: Any, scope: Scope) -> bool:
    try:
        return condition.evaluate(scope) is True
    except ExpressionError:
        return False


def _is_empty(value: Json, places: list[Place]) -> bool:
    if value == "" and isinstance(value, str):
        return True
    return value is None and not any("null" in _types(schema) for _, schema in places)


def _types(schema: JsonObject) -> tuple[str, ...]:
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def _without(plain: JsonObject, hidden: frozenset[Path]) -> JsonObject:
    """The schema without hidden fields; objects have only the members that it names, unless it says otherwise."""
    schema = deepcopy(dict(plain))
    for place in hidden:
        around: Any = schema
        for key in place[:-2]:
            around = around[key]
        around["properties"].pop(place[-1], None)
        if isinstance(around.get("required"), list):
            around["required"] = [name for name in around["required"] if name != place[-1]]
    _make_strict(schema)
    return schema


def _make_strict(schema: Any) -> None:
    if not isinstance(schema, dict):
        return
    if "properties" in schema:
        if not _STRICT & schema.keys():
            schema["unevaluatedProperties" if _COMPOSED & schema.keys() else "additionalProperties"] = False
        for inner in schema["properties"].values():
            _make_strict(inner)
    _make_strict(schema.get("items"))


# From the library's errors to findings.


def _findings(
    validator: Draft202012Validator, schema: JsonObject, form: FormSchema, value: Json
) -> Iterator[FieldFinding]:
    for error in validator.iter_errors(value):
        here = tuple(error.instance_path)
        keyword = error.kind.name
        if keyword == "required":
            yield FieldFinding((*here, error.kind.value), "required", "is required")
        elif keyword in _STRICT:
            known = list(_at(schema, tuple(error.schema_path[:-1])).get("properties", ()))
            for name in error.kind.value:
                yield FieldFinding(
                    (*here, name), "unknown", f"is not a field here; {suggest(name, known, 'there are')}"
                )
        elif keyword == "falseSchema" and not here:
            continue
        else:
            said = _said(form, tuple(error.schema_path[:-1]))
            parameters = {**_parameters(error), **({"said": said} if said is not None else {})}
            yield FieldFinding(here, _name(keyword), _sentence(error, said), parameters)


def _name(keyword: str) -> str:
    return "pattern" if keyword == "backtrackLimitExceeded" else keyword


def _said(form: FormSchema, place: Path) -> Any:
    return form.texts.get((place, "errorMessage"))


def _sentence(error: ValidationError, said: Any) -> str:
    if said is not None:
        return str(said if isinstance(said, str) else said.get("en") or next(iter(said.values())))
    keyword, value = error.kind.name, getattr(error.kind, "value", None)
    if keyword == "type":
        return f"must be {one_of(TYPE_NAMES[name] for name in _expected(error))}"
    if keyword in ("enum", "const"):
        return "is not one of the possible answers"
    if (sentence := SENTENCES.get(keyword)) is not None:
        return sentence(value, None if keyword in LIMITS else error.instance)
    return "does not fit"


def _expected(error: ValidationError) -> list[str]:
    """The types that a person could have meant; null is what an empty field is."""
    named = error.kind.value
    types = [named] if isinstance(named, str) else list(named)
    return [name for name in types if name != "null"] or types


def _parameters(error: ValidationError) -> JsonObject:
    keyword, value = error.kind.name, getattr(error.kind, "value", None)
    if keyword == "type":
        return {"expected": _expected(error)}
    if keyword == "enum":
        return {"options": value}
    if keyword == "const":
        return {"options": [value]}
    if keyword in ("format", "pattern"):
        return {keyword: value}
    return {"limit": value} if isinstance(value, int | float) and not isinstance(value, bool) else {}


def _at(schema: JsonObject, place: Path) -> JsonObject:
    here: Any = schema
    for key in place:
        try:
            here = here[key]
        except (KeyError, IndexError, TypeError):
            return {}
    return here if isinstance(here, dict) else {}


def _is_phone(text: Json) -> bool:
    """Whether it is a telephone number with its country, such as +48 123 456 789."""
    return isinstance(text, str) and _possible_phone(text)


@cache
def _phones() -> Any:
    import phonenumbers  # noqa: PLC0415 - its tables take a moment to load, and few forms ask for a phone

    return phonenumbers


def _possible_phone(text: str) -> bool:
    if not text.lstrip().startswith("+") or len(text) > 40:
        return False
    phones = _phones()
    try:
        return bool(phones.is_valid_number(phones.parse(text)))
    except phones.NumberParseException:
        return False
