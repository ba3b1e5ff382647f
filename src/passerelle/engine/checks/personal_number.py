"""`personal-number`: is this a well-formed national number of a person, and does its check digit fit?

Where the number itself says so without a guess, its date of birth and sex come with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import ClassVar, Final

from stdnum.util import clean

from passerelle.engine.checks.base import CheckResult, PureCheck, Reason, takes
from passerelle.engine.checks.numbers import (
    COUNTRY_SCHEMA,
    SOURCE,
    TYPE_SCHEMA,
    VALUE_SCHEMA,
    Number,
    countries,
    examine,
    never,
    pick,
    problems,
    types,
    warm,
)
from passerelle.kit.json import JsonObject


def _sex(module: ModuleType, number: str) -> JsonObject:
    """`{sex: M or F}`, where the number tells it."""
    sex = module.get_gender(number) if hasattr(module, "get_gender") else None
    return {"sex": sex} if sex else {}


def _with_dates(module: ModuleType) -> ModuleType:
    """Slovak numbers are Czech ones, and the library tells their dates only there."""
    return module if hasattr(module, "get_birth_date") else sys.modules[module.validate.__module__]


def _birth(certain: Callable[[str], bool] = lambda number: True) -> Callable[[ModuleType, str], JsonObject]:
    """`{birthDate, sex}`; no date where the century is not `certain` but guessed from two digits."""

    def facts(module: ModuleType, number: str) -> JsonObject:
        born = _with_dates(module).get_birth_date(number) if certain(number) else None
        return ({"birthDate": born.isoformat()} if born else {}) | dict(_sex(module, number))

    return facts


def _ten_digits(number: str) -> bool:
    """Czech and Slovak numbers given out before 1954 have nine digits and no check digit."""
    return len(number) == 10


NUMBERS: Final = (
    Number("PL", "PESEL", "pesel", "11 digits with the date of birth", facts=_birth()),
    Number("AT", "VNR", "vnr", "10 digits"),
    Number("BE", "BIS", "bis", "11 digits", facts=_birth()),
    Number("BE", "NN", "nn", "11 digits with the date of birth", facts=_birth()),
    Number("BG", "EGN", "egn", "10 digits with the date of birth", facts=_birth()),
    Number("BG", "PNF", "pnf", "10 digits"),
    Number("CH", "AHV", "ssn", "756 and 10 digits"),
    Number("CZ", "RC", "rc", "9 or 10 digits with the date of birth", check_digit=_ten_digits, facts=_birth()),
    Number("DE", "IDNR", "idnr", "11 digits"),
    # Denmark gave up the check digit in 2007.
    Number("DK", "CPR", "cpr", "10 digits with the date of birth", check_digit=never, facts=_birth()),
    Number("EE", "IK", "ik", "11 digits with the date of birth", facts=_birth()),
    Number("ES", "DNI", "dni", "8 digits and a letter"),
    Number("ES", "NIE", "nie", "X, Y or Z, 7 digits and a letter"),
    Number("FI", "HETU", "hetu", "date of birth, century sign, 3 digits and a check character", prepare=clean),
    Number("FR", "NIR", "nir", "15 characters"),
    Number("GR", "AMKA", "amka", "11 digits with the date of birth", facts=_sex),
    Number("HR", "OIB", "oib", "11 digits"),
    Number("IE", "PPS", "pps", "7 digits and 1 or 2 letters"),
    Number("IS", "KENNITALA", "kennitala", "10 digits"),
    Number("IT", "CODICEFISCALE", "codicefiscale", "16 letters and digits", (16,), facts=_sex),
    Number("LT", "ASMENS", "asmens", "11 digits", facts=_birth(lambda number: number[0] != "9")),
    # Above 3 they are companies; those that begin with 32 hold no date.
    Number("LV", "PK", "pvn", "11 digits", (11,), "[0-3].*", facts=_birth(lambda number: number[:2] < "32")),
    Number("NL", "BSN", "bsn", "9 digits"),
    Number("NO", "FODSELSNUMMER", "fodselsnummer", "11 digits with the date of birth", facts=_birth()),
    Number("PT", "CC", "cc", "12 letters and digits"),
    Number("PT", "NIF", "nif", "9 digits"),
    # The first digit tells the century only from 1 to 6: from 7 on they are foreigners.
    Number("RO", "CNP", "cnp", "13 digits", facts=_birth(lambda number: number[0] < "7")),
    Number(
        *("SE", "PERSONNUMMER", "personnummer", "10 or 12 digits with the date of birth"),
        prepare=clean,
        facts=_birth(lambda number: len(number) == 13),
    ),
    Number("SI", "EMSO", "emso", "13 digits with the date of birth", facts=_birth()),
    Number("SK", "RC", "rc", "9 or 10 digits with the date of birth", check_digit=_ten_digits, facts=_birth()),
    Number("TR", "TCKIMLIK", "tckimlik", "11 digits"),
    Number("UA", "RNTRC", "rntrc", "10 digits"),
)


class PersonalNumber(PureCheck):
    """National numbers of persons in Europe."""

    name = "personal-number"
    source = SOURCE
    wants_today = True
    inputs: ClassVar[JsonObject] = takes(
        ["value"],
        {
            "value": VALUE_SCHEMA,
            "country": {**COUNTRY_SCHEMA, "description": f"Two letters: {countries(NUMBERS)}."},
            "type": {
                **TYPE_SCHEMA,
                "description": f"Which number, where the country has several: {types(NUMBERS)}."
                " A type that only one country has needs no country.",
            },
            "today": {
                "type": "string",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
                "description": "The day of the execution by default: a number of somebody born later does not pass.",
            },
        },
    )

    def warm(self) -> None:
        warm(NUMBERS)

    def problems(self, fixed: JsonObject, templated: frozenset[str]) -> Iterator[tuple[str, str]]:
        return problems(NUMBERS, fixed, templated)

    def run(self, inputs: JsonObject) -> CheckResult:
        number = pick(NUMBERS, inputs.get("type"), inputs.get("country"))
        if isinstance(number, Reason):
            return CheckResult("unknown", (number,))
        result = examine(number, inputs["value"])
        born = result.data.get("birthDate")
        if result.passed and born is not None and born > inputs.get("today", born):
            unborn = number.reason("COMPONENT", "its date of birth has not come yet")
            return CheckResult("invalid", (unborn,), result.data)
        return result
