"""`phone`: could this number be called, and what kind of line is it? By the plans that each country publishes.

It says nothing of whether the line is in use or to whom it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from passerelle.engine.checks.base import CheckResult, PureCheck, Reason, library, takes
from passerelle.engine.checks.numbers import ALIASES, COUNTRY_SCHEMA
from passerelle.kit.json import JsonObject
from passerelle.kit.phones import parsed

if TYPE_CHECKING:
    from phonenumbers import NumberParseException, PhoneNumber


class Phone(PureCheck):
    """Telephone numbers of the world."""

    name = "phone"
    source = library("phonenumbers")
    inputs: ClassVar[JsonObject] = takes(
        ["value"],
        {
            "value": {
                "type": "string",
                "maxLength": 250,
                "description": "The number, as people write it; best with `+` and the country's code.",
            },
            "country": {
                **COUNTRY_SCHEMA,
                "description": "Two letters: the country of a number that comes without `+` and its code.",
            },
        },
    )

    def warm(self) -> None:
        self.run({"value": "+48 12 345 67 89"})

    def problems(self, fixed: JsonObject, templated: frozenset[str]) -> Iterator[tuple[str, str]]:
        if "country" in fixed and (unknown := _unknown_country(fixed["country"])):
            yield "country", unknown.message

    def run(self, inputs: JsonObject) -> CheckResult:
        # Imported here, as in `iban`: commands that check nothing need not wait for it.
        from phonenumbers import NumberParseException  # noqa: PLC0415

        country = inputs.get("country")
        if country is not None and (unknown := _unknown_country(country)):
            return CheckResult("unknown", (unknown,))
        try:
            number = parsed(inputs["value"], country and _code(country))
        except NumberParseException as error:
            return _unreadable(error, named=inputs["value"].strip().startswith(("+", "00")))
        return _examine(number)


def _code(country: str) -> str:
    return ALIASES.get(country.upper(), country.upper())


def _unknown_country(country: str) -> Reason | None:
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415

    if _code(country) in SUPPORTED_REGIONS:
        return None
    return Reason("COUNTRY_UNKNOWN", f"there is no country `{country}`: give the two letters of ISO 3166, such as PL")


def _unreadable(error: NumberParseException, *, named: bool) -> CheckResult:
    """`named`: whether the number begins with a country's code."""
    if error.error_type == error.INVALID_COUNTRY_CODE and named:
        return CheckResult("invalid", (Reason("COUNTRY_UNKNOWN", "no country has the code that it begins with"),))
    if error.error_type == error.INVALID_COUNTRY_CODE:
        return CheckResult(
            "unknown",
            (Reason("COUNTRY_REQUIRED", "it does not begin with `+` and a country's code: say the `country`"),),
        )
    if error.error_type == error.NOT_A_NUMBER:
        return CheckResult("invalid", (Reason("FORMAT", "it is not a telephone number"),))
    return CheckResult("invalid", (Reason("LENGTH", "it has too few or too many digits for any number"),))


def _examine(number: PhoneNumber) -> CheckResult:
    from phonenumbers import ValidationResult, is_possible_number_with_reason, is_valid_number  # noqa: PLC0415

    data = _facts(number)
    if is_valid_number(number):
        return CheckResult("valid", data=data)
    if is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE:
        reason = Reason("NOT_ASSIGNED", "the length is right, but no operator has numbers that begin like this")
    else:
        reason = Reason("LENGTH", "numbers of this country are shorter or longer")
    return CheckResult("invalid", (reason,), data)


def _facts(number: PhoneNumber) -> JsonObject:
    """What the number tells; a fact that is not known is left out."""
    import phonenumbers as library_  # noqa: PLC0415

    kind = library_.number_type(number)
    facts = {
        "number": library_.format_number(number, library_.PhoneNumberFormat.E164),
        "international": library_.format_number(number, library_.PhoneNumberFormat.INTERNATIONAL),
        "country": library_.region_code_for_number(number),
        "countryCode": number.country_code,
        "type": library_.PhoneNumberType.to_string(kind).lower(),
        "extension": number.extension,
    }
    return {name: fact for name, fact in facts.items() if fact is not None and fact != "unknown"}
