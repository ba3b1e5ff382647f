"""A form as its template shows it: fields with values, problems and words in one language."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from passerelle.end_user.pages.forms.dates import split_date, without_zone
from passerelle.end_user.pages.forms.hints import attributes_of, hint_of
from passerelle.end_user.pages.forms.model import Control, FormField, step_into
from passerelle.end_user.pages.forms.numbers import format_number
from passerelle.end_user.pages.forms.phones import country_options, region_of, split_phone
from passerelle.kit import countries
from passerelle.kit.json import Json, JsonObject, dumps
from passerelle.languages.language import Language

LONG_LIST: Final = 12
"""Options from which on a list is searched in."""
MOST_ITEMS: Final = 100
"""Items that may be added to a list where its schema says nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select, of radios or of boxes."""

    id: str
    key: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class FieldView:
    """Everything about one field that the template writes."""

    pointer: str
    id: str
    control: Control
    label: str
    hint: str
    optional: bool
    problem: str | None = None
    value: str = ""
    parts: tuple[str, ...] = ()
    """Day, month and year of a date; the country of a phone."""
    choices: tuple[Choice, ...] = ()
    countries: str = ""
    """Of a phone: the options of its list, as HTML."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[FieldView, ...] = ()
    """Of a group; of a list its items, each a group or a field."""
    source: str = ""
    """Where the field stands in the schema, if it is shown only under a condition."""
    hidden: bool = False
    item_label: str = ""
    unit: str = ""
    """What a number is of: a currency."""
    wrong_parts: tuple[bool, ...] = (False, False, False)
    """Of a date that does not fit: which of its three fields are to be mended."""
    asks: bool = False
    """Whether somebody outside is asked about what is typed, once the field is left."""
    searched: bool = False
    """Of a list: whether it is so long that people search in it."""
    can_add: bool = False
    can_remove: bool = False

    @property
    def described_by(self) -> str:
        """The ids of what belongs to the field: its hint and its problem."""
        return " ".join(
            f"{self.id}-{part}" for part, there in (("hint", self.hint), ("problem", self.problem)) if there
        )

    @property
    def first_id(self) -> str:
        """The element that takes the focus when somebody goes to the field."""
        match self.control:
            case Control.DATE:
                wrong = self.wrong_parts.index(True) if True in self.wrong_parts else 0
                return f"{self.id}-{('day', 'month', 'year')[wrong]}"
            case Control.RADIOS | Control.YES_NO | Control.CHECKS:
                return self.choices[0].id if self.choices else self.id
            case _:
                return self.id


@dataclass(frozen=True)
class FormState:
    """What a form holds at the moment.

    values    by field; may be anything, as typed
    problems  sentences by JSON pointer
    hidden    where the fields that are not asked for now stand in the schema
    region    the country of phones that name none
    about     what names the step
    asked     the places of the fields about which somebody outside is asked
    """

    values: Mapping[str, Json]
    language: Language
    problems: Mapping[str, str] = field(default_factory=dict)
    hidden: Container[str] = frozenset()
    region: str = ""
    about: str = ""
    asked: Container[str] = frozenset()


def view_form(form: FormField, state: FormState) -> tuple[FieldView, ...]:
    """The form's fields in the schema's order."""
    viewer = _Viewer(state)
    return tuple(viewer.view(one, step_into("", one.name), state.values.get(one.name)) for one in form.fields)


def element_id(pointer: str) -> str:
    """An element's id for a JSON pointer: letters, digits, `-` and `_` only, and no two alike."""
    return "f" + re.sub("[^A-Za-z0-9/]", lambda match: f"_{ord(match[0]):x}_", pointer).replace("/", "-")


