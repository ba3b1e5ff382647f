"""From what a browser sent to JSON by the schema. What cannot be read stays text, so that nobody loses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from passerelle.end_user.pages.forms.dates import Months, join_date, join_date_time, join_time, parse_date
from passerelle.end_user.pages.forms.model import Control, FormField, step_into
from passerelle.end_user.pages.forms.numbers import parse_number
from passerelle.end_user.pages.forms.phones import calling_code, join_phone, split_phone
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.kit.json import Json

_COUNT: Final = re.compile("[0-9]{1,3}")


class _Nothing:
    """Not on the page, or left empty."""


ABSENT: Final = _Nothing()
EMPTY: Final = _Nothing()


@dataclass(frozen=True)
class Parsed:
    """A form's values.

    values    what was filled in, by field
    emptied   the fields that were on the page and are empty
    """

    values: dict[str, Json]
    emptied: tuple[str, ...]

    def draft(self) -> dict[str, Json]:
        """What to keep: a field that was emptied is null, one that was not on the page is left as it was."""
        return {**self.values, **dict.fromkeys(self.emptied)}


def parse_form(
    form: FormField, posted: Posted, decimal: str, months: Months | None = None, *, keep_blank: bool = False
) -> Parsed:
    """The values of a posted form.

    decimal      the language's decimal mark
    months       the names of months that are known
    keep_blank   whether items of a list in which nothing stands are kept: yes while somebody fills it in
    """
    parser = _FormParser(posted, decimal, months or {}, keep_blank)
    found = [(field, parser.parse(field, field.place)) for field in form.fields]
    return Parsed(
        {field.name: value for field, value in found if not isinstance(value, _Nothing)},
        tuple(field.name for field, value in found if value is EMPTY),
    )


_TEXTS: Final[Mapping[Control, Callable[[str], str]]] = {
    Control.TEXT: str.strip,
    Control.EMAIL: str.strip,
    Control.URI: str.strip,
    Control.AREA: lambda typed: typed.strip("\n"),
    Control.DATE_TIME: join_date_time,
    Control.TIME: join_time,
}


class _FormParser:
    def __init__(self, posted: Posted, decimal: str, months: Months, keep_blank: bool) -> None:
        self._posted = posted
        self._decimal = decimal
        self._months = months
        self._keep_blank = keep_blank
        self._special: dict[Control, Callable[[FormField, str], Json | _Nothing]] = {
            Control.GROUP: self._group,
            Control.REPEAT: self._repeat,
            Control.CHECKS: self._checks,
            Control.CHECK: self._check,
            Control.DATE: self._date,
            Control.PHONE: self._phone,
            Control.PHONE_PARTS: self._phone_parts,
            Control.CONST: lambda field, pointer: field.schema["const"] if self._posted.all(pointer) else ABSENT,
        }

    def parse(self, field: FormField, pointer: str) -> Json | _Nothing:
        """The field's value, ABSENT or EMPTY."""
        if (special := self._special.get(field.control)) is not None:
            return special(field, pointer)
        typed = self._posted.last(pointer)
        if typed is None:
            return ABSENT
        return EMPTY if typed.strip() == "" else self._scalar(field, typed)

    def _scalar(self, field: FormField, typed: str) -> Json | _Nothing:
        control = field.control
        if control in (Control.NUMBER, Control.INTEGER):
            number = parse_number(typed, self._decimal, str(field.schema.get("currency", "")))
            return typed if number is None else number
        if control is Control.YES_NO:
            return {"true": True, "false": False}.get(typed, typed)
        if control is Control.COUNTRY:
            return typed.strip()
        if control in (Control.RADIOS, Control.SELECT):
            return next((option.value for option in field.options if option.key == typed), typed)
        return _TEXTS[control](typed)

    def _check(self, _field: FormField, pointer: str) -> Json | _Nothing:
        typed = self._posted.last(pointer)
        return ABSENT if typed is None else typed == "true"

    def _checks(self, field: FormField, pointer: str) -> Json | _Nothing:
        sent = self._posted.all(pointer)
        if sent is None:
            return ABSENT
        by_key = {option.key: option.value for option in field.options}
        chosen = [by_key.get(key, key) for key in dict.fromkeys(sent) if key]
        return chosen or EMPTY

    def _date(self, _field: FormField, pointer: str) -> Json | _Nothing:
        parts = [self._posted.last(pointer, part) for part in ("day", "month", "year")]
        whole = self._posted.last(pointer)
        if all(part is None for part in parts):
            return ABSENT if whole is None else parse_date(whole, self._months) or EMPTY
        day, month, year = (part or "" for part in parts)
        return join_date(day, month, year, self._months) or EMPTY

    def _phone(self, field: FormField, pointer: str) -> str | _Nothing:
        typed = self._posted.last(pointer)
        if typed is None:
            return ABSENT
        return (
            join_phone(self._posted.last(pointer, "country") or str(field.schema.get("defaultCountry", "")), typed)
            or EMPTY
        )

    def _phone_parts(self, field: FormField, pointer: str) -> Json | _Nothing:
        whole = self._phone(field, pointer)
        if isinstance(whole, _Nothing):
            return whole
        region, number = split_phone(whole, self._posted.last(pointer, "country") or "")
        return {"countryCode": calling_code(region), "number": number}

    def _group(self, field: FormField, pointer: str) -> Json | _Nothing:
        found = [(inner, self.parse(inner, step_into(pointer, inner.name))) for inner in field.fields]
        values = {inner.name: value for inner, value in found if not isinstance(value, _Nothing)}
        if any(not _is_blank(inner, values[inner.name]) for inner, _ in found if inner.name in values):
            return values
        if all(value is ABSENT for _, value in found):
            return ABSENT
        return values if field.required else EMPTY

    def _repeat(self, field: FormField, pointer: str) -> Json | _Nothing:
        count = self._posted.last(pointer)
        if count is None or field.item is None or not _COUNT.fullmatch(count):
            return ABSENT
        items = [self.parse(field.item, step_into(pointer, number)) for number in range(int(count))]
        kept = [_blank(field.item) if isinstance(item, _Nothing) else item for item in items if self._keeps(item)]
        return kept or EMPTY

    def _keeps(self, item: Json | _Nothing) -> bool:
        return self._keep_blank or not isinstance(item, _Nothing)


def _blank(item: FormField) -> Json:
    return {} if item.control is Control.GROUP else ""


def _is_blank(field: FormField, value: Json) -> bool:
    """Whether this alone does not make a group filled in: a box that nobody ticked, a constant."""
    return field.control is Control.CONST or (field.control is Control.CHECK and value is False)
