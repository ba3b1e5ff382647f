"""What the checks of official numbers share: a number's rule, and finding the right one.

The arithmetic is python-stdnum's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

from stdnum import exceptions, get_cc_module
from stdnum.util import clean

from passerelle.definitions.words import suggest
from passerelle.engine.checks.base import CheckResult, Reason, library
from passerelle.kit.json import JsonObject
from passerelle.kit.text import number_text

SOURCE: Final = library("python-stdnum")

VALUE_SCHEMA: Final[JsonObject] = {
    "type": ["string", "integer"],
    "minimum": 0,
    "description": "The number. Spaces, dashes, a country prefix and lower case do not matter."
    " Send it as text: a JSON number loses its leading zeros.",
}

COUNTRY_SCHEMA: Final[JsonObject] = {"type": "string", "maxLength": 40}
TYPE_SCHEMA: Final[JsonObject] = {"type": "string", "maxLength": 40}

ALIASES: Final = {"EL": "GR", "UK": "GB", "XI": "GB"}
"""What VAT numbers (EL, XI) and people (UK) write instead of the ISO code."""

LONGEST: Final = 100
"""No official number is near as long; longer ones are not worth arithmetic."""


def plain(text: str) -> str:
    """Without separators, in upper case: how most numbers are compared."""
    return clean(number_text(text), " -./:").upper()


def always(number: str) -> bool:
    """Every such number has a check digit."""
    return True


def never(number: str) -> bool:
    """No such number has a check digit: only its form can be checked."""
    return False


@dataclass(frozen=True, slots=True)
class Number:
    """The rule of one kind of official number."""

    country: str | None
    """ISO 3166 code; None for numbers of the whole world."""
    type: str
    """How definitions name it: `NIP`."""
    module: str | None
    """python-stdnum's module, which knows the check digits; None where the rule is only the form."""
    form: str
    """What it looks like, for messages: `10 digits`."""
    lengths: tuple[int, ...] = ()
    """Allowed lengths, where python-stdnum does not check them or allows more."""
    pattern: str | None = None
    """What it must match, where python-stdnum allows more."""
    check_digit: Callable[[str], bool] = always
    """Whether a valid number of this kind has a check digit that was checked."""
    prepare: Callable[[str], str] = plain
    facts: Callable[[ModuleType, str], JsonObject] = field(default=lambda module, number: {})
    """What else a valid number tells, such as the date of birth."""

    @property
    def label(self) -> str:
        return f"{self.type} ({self.country})" if self.country else self.type

    def compact(self, text: str) -> str:
        """Without separators and prefix. Never fails: what cannot be read stays as it is."""
        prepared = self.prepare(" ".join(number_text(text).split()))
        if len(prepared) > LONGEST or self.module is None:
            return prepared
        try:
            return str(load(self).compact(prepared))
        except (ValueError, IndexError):
            return prepared

    def fault(self, text: str) -> Reason | None:
        """Why `text` is not such a number; None if it is."""
        number = self.compact(text)
        if not number.strip("0"):
            return self.reason("FORMAT", "it is empty or only zeros")
        if len(number) > LONGEST or (self.lengths and len(number) not in self.lengths):
            return self.reason("LENGTH", "the length is wrong")
        if self.pattern and not re.fullmatch(self.pattern, number):
            return self.reason("FORMAT", "the form is wrong")
        return self._broken_rule(number)

    def _broken_rule(self, number: str) -> Reason | None:
        if self.module is None:
            return None
        try:
            load(self).validate(number)
        except exceptions.InvalidChecksum:
            return self.reason("CHECKSUM", "its check digit does not fit: a character is wrong or two are swapped")
        except exceptions.InvalidLength:
            return self.reason("LENGTH", "the length is wrong")
        except exceptions.InvalidComponent:
            return self.reason("COMPONENT", "a part of it cannot be, such as a date, a region or a prefix")
        except (ValueError, IndexError):
            # ValidationError is a ValueError; on odd characters some modules let plain ones through.
            return self.reason("FORMAT", "the form is wrong")
        return None

    def reason(self, code: str, what: str) -> Reason:
        """A reason whose message names the number and its form."""
        return Reason(code, f"not a valid {self.label}: {what}. Expected: {self.form}", {"type": self.label})


