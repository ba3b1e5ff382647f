"""Checks what somebody entered into a form: the whole schema, visible fields only, everything that is wrong at once.

Fields that are not visible are neither required nor kept. A text that is empty, and null, count as not filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any, Final

import orjson
from jsonschema_rs import Draft202012Validator, ValidationError

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.form_schema import FormSchema
from passerelle.definitions.json_schema import LIMITS, MOST_JUDGED, SENTENCES, build_validator, parts_within
from passerelle.definitions.kinds import Path
from passerelle.definitions.problems import MOST_TOLD
from passerelle.definitions.schema_places import Place, SchemaPlaces, leaves
from passerelle.definitions.schema_size import schema_size
from passerelle.definitions.words import TYPE_NAMES, one_of, suggest
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.text import composed, number_text, readable, visible
from passerelle.kit.work import Meter, WorkError, metered

MASK: Final = "•••"
"""Stands in the place of personal data."""
LARGEST: Final = 256 * 1024
"""Bytes of JSON that one answer may have."""
PROSE: Final = frozenset({"multiline", "textarea"})
"""Formats of texts in which direction and joining of letters may be the author's will."""
DEEPEST: Final = 20
"""Levels of lists and objects in an answer."""
MOST_VALUES: Final = 2_000
"""Values in an answer, those of its lists and objects included."""
CHECK_STEPS: Final = 50_000
"""Steps of work for the conditions of one form with one answer, all together."""
MOST_CHECKED: Final = 200
"""Values of one answer that have rules or a check besides their schema."""
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


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check says of a field's value: what is wrong with it, or the form in which it is kept."""

    reason: str | None = None
    """The check's code, where the value does not pass."""
    value: Json = None


Judge = Callable[[Json, Scope], Judged]
"""Judges the value of one field that fits its schema. Pure."""


