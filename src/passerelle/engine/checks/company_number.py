"""`company-number`: is this a well-formed company number, and does its check digit fit?

It says nothing of whether such a company exists: a register (an `http` step) does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar, Final

from stdnum.util import clean

from passerelle.engine.checks.base import CheckResult, PureCheck, Reason, takes
from passerelle.engine.checks.numbers import (
    ALIASES,
    COUNTRY_SCHEMA,
    SOURCE,
    TYPE_SCHEMA,
    VALUE_SCHEMA,
    Number,
    examine,
    never,
    pick,
    plain,
    problems,
    text_of,
    types,
    warm,
)
from passerelle.kit.json import JsonObject

VAT_COUNTRIES: Final = (
    *("AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
)
VAT_PREFIXES: Final = {"GR": "EL"}
"""What a VAT number begins with where that is not the country's code; Northern Ireland's begin with XI."""


def _lower(text: str) -> str:
    return plain(text).lower()


VAT_FORMS: Final = {"CH": "CHE, 9 digits, and MWST, TVA or IVA", "NO": "9 digits and MVA"}
VAT_UNCHECKED: Final[dict[str, Callable[[str], bool]]] = {
    "CZ": lambda number: len(number) == 9 and number[0] != "6",  # of people born before 1954
    "GB": lambda number: len(number) == 5,  # of government departments and health authorities
}
"""The VAT numbers without a check digit."""


def _vat_number(country: str) -> Number:
    unchecked = VAT_UNCHECKED.get(country, never)
    form = VAT_FORMS.get(country, "a VAT number in that country's form")
    return Number(country, "VAT", "vat", form, check_digit=lambda number: not unchecked(number))


VAT_NUMBERS: Final = tuple(_vat_number(country) for country in VAT_COUNTRIES)

# The tax offices' XML schemas (TNrNIP) rule out NIPs that the check digit alone would let pass.
_NIP_PATTERN = "[1-9]([0-9][1-9]|[1-9][0-9])[0-9]{7}"

NUMBERS: Final = (
    Number("PL", "NIP", "nip", "10 digits, the first three naming a tax office", (10,), _NIP_PATTERN),
    Number("PL", "REGON", "regon", "9 digits, or 14 of a local unit"),
    Number("PL", "KRS", None, "10 digits", (10,), "[0-9]{10}", check_digit=never),
    # ISO 17442; python-stdnum checks only the check digits.
    Number(None, "LEI", "lei", "18 letters or digits and 2 check digits", (20,), "[0-9A-Z]{18}[0-9]{2}"),
    *VAT_NUMBERS,
    Number("AT", "FN", "businessid", "digits and a letter", check_digit=never, prepare=_lower),
    Number("BE", "KBO", "vat", "10 digits"),
    Number("CH", "UID", "uid", "CHE and 9 digits"),
    Number("CZ", "ICO", "dic", "8 digits", (8,)),
    Number(
        *("DE", "HANDELSREGISTER", "handelsregisternummer", "court, register and number: Köln HRB 49263"),
        check_digit=never,
        prepare=clean,
    ),
    Number("DK", "CVR", "cvr", "8 digits"),
    Number("EE", "REGISTRIKOOD", "registrikood", "8 digits"),
    Number("ES", "CIF", "cif", "a letter, 7 digits and a check character"),
    Number("FI", "YTUNNUS", "ytunnus", "8 digits"),
    Number("FR", "SIREN", "siren", "9 digits"),
    Number("FR", "SIRET", "siret", "14 digits"),
    Number("HR", "OIB", "oib", "11 digits"),
    Number("IS", "KENNITALA", "kennitala", "10 digits"),
    Number("NO", "ORGNR", "orgnr", "9 digits"),
    Number("RO", "CUI", "cui", "2 to 10 digits"),
    Number("RO", "ONRC", "onrc", "J, F or C, county, number and year", check_digit=never, prepare=clean),
    Number("SE", "ORGNR", "orgnr", "10 digits"),
    Number("SI", "MATICNA", "maticna", "7 or 10 digits"),
    Number("TR", "VKN", "vkn", "10 digits"),
    Number("UA", "EDRPOU", "edrpou", "8 digits"),
)


class CompanyNumber(PureCheck):
    """Company numbers of Europe, and LEI."""

    name = "company-number"
    source = SOURCE
    inputs: ClassVar[JsonObject] = takes(
        ["type", "value"],
        {
            "type": {**TYPE_SCHEMA, "description": f"Which number: {types(NUMBERS)}. Case does not matter."},
            "value": VALUE_SCHEMA,
            "country": {
                **COUNTRY_SCHEMA,
                "description": "Two letters. Needed for a VAT number without its prefix,"
                " and for a type that several countries have.",
            },
        },
    )

    def warm(self) -> None:
        warm(NUMBERS)

    def problems(self, fixed: JsonObject, templated: frozenset[str]) -> Iterator[tuple[str, str]]:
        # A VAT number may name its country itself.
        own_country = str(fixed.get("type")).upper() == "VAT" and "country" not in fixed
        return iter(()) if own_country else problems(NUMBERS, fixed, templated)

    def run(self, inputs: JsonObject) -> CheckResult:
        value, country = inputs["value"], inputs.get("country")
        if inputs["type"].upper() == "VAT":
            return _vat(text_of(value), country)
        number = pick(NUMBERS, inputs["type"], country)
        if isinstance(number, Reason):
            return CheckResult("unknown", (number,))
        return examine(number, value)


def _vat(text: str, country: str | None) -> CheckResult:
    """A VAT number, with its country's prefix or with `country`."""
    prefix = plain(text)[:2]
    number = pick(VAT_NUMBERS, "VAT", country or (prefix if prefix.isalpha() else None))
    if isinstance(number, Reason):
        return CheckResult("unknown", (number,))
    result = examine(number, text)
    named = ALIASES.get(prefix, prefix)
    if not result.passed and named != number.country and named in VAT_COUNTRIES:
        wrong = Reason("COUNTRY_MISMATCH", f"its own prefix says {prefix}, and `country` says {country}")
        return replace(result, reasons=(wrong, *result.reasons))
    north = number.country == "GB" and "XI" in (prefix, (country or "").upper())
    own = "XI" if north else VAT_PREFIXES.get(str(number.country), str(number.country))
    bare = str(result.data["number"])
    if named == number.country:
        bare = bare.removeprefix(prefix)
    whole = own + bare.removeprefix(own)
    return replace(result, data={**result.data, "number": whole})
