"""What is wrong with a form's values, said to the person who fills it in, in their language."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from passerelle.definitions.json_schema import build_validator
from passerelle.kit.json import Json, JsonObject, dumps, loads
from passerelle.pages.forms.model import Control, Field, step_into
from passerelle.pages.forms.numbers import format_number
from passerelle.pages.texts import Language, text_in

_OURS: Final = frozenset({"visibleWhen", "pii", "title", "description", "errorMessage", "default", "examples"})
"""Keywords that say nothing about what fits; some of them may be by language, which the standard does not know."""


def form_problems(form: Field, values: JsonObject, hidden: Container[str], language: Language) -> dict[str, str]:
    """A sentence for every field that does not fit, by JSON pointer. Values of `hidden` places do not count."""
    validator = _validator(dumps(_plain(form, hidden)))
    teller = _Teller(form, language)
    found: dict[str, str] = {}
    for error in validator.iter_errors(dict(values)):
        for pointer, sentence in teller.tell(error):
            found.setdefault(pointer, sentence)
    return {field: found[field] for field in _in_page_order(form, found)}


@lru_cache(maxsize=256)
def _validator(schema: str) -> Draft202012Validator:
    return build_validator(loads(schema), show_values=False)


def _plain(field: Field, hidden: Container[str]) -> dict[str, Json]:
    """The schema of what is asked for now, without our own keywords and references, which are followed already."""
    schema = {key: value for key, value in field.schema.items() if key not in _OURS}
    if field.control is Control.GROUP and "properties" in schema:
        asked = [inner for inner in field.fields if inner.place not in hidden]
        names = {inner.name for inner in asked}
        schema["properties"] = {inner.name: _plain(inner, hidden) for inner in asked}
        schema["required"] = [name for name in schema.get("required", ()) if name in names]
    elif field.control is Control.REPEAT and field.item is not None:
        schema["items"] = _plain(field.item, hidden)
    elif field.options:
        schema = _plain_options(schema)
    elif field.control is Control.PHONE_PARTS:
        schema["properties"] = {name: {"type": ["string", "number"]} for name in schema["properties"]}
    return schema


def _plain_options(schema: dict[str, Json]) -> dict[str, Json]:
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            schema[keyword] = [{"const": branch["const"]} for branch in schema[keyword]]
    if isinstance(schema.get("items"), Mapping):
        schema["items"] = _plain_options({key: value for key, value in schema["items"].items() if key not in _OURS})
    return schema


class _Teller:
    def __init__(self, form: Field, language: Language) -> None:
        self._by_place = {field.place: field for field in form.walk()}
        self._language = language

    def tell(self, error: ValidationError) -> Iterator[tuple[str, str]]:
        """Pointer and sentence: one, or one for each key that is unknown."""
        pointer = ""
        for part in error.instance_path:
            pointer = step_into(pointer, part)
        if error.kind.name == "required":
            missing = step_into(pointer, error.kind.property)
            yield missing, self._required(self._field(missing))
        elif error.kind.name in ("additionalProperties", "unevaluatedProperties"):
            for name in error.kind.value if isinstance(error.kind.value, list) else ():
                yield step_into(pointer, name), self._language("problem.unknown")
        else:
            yield pointer, self._sentence(error, self._field(pointer))

    def _field(self, pointer: str) -> Field | None:
        place = "/".join("*" if part.isdigit() else part for part in pointer.split("/"))
        return self._by_place.get(pointer) or self._by_place.get(place)

    def _required(self, field: Field | None) -> str:
        match field.control if field else None:
            case Control.RADIOS | Control.YES_NO | Control.SELECT:
                return self._language("problem.choose")
            case Control.CHECKS:
                return self._language("problem.choose_some")
            case Control.CHECK:
                return self._language("problem.tick")
            case _:
                return self._language("problem.required")

    def _sentence(self, error: ValidationError, field: Field | None) -> str:
        keyword = error.kind.name
        if field is not None and keyword != "required" and (own := field.schema.get("errorMessage")):
            return text_in(own, self._language.code)
        if isinstance(error.kind, ValidationErrorKind.BacktrackLimitExceeded):
            return self._language("problem.other")
        if keyword == "type" and field is not None:
            return self._by_control(field, "problem.type")
        if keyword == "format":
            return self._format(str(error.kind.value), field)
        if keyword == "const" and field is not None and field.control is Control.CHECK:
            return self._language("problem.tick")
        if keyword == "pattern":
            return self._pattern(field)
        if (say := _SENTENCES.get(keyword)) is not None:
            return say(self._language, error.kind.value)
        return self._language("problem.other")

    def _by_control(self, field: Field, fallback: str) -> str:
        key = f"problem.type_{field.control}"
        return self._language(key if key in self._language.texts else fallback)

    def _format(self, name: str, field: Field | None) -> str:
        key = f"problem.format_{name}"
        return self._language(key) if key in self._language.texts else self._pattern(field)

    def _pattern(self, field: Field | None) -> str:
        examples = field.schema.get("examples") if field else None
        if isinstance(examples, list) and examples:
            return self._language("problem.pattern_example", example=examples[0])
        return self._language("problem.pattern")


def _number(language: Language, limit: Any) -> str:
    return format_number(limit, language.decimal) if isinstance(limit, int | float) else str(limit)


def _saying(key: str) -> Callable[[Language, Any], str]:
    return lambda language, limit: language(key, limit=_number(language, limit))


_SENTENCES: Final[Mapping[str, Callable[[Language, Any], str]]] = {
    "minLength": lambda language, limit: (
        language("problem.required") if limit == 1 else language("problem.min_length", limit=limit)
    ),
    "maxLength": _saying("problem.max_length"),
    "minimum": _saying("problem.minimum"),
    "maximum": _saying("problem.maximum"),
    "exclusiveMinimum": _saying("problem.exclusive_minimum"),
    "exclusiveMaximum": _saying("problem.exclusive_maximum"),
    "multipleOf": _saying("problem.multiple_of"),
    "minItems": _saying("problem.min_items"),
    "maxItems": _saying("problem.max_items"),
    "uniqueItems": lambda language, _: language("problem.unique_items"),
    "enum": lambda language, _: language("problem.choose"),
    "const": lambda language, _: language("problem.choose"),
    "oneOf": lambda language, _: language("problem.choose"),
    "anyOf": lambda language, _: language("problem.choose"),
}


def _in_page_order(form: Field, pointers: Mapping[str, str]) -> list[str]:
    """As the fields stand on the page, a list's items by number; what no field shows comes last."""
    order = {field.place: number for number, field in enumerate(form.walk())}

    def key(pointer: str) -> tuple[object, ...]:
        parts, place, found = pointer.split("/")[1:], "", []
        for part in parts:
            item = f"{place}/*"
            place = item if item in order and part.isdigit() else f"{place}/{part}"
            found.append(int(part) if place == item else order.get(place, len(order)))
        return tuple(found)

    return sorted(pointers, key=key)