class FormCheck:
    """Checks answers to one form. Used from several tasks at once.

    judges   what judges a field besides its schema, by its place in it
    """

    def __init__(self, form: FormSchema, judges: Mapping[Path, Judge] | None = None) -> None:
        self._form = form
        self._judges = judges or {}
        self._ruled = self._judges.keys() | form.rules.keys()
        self._places = SchemaPlaces(form.plain)
        self._shapes: dict[frozenset[Path], tuple[JsonObject, Draft202012Validator]] = {}

    def hidden(self, values: JsonObject, scope: Scope) -> frozenset[Path]:
        """The places in the schema of the fields that are not asked for with these values.

        A hidden field has no value for the conditions of others. A condition that cannot be worked out is not met;
        what is not worked out because it costs too much in all is as it was found last.
        """
        hidden: frozenset[Path] = frozenset()
        with metered(Meter(total=CHECK_STEPS)) as meter, suppress(WorkError):
            for _ in range(len(self._conditions) + 1):
                form = self.kept(values, hidden)
                meter.spend(MOST_VALUES // 10)
                now = frozenset(
                    place
                    for place, condition in self._conditions.items()
                    if not _met(condition, {**scope, "form": form})
                )
                if now == hidden:
                    break
                hidden = now
        return hidden

    def kept(self, values: JsonObject, hidden: frozenset[Path]) -> dict[str, Json]:
        """The values without those of hidden fields and without empty ones."""
        pruned = self._pruned(values, self._places.top(), hidden)
        return pruned if isinstance(pruned, dict) else {}

    def check(self, values: KnownJson, scope: Scope) -> tuple[dict[str, Json], list[FieldFinding]]:
        """The values that are kept, and everything that is wrong with them."""
        if findings := unfit(values):
            return {}, findings
        return self._judged(self.kept(values, hidden := self.hidden(values, scope)), hidden, scope)

    def look(self, values: JsonObject, scope: Scope) -> tuple[frozenset[Path], list[FieldFinding]]:
        """What `hidden` and `check` say to these values, worked out once."""
        hidden = self.hidden(values, scope)
        return hidden, unfit(values) or self._judged(self.kept(values, hidden), hidden, scope)[1]

    def places(self, values: Json, wanted: Collection[Path]) -> Iterator[tuple[Path, Path, Json]]:
        """Every value at one of the `wanted` places of the schema: its place there, its own path, and the value."""
        yield from self._places_of(values, self._places.top(), (), wanted)

    def _judged(
        self, kept: dict[str, Json], hidden: frozenset[Path], scope: Scope
    ) -> tuple[dict[str, Json], list[FieldFinding]]:
        """What the schema says, and then of each field that fits it what its rules and its check say."""
        findings = self._findings(kept, hidden)
        if not self._ruled:
            return kept, findings
        wrong = {finding.path for finding in findings}
        found = list(islice(self.places(kept, self._ruled), MOST_CHECKED + 1))
        if len(found) > MOST_CHECKED:
            limit = {"limit": MOST_CHECKED}
            return kept, [FieldFinding((), "tooLarge", f"has more than {MOST_CHECKED} values to check", limit)]
        around = {**scope, "form": kept}
        for place, path, value in found:
            if path in wrong:
                continue
            finding, instead = self._judge(place, path, value, around)
            if finding is not None and len(findings) < MOST_TOLD:
                findings.append(finding)
            elif instead is not None:
                _put(kept, path, instead)
        return kept, findings

    def _judge(self, place: Path, path: Path, value: Json, scope: Scope) -> tuple[FieldFinding | None, Json]:
        said = _said(self._form, place)
        own = {} if said is None else {"said": said}
        if (rules := self._form.rules.get(place)) is not None:
            for keyword, message, parameters in rules.wrong(value, _today(scope)):
                return FieldFinding(path, keyword, message, {**parameters, **own}), None
        if (judge := self._judges.get(place)) is None:
            return None, None
        judged = judge(value, scope)
        if judged.reason is None:
            return None, judged.value
        name = self._form.checks[place]["name"]
        parameters = {"check": name, "reason": judged.reason, **own}
        return FieldFinding(path, "check", f"does not pass the check `{name}` ({judged.reason})", parameters), None

    def _places_of(
        self, value: Json, places: list[Place], path: Path, wanted: Collection[Path]
    ) -> Iterator[tuple[Path, Path, Json]]:
        for place, _ in places:
            if place in wanted:
                yield place, path, value
        if isinstance(value, list):
            inner = self._places.items(places)
            for number, item in enumerate(value):
                yield from self._places_of(item, inner, (*path, number), wanted)
        elif isinstance(value, dict):
            for name, item in value.items():
                yield from self._places_of(item, self._places.member(places, name), (*path, name), wanted)

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
        if validator.is_valid(kept):
            return []
        errors = _every_error(validator, kept) if parts_within(kept, self._most_judged) else _first(validator, kept)
        return list(islice(_findings(errors, schema, self._form), MOST_TOLD))

    @cached_property
    def _most_judged(self) -> int:
        return MOST_JUDGED // schema_size(self._form.plain).at_once

    def _shape(self, hidden: frozenset[Path]) -> tuple[JsonObject, Draft202012Validator]:
        shape = self._shapes.get(hidden)
        if shape is None:
            schema = _without(self._form.plain, hidden)
            shape = schema, build_validator(schema, show_values=False)
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            self._shapes[hidden] = shape
        return shape

    def _pruned(self, value: Json, places: list[Place], hidden: frozenset[Path]) -> Json:
        if isinstance(value, list):
            inner = self._places.items(places)
            return [self._pruned(item, inner, hidden) for item in value]
        if isinstance(value, str):
            return _as_typed(value, places)
        if not isinstance(value, dict):
            return value
        kept = {}
        for name, item in value.items():
            inner = self._places.member(places, name)
            if not any(path in hidden for path, _ in inner):
                pruned = self._pruned(item, inner, hidden)
                if not _is_empty(pruned, inner):
                    kept[name] = pruned
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
    if not parts_within(values, MOST_VALUES):
        message = f"has more than {MOST_VALUES:,} values in all"
        return [FieldFinding((), "tooLarge", message, {"limit": MOST_VALUES})]
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


def _today(scope: Scope) -> date:
    return date.fromisoformat(scope["execution"]["today"])


def _put(values: Any, path: Path, value: Json) -> None:
    for part in path[:-1]:
        values = values[part]
    values[path[-1]] = value


def _as_typed(text: str, places: list[Place]) -> str:
    """A text without what its sender could not see: of numbers and addresses all of it, of other texts what has no use.

    An answer that is one of several given ones is compared as it stands.
    """
    if text.isascii() or any("enum" in schema or "const" in schema for _, schema in places):
        return text
    formats = {schema["format"] for _, schema in places if isinstance(schema.get("format"), str)}
    if "phone" in formats:
        return number_text(text)
    if formats - PROSE:
        return visible(text)
    if any("pattern" in schema for _, schema in places):
        return visible(text)
    return composed(text) if formats else readable(text)


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


def _every_error(validator: Draft202012Validator, value: Json) -> list[ValidationError]:
    return list(validator.iter_errors(value))


def _first(validator: Draft202012Validator, value: Json) -> list[ValidationError]:
    """Each further one costs as much as judging a hundred values."""
    try:
        validator.validate(value)
    except ValidationError as error:
        return [error]
    return []


def _findings(errors: list[ValidationError], schema: JsonObject, form: FormSchema) -> Iterator[FieldFinding]:
    for error in errors:
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