class _Viewer:
    def __init__(self, state: FormState) -> None:
        self._state = state
        self._language = state.language

    def view(self, one: FormField, pointer: str, value: Json, label: str | None = None) -> FieldView:
        conditional = "visibleWhen" in one.schema
        return FieldView(
            pointer=pointer,
            id=element_id(pointer),
            control=one.control,
            label=label or self._label(one),
            hint=hint_of(one, self._language),
            optional=_may_stay_empty(one),
            problem=self._state.problems.get(pointer),
            attributes=attributes_of(one, self._state.about),
            unit=str(one.schema.get("currency", "")),
            asks=one.source in self._state.asked,
            source=one.source if conditional else "",
            hidden=conditional and one.source in self._state.hidden,
            **self._content(one, pointer, value),
        )

    def _label(self, one: FormField) -> str:
        return self._language.of(one.schema.get("title")) or _words(one.name)

    def _content(self, one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        content = _CONTENT.get(one.control)
        return {"value": self._scalar(one, value)} if content is None else content(self, one, pointer, value)

    def _check(self, _one: FormField, _pointer: str, value: Json) -> dict[str, Any]:
        return {"value": "true" if value is True else ""}

    def _date(self, _one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        parts = split_date(_text(value))
        blank = tuple(not part.strip() for part in parts)
        wrong = blank if any(blank) and not all(blank) else (True, True, True)
        return {"parts": parts, "wrong_parts": wrong if pointer in self._state.problems else (False, False, False)}

    def _country(self, one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        here, known = element_id(pointer), countries.names(self._language.page)
        given = {option.value for option in one.options}
        codes = [code for code in known if not given or code in given]
        found = (Choice(f"{here}-{code}", code, known[code], code == value) for code in codes)
        return {"choices": tuple(found), "searched": len(codes) > LONG_LIST}

    def _scalar(self, one: FormField, value: Json) -> str:
        if one.control in (Control.NUMBER, Control.INTEGER) and _is_number(value):
            return format_number(value, self._language.decimal)
        text = _text(value)
        return without_zone(text) if one.control in (Control.DATE_TIME, Control.TIME) else text

    def _group(self, one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        values: JsonObject = value if isinstance(value, Mapping) else {}
        inner = (self.view(part, step_into(pointer, part.name), values.get(part.name)) for part in one.fields)
        return {"fields": tuple(inner)}

    def _repeat(self, one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        if one.item is None:
            return {}
        least = int(one.schema.get("minItems", 0))
        most = int(one.schema.get("maxItems", MOST_ITEMS))
        blank: Json = {} if one.item.control is Control.GROUP else ""
        # Nobody should have to find a button before the first item; a list that was emptied stays empty.
        items = list(value) if isinstance(value, list) else [blank] * max(1, least)
        label = self._label(one)
        views = tuple(
            self.view(one.item, step_into(pointer, number), item, self._item_label(one.item, label, number))
            for number, item in enumerate(items)
        )
        return {
            "fields": views,
            "item_label": self._language.of(one.item.schema.get("title")) or label,
            "can_add": len(items) < most,
            "can_remove": len(items) > max(least, 1),
        }

    def _item_label(self, item: FormField, label: str, number: int) -> str:
        return f"{self._language.of(item.schema.get('title')) or label} {number + 1}"

    def _choices(self, one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        chosen = value if isinstance(value, list) else [value]
        keys = {_key(item) for item in chosen}
        here, say = element_id(pointer), self._language.of
        found = (
            Choice(f"{here}-{number}", option.key, say(option.label), _key(option.value) in keys)
            for number, option in enumerate(one.options)
        )
        return {"choices": tuple(found), "searched": len(one.options) > LONG_LIST}

    def _yes_no(self, _one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        here, say = element_id(pointer), self._language
        yes = Choice(f"{here}-0", "true", say("form.yes"), value is True)
        return {"choices": (yes, Choice(f"{here}-1", "false", say("form.no"), value is False))}

    def _phone(self, one: FormField, pointer: str, value: Json) -> dict[str, Any]:
        region = str(one.schema.get("defaultCountry", self._state.region))
        if isinstance(value, Mapping):
            region = region_of(str(value.get("countryCode", "")).lstrip("+")) or region
            number = _text(value.get("number"))
        else:
            region, number = split_phone(_text(value), region)
        options = country_options(self._language.page, region, self._language("form.choose"))
        return {"value": number, "parts": (region,), "countries": options}


_CONTENT: Final[Mapping[Control, Callable[[_Viewer, FormField, str, Json], dict[str, Any]]]] = {
    Control.GROUP: _Viewer._group,
    Control.REPEAT: _Viewer._repeat,
    Control.RADIOS: _Viewer._choices,
    Control.SELECT: _Viewer._choices,
    Control.COUNTRY: _Viewer._country,
    Control.CHECKS: _Viewer._choices,
    Control.YES_NO: _Viewer._yes_no,
    Control.CHECK: _Viewer._check,
    Control.DATE: _Viewer._date,
    Control.PHONE: _Viewer._phone,
    Control.PHONE_PARTS: _Viewer._phone,
}


def _may_stay_empty(one: FormField) -> bool:
    """Whether to say so. A box may, as everybody sees; of a group all of whose fields may, they say it themselves."""
    if one.required or not one.name or one.control is Control.CHECK:
        return False
    within = one.item.fields if one.item else one.fields
    return not within or any(inner.required for inner in within)


def _key(value: Json) -> str:
    return f"{type(value).__name__}:{value}" if isinstance(value, str | bool) else dumps(value)


def _is_number(value: Json) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Json) -> str:
    """A value as a text field shows it; what was typed is text already."""
    if value is None:
        return ""
    return value if isinstance(value, str) else dumps(value)


def _words(name: str) -> str:
    """`companyNumber` and `company_number` as a person reads them, for a field without a title."""
    words = re.sub("(?<=[a-z0-9])(?=[A-Z])", " ", name.replace("_", " ").replace("-", " ")).strip().lower()
    return words[:1].upper() + words[1:]
