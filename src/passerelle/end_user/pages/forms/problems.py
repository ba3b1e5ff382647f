"""What is wrong with a form's values, said to the person who fills it in, in their language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from babel.dates import format_date

from passerelle.end_user.pages.forms.dates import missing_part
from passerelle.end_user.pages.forms.hints import completion_of
from passerelle.end_user.pages.forms.model import Control, FormField
from passerelle.end_user.pages.forms.numbers import format_number
from passerelle.end_user.session.models import FieldProblem
from passerelle.kit.json import Json, JsonObject
from passerelle.languages.language import Language


def sentences(
    form: FormField,
    problems: Iterable[FieldProblem],
    language: Language,
    values: Mapping[str, Json] | None = None,
    about: str = "",
) -> dict[str, str]:
    """A sentence for every field that does not fit, by JSON pointer, as the fields stand on the page.

    values   what was typed: what is missing of it is named
    about    what names the step
    """
    by_place = {field.place: field for field in form.walk()}
    found: dict[str, str] = {}
    for one in problems:
        pointer = one.pointer or ""
        field = by_place.get(_place(pointer, by_place))
        said = None if "said" in one.parameters else _named(one, field, language, _at(values, pointer), about)
        found.setdefault(pointer, said or _sentence(one, field, language))
    order = {place: number for number, place in enumerate(by_place)}
    return dict(sorted(found.items(), key=lambda pair: _position(pair[0], order)))


def _named(problem: FieldProblem, field: FormField | None, language: Language, value: Json, about: str) -> str | None:
    """What is said of this very field: that it is missing, or which part of it."""
    if field is None:
        return None
    if problem.keyword == "required" or (problem.keyword == "minLength" and problem.parameters.get("limit") == 1):
        key = f"problem.enter_{_ASKED.get(completion_of(field, about), '')}"
        return language(key) if key in language.texts else None
    if problem.keyword in ("format", "type", "pattern") and isinstance(value, str):
        return _missing(field, language, value)
    return None


def _missing(field: FormField, language: Language, value: str) -> str | None:
    """Which part of what was typed is not there, or is another one's."""
    if field.control is Control.DATE and (part := missing_part(value)) is not None:
        return language(f"problem.date_{part}")
    if field.control is Control.PHONE and not value.startswith("+"):
        return language("problem.phone_country")
    if "currency" in field.schema:
        return language("problem.currency", currency=field.schema["currency"])
    return None


_ASKED: Final[Mapping[str, str]] = {
    **{token: token for token in ("name", "given-name", "family-name", "email", "tel", "bday", "postal-code")},
    "country": "country",
    "organization": "organization",
    "address-level2": "city",
    "address-line1": "street",
    "street-address": "street",
}
"""The end of a text's name, by what a field asks for."""


def _at(values: Json, pointer: str) -> Json:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(values, Mapping):
            values = values.get(name)
        elif isinstance(values, list) and part.isdigit() and int(part) < len(values):
            values = values[int(part)]
        else:
            return None
    return values


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


def _sentence(problem: FieldProblem, field: FormField | None, language: Language) -> str:
    if (said := problem.parameters.get("said")) is not None:
        return language.of(said)
    if (say := _SENTENCES.get(problem.keyword)) is not None:
        return say(language, problem.parameters, field)
    return language("problem.other")


def _required(language: Language, _: JsonObject, field: FormField | None) -> str:
    match field.control if field else None:
        case Control.RADIOS | Control.YES_NO | Control.SELECT | Control.COUNTRY:
            return language("problem.choose")
        case Control.CHECKS:
            return language("problem.choose_some")
        case Control.CHECK:
            return language("problem.tick")
        case _:
            return language("problem.required")


def _type(language: Language, _: JsonObject, field: FormField | None) -> str:
    key = f"problem.type_{field.control if field else ''}"
    return language(key if key in language.texts else "problem.type")


def _format(language: Language, parameters: JsonObject, field: FormField | None) -> str:
    key = f"problem.format_{parameters.get('format')}"
    return language(key) if key in language.texts else _pattern(language, parameters, field)


def _check(language: Language, parameters: JsonObject, field: FormField | None) -> str:
    by_reason = f"problem.check_{parameters.get('reason')}"
    by_format = f"problem.format_{field.schema.get('format') if field else ''}"
    return language(next((key for key in (by_reason, by_format) if key in language.texts), "problem.check"))


def _day(language: Language, limit: object) -> str:
    return format_date(date.fromisoformat(str(limit)), "long", locale=language.code.replace("-", "_"))


def _bounded(keyword: str, today: str) -> _Saying:
    def say(language: Language, parameters: JsonObject, _: FormField | None) -> str:
        if parameters.get("today"):
            return language(today)
        return language(f"problem.date_{keyword}", limit=_day(language, parameters.get("limit")))

    return say


def _pattern(language: Language, _: JsonObject, field: FormField | None) -> str:
    examples = field.schema.get("examples") if field else None
    if isinstance(examples, list) and examples:
        return language("problem.pattern_example", example=examples[0])
    return language("problem.pattern")


def _choice(language: Language, _: JsonObject, field: FormField | None) -> str:
    return language("problem.tick" if field and field.control is Control.CHECK else "problem.choose")


def _min_length(language: Language, parameters: JsonObject, _: FormField | None) -> str:
    limit = parameters.get("limit")
    return language("problem.required") if limit == 1 else language("problem.min_length", limit=limit)


_Saying = Callable[[Language, JsonObject, FormField | None], str]


def _limited(key: str) -> _Saying:
    def say(language: Language, parameters: JsonObject, _: FormField | None) -> str:
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
    "check": _check,
    "earliest": _bounded("earliest", "problem.date_past"),
    "latest": _bounded("latest", "problem.date_future"),
    "birth": lambda language, *_: language("problem.date_birth"),
    "minAge": _limited("problem.age_least"),
    "maxAge": _limited("problem.age_most"),
    "decimals": _limited("problem.decimals"),
    "tooLarge": lambda language, *_: language("problem.too_large_page"),
    "tooDeep": lambda language, *_: language("problem.too_large_page"),
    "characters": lambda language, *_: language("problem.characters"),
}
"""By the keyword that the end user's side names; another one is only said to be wrong."""
