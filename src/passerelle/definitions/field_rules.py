"""What a form says of a field that JSON Schema has no word for: dates by the day, ages, money, checks."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from passerelle.definitions.kinds import Path, StepContext
from passerelle.kit.countries import is_country
from passerelle.kit.json import Json, JsonObject

KEYWORDS: Final = (
    *("check", "defaultCountry", "currency", "earliest", "latest", "minAge", "maxAge", "autofill"),
)  # fmt: skip
"""The keywords of a field that are ours."""
CHECKED: Final[Mapping[str, JsonObject]] = {
    "iban": {"name": "iban"},
    "nip": {"name": "company-number", "with": {"type": "NIP"}},
    "pesel": {"name": "personal-number", "with": {"country": "PL", "type": "PESEL"}},
    "vat": {"name": "company-number", "with": {"type": "VAT"}},
    "lei": {"name": "company-number", "with": {"type": "LEI"}},
}
"""Formats that are short for a check."""
BIRTH: Final = frozenset({"birthdate", "birthday", "dateofbirth"})
"""Names of fields, in lower case without `_` and `-`, that ask when somebody was born."""
OLDEST: Final = 130
"""Years: nobody has lived so long."""

_BOUND: Final = re.compile(r"today\s*(?:([+-])\s*(\d{1,5})\s*([dwmy]))?")
_DAYS: Final = {"d": 1, "w": 7}

Wrong = tuple[str, str, JsonObject]
"""Keyword, sentence in English, and what a sentence in another language needs."""


@dataclass(frozen=True, slots=True)
class DayBound:
    """A day: one of the calendar, or so far from today."""

    day: date | None = None
    months: int = 0
    days: int = 0

    @staticmethod
    def parse(text: object) -> DayBound:
        """`2026-01-31`, `today`, `today-18y`, `today+30d`. Raises `ValueError`."""
        if not isinstance(text, str):
            raise ValueError("must be a date such as `2026-01-31`, or `today`, `today-18y`, `today+30d`")
        if match := _BOUND.fullmatch(text.strip()):
            sign, amount, unit = match.groups()
            count = int(amount or 0) * (-1 if sign == "-" else 1)
            if unit in _DAYS:
                return DayBound(days=count * _DAYS[unit])
            return DayBound(months=count * (12 if unit == "y" else 1))
        try:
            return DayBound(date.fromisoformat(text))
        except ValueError:
            raise ValueError(
                f"`{text}` is no date such as `2026-01-31`, and no `today`, `today-18y`, `today+30d`"
            ) from None

    @property
    def is_today(self) -> bool:
        return self == DayBound()

    def on(self, today: date) -> date:
        """The day that it is on a day."""
        if self.day is not None:
            return self.day
        try:
            return _moved(today, self.months) + timedelta(days=self.days)
        except (ValueError, OverflowError):
            return date.min if self.months < 0 or self.days < 0 else date.max


@dataclass(frozen=True, slots=True)
class FieldRules:
    """The rules of one field that are worked out here."""

    earliest: DayBound | None = None
    latest: DayBound | None = None
    least_age: int | None = None
    most_age: int | None = None
    birth: bool = False
    """Whether somebody must be able to have been born then."""
    decimals: int | None = None

    def wrong(self, value: Json, today: date) -> Iterator[Wrong]:
        """What is wrong with a value; at most one thing is said."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.decimals is not None and -Decimal(repr(value)).normalize().as_tuple().exponent > self.decimals:  # type: ignore[operator]
                yield "decimals", f"has more than {self.decimals} decimals", {"limit": self.decimals}
        elif (day := _day(value)) is not None:
            yield from self._wrong_day(day, today)

    def _wrong_day(self, day: date, today: date) -> Iterator[Wrong]:
        age = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
        if self.birth and not 0 <= age <= OLDEST:
            yield "birth", "is no day on which somebody living can have been born", {}
        elif self.earliest is not None and day < (first := self.earliest.on(today)):
            yield "earliest", f"must not be before {first}", {"limit": f"{first}", "today": self.earliest.is_today}
        elif self.latest is not None and day > (last := self.latest.on(today)):
            yield "latest", f"must not be after {last}", {"limit": f"{last}", "today": self.latest.is_today}
        elif self.least_age is not None and age < self.least_age:
            yield "minAge", f"must be {self.least_age} years ago at least", {"limit": self.least_age}
        elif self.most_age is not None and age > self.most_age:
            yield "maxAge", f"must be {self.most_age} years ago at most", {"limit": self.most_age}

    def __bool__(self) -> bool:
        return self != FieldRules()


def compile_rules(field: JsonObject, path: Path, compiling: StepContext) -> FieldRules:
    """The rules of one field; what is wrong with them is noted."""
    given: dict[str, Any] = {}
    for keyword in ("earliest", "latest"):
        if keyword in field:
            try:
                given[keyword] = DayBound.parse(field[keyword])
            except ValueError as error:
                compiling.problem((*path, keyword), str(error))
    for keyword, name in (("minAge", "least_age"), ("maxAge", "most_age")):
        if keyword in field:
            age = field[keyword]
            if isinstance(age, int) and not isinstance(age, bool) and 0 <= age <= OLDEST:
                given[name] = age
            else:
                compiling.problem((*path, keyword), f"must be a whole number of years from 0 to {OLDEST}")
    if given and field.get("format") != "date":
        keyword = next(one for one in ("earliest", "latest", "minAge", "maxAge") if one in field)
        compiling.problem((*path, keyword), "belongs to a field with `format: date`")
    if "currency" in field:
        given |= _money(field, path, compiling)
    if "defaultCountry" in field and not (field.get("format") == "phone" and is_country(field["defaultCountry"])):
        compiling.problem(
            (*path, "defaultCountry"), "must be a country's two letters, such as PL, at a field with `format: phone`"
        )
    if "autofill" in field and not isinstance(field["autofill"], bool | str):
        compiling.problem((*path, "autofill"), "must be true, false, or a name such as `given-name`")
    bounded = field.keys() & {"earliest", "latest", "minAge", "maxAge"}
    named = re.sub("[_-]", "", str(path[-1])).lower() in BIRTH
    return FieldRules(**given, birth=named and field.get("format") == "date" and not bounded - {"minAge", "maxAge"})


def _money(field: JsonObject, path: Path, compiling: StepContext) -> dict[str, Any]:
    from babel.numbers import get_currency_precision, list_currencies  # noqa: PLC0415 - few forms ask for money

    if field.get("type") not in ("number", "integer") or field["currency"] not in list_currencies():
        compiling.problem(
            (*path, "currency"), "must be a currency's three letters, such as EUR, at a field with `type: number`"
        )
        return {}
    return {"decimals": get_currency_precision(field["currency"])}


def _day(value: Json) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def _moved(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