@cache
def load(number: Number) -> ModuleType:
    """The python-stdnum module of a number that has one. Slow the first time, so `warm` calls it."""
    name = str(number.module)
    module = get_cc_module(number.country, name) if number.country else import_module(f"stdnum.{name}")
    if not isinstance(module, ModuleType):
        raise LookupError(f"python-stdnum has no module for {number.label}")
    return module


def warm(numbers: Sequence[Number]) -> None:
    """Load every module, and the data that some read in their first run."""
    for number in numbers:
        number.fault("123456789")


def text_of(value: str | float) -> str:
    """The value as text. An integer may come as a float with nothing behind the point."""
    return value if isinstance(value, str) else str(int(value))


def examine(number: Number, value: str | float) -> CheckResult:
    """Judge one value by one number's rule."""
    text = text_of(value)
    compact = number.compact(text)
    data = {"type": number.type, "country": number.country, "number": compact}
    data = {name: fact for name, fact in data.items() if fact is not None}
    if fault := number.fault(text):
        zeros = () if isinstance(value, str) else _lost_zeros(number, text)
        return CheckResult("invalid", (fault, *zeros), data)
    more = {"formatted": compact, "hasCheckDigit": number.check_digit(compact)}
    if number.module is None:
        return CheckResult("valid", data=data | more, source=f"the form of a {number.label}: {number.form}")
    module = load(number)
    more["formatted"] = str(getattr(module, "format", str)(compact))
    return CheckResult("valid", data=data | more | dict(number.facts(module, compact)))


def _lost_zeros(number: Number, text: str) -> Iterator[Reason]:
    """A JSON number drops leading zeros: say so where they would mend it."""
    if any(not number.fault("0" * zeros + text) for zeros in range(1, 10)):
        yield Reason("LEADING_ZEROS", "it came as a JSON number, which has no leading zeros: send it as text")


def pick(numbers: Sequence[Number], type_: str | None, country: str | None) -> Number | Reason:
    """The number that `type` and `country` name together, or why there is none, with what there is."""
    of_type = [number for number in numbers if type_ is None or number.type == type_.upper()]
    if not of_type:
        known = sorted({number.type for number in numbers})
        return Reason("TYPE_UNKNOWN", f"there is no type `{type_}`; {suggest(str(type_), known, 'types:')}")
    if country is None:
        named = of_type
    else:
        code = ALIASES.get(country.upper(), country.upper())
        world = [number for number in of_type if number.country is None and type_ is not None]
        named = world or [number for number in of_type if number.country == code]
        if not named:
            return _not_there(numbers, type_, country, code)
    return named[0] if len(named) == 1 else _ambiguous(named, country)


def _not_there(numbers: Sequence[Number], type_: str | None, country: str, code: str) -> Reason:
    there = [number for number in numbers if number.country == code]
    if there:
        return Reason("TYPE_UNKNOWN", f"{country} has no {type_}; its types: {types(there)}")
    known = countries([number for number in numbers if type_ is None or number.type == type_.upper()])
    return Reason("COUNTRY_UNKNOWN", f"there is no rule for the country {country}; countries: {known}")


def _ambiguous(named: Sequence[Number], country: str | None) -> Reason:
    if country is None:
        return Reason("COUNTRY_REQUIRED", f"say the country with `country`; countries: {countries(named)}")
    return Reason("TYPE_REQUIRED", f"{country} has several numbers, say which with `type`: {types(named)}")


def problems(numbers: Sequence[Number], fixed: JsonObject, templated: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What the compiler can say of a step's `type` and `country`: (input, message)."""
    picked = pick(numbers, fixed.get("type"), fixed.get("country"))
    if isinstance(picked, Reason):
        name, _, what = picked.code.partition("_")
        if what == "UNKNOWN" or not templated & {"type", "country"}:
            yield name.lower(), picked.message


def types(numbers: Sequence[Number]) -> str:
    """The types of these numbers, sorted, for messages."""
    return ", ".join(sorted({number.type for number in numbers}))


def countries(numbers: Sequence[Number]) -> str:
    """The countries of these numbers, sorted, for messages."""
    return ", ".join(sorted({number.country for number in numbers if number.country}))
