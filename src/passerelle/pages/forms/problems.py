"""What is wrong with a form's values, said to the person who fills it in, in their language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from passerelle.executions.visitor.models import FieldProblem
from passerelle.kit.json import JsonObject
from passerelle.pages.forms.model import Control, Field
from passerelle.pages.forms.numbers import format_number
from passerelle.pages.texts import Language


def sentences(form: Field, problems: Iterable[FieldProblem], language: Language) -> dict[str, str]:
    """A sentence for every field that does not fit, by JSON pointer, as the fields stand on the page."""
    by_place = {field.place: field for field in form.walk()}
    found: dict[str, str] = {}
    for one in problems:
        pointer = one.pointer or ""
        found.setdefault(pointer, _sentence(one, by_place.get(_place(pointer, by_place)), language))
    order = {place: number for number, place in enumerate(by_place)}
    return dict(sorted(found.items(), key=lambda pair: _position(pair[0], order)))


def _place(pointer: str, places: Mapping[str, Any]) -> str:
    """The place of what stands at a pointer: `/owners/3/share` is at `/owners/*/share`."""
    place = ""
    for part in pointer.split("/")[1:]:
        item = f"{place}/*"
        place = item if part.isdigit() and item in places else f"{place}/{part}"
    return place


def _position(pointer: str, order: Mapping[str, int]) -> tuple[int, ...]:
    place, found = "", []
    for part in pointer.split("/")[1:]:
        item = f"{place}/*"
        place = item if part.isdigit() and item in order else f"{place}/{part}"
        # What no field shows comes last.
        found.append(int(part) if place == item else order.get(place, len(order)))
    return tuple(found)


def _sentence(problem: FieldProblem, field: Field | None, language: Language) -> str:
    if (said := problem.parameters.get("said")) is not None:
        return language.of(said)
    if (say := _SENTENCES.get(problem.keyword)) is not None:
        return say(language, problem.parameters, field)
    return language("problem.other")


def _required(language: Language, _: JsonObject, field: Field | None) -> str:
    match field.control if field else None:
        case Control.RADIOS | Control.YES_NO | Control.SELECT:
            return language("problem.choose")
        case Control.CHECKS:
            return language("problem.choose_some")
        case Control.CHECK:
            return language("problem.tick")
        case _:
            return language("problem.required")


def _type(language: Language, _: JsonObject, field: Field | None) -> str:
    key = f"problem.type_{field.control if field else ''}"
    return language(key if key in language.texts else "problem.type")


def _format(language: Language, parameters: JsonObject, field: Field | None) -> str:
    key = f"problem.format_{parameters.get('format')}"
    return language(key) if key in language.texts else _pattern(language, parameters, field)


def _pattern(language: Language, _: JsonObject, field: Field | None) -> str:
    examples = field.schema.get("examples") if field else None
    if isinstance(examples, list) and examples:
        return language("problem.pattern_example", example=examples[0])
    return language("problem.pattern")


def _choice(language: Language, _: JsonObject, field: Field | None) -> str:
    return language("problem.tick" if field and field.control is Control.CHECK else "problem.choose")


def _min_length(language: Language, parameters: JsonObject, _: Field | None) -> str:
    limit = parameters.get("limit")
    return language("problem.required") if limit == 1 else language("problem.min_length", limit=limit)


_Saying = Callable[[Language, JsonObject, Field | None], str]


def _limited(key: str) -> _Saying:
    def say(language: Language, parameters: JsonObject, _: Field | None) -> str:
        limit = parameters.get("limit", "")
        number = isinstance(limit, int | float)
        return language(key, limit=format_number(limit, language.decimal) if number else limit)

    return say


_SENTENCES: Final[Mapping[str, _Saying]] = {
    "required": _required,
    "unknown": lambda language, *_: language("problem.unknown"),
    "type": _type,
    "format": _format,
    "pattern": _pattern,
    "enum": _choice,
    "const": _choice,
    "oneOf": _choice,
    "anyOf": _choice,
    "minLength": _min_length,
    "maxLength": _limited("problem.max_length"),
    "minimum": _limited("problem.minimum"),
    "maximum": _limited("problem.maximum"),
    "exclusiveMinimum": _limited("problem.exclusive_minimum"),
    "exclusiveMaximum": _limited("problem.exclusive_maximum"),
    "multipleOf": _limited("problem.multiple_of"),
    "minItems": _limited("problem.min_items"),
    "maxItems": _limited("problem.max_items"),
    "uniqueItems": lambda language, *_: language("problem.unique_items"),
    "tooLarge": lambda language, *_: language("problem.too_large_page"),
    "tooDeep": lambda language, *_: language("problem.too_large_page"),
    "characters": lambda language, *_: language("problem.characters"),
}
"""By the keyword that the visitor's side names; another one is only said to be wrong."""
