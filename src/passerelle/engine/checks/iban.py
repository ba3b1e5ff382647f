"""`iban`: is this a well-formed account number, do its check digits fit, and whose bank is it?

It says nothing of whether the account exists or to whom it belongs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from stdnum.util import clean

from passerelle.engine.checks.base import CheckResult, PureCheck, Reason, library, takes
from passerelle.engine.checks.numbers import ALIASES, COUNTRY_SCHEMA, LONGEST
from passerelle.kit.json import JsonObject
from passerelle.kit.text import number_text

if TYPE_CHECKING:
    from schwifty import IBAN


class Iban(PureCheck):
    """International bank account numbers, by the registry of SWIFT and the banks' own lists."""

    name = "iban"
    source = library("schwifty")
    inputs: ClassVar[JsonObject] = takes(
        ["value"],
        {
            "value": {
                "type": "string",
                "description": "The account number. Spaces, dashes and lower case do not matter.",
            },
            "country": {
                **COUNTRY_SCHEMA,
                "description": "Two letters: the country of a number that comes without them, such as"
                " Poland's NRB; a number of another country does not pass.",
            },
        },
    )

    def warm(self) -> None:
        from schwifty import IBAN, registry  # noqa: PLC0415 - as in `run`

        registry.get_all_banks()
        IBAN("PL61109010140000071219812874")

    def run(self, inputs: JsonObject) -> CheckResult:
        text = clean(number_text(inputs["value"]), " -.\t\r\n").upper().removeprefix("IBAN").removeprefix(":")
        country = inputs.get("country", "").upper()
        country = ALIASES.get(country, country)
        if text[:1].isdigit():
            text = country + text
        if len(text) > LONGEST or not text[:2].isalpha():
            return CheckResult("invalid", (Reason("FORMAT", "it does not begin with a country's letters"),))
        if country and not text.startswith(country):
            return CheckResult(
                "invalid", (Reason("COUNTRY_MISMATCH", f"it is not an account in {country}", {"country": country}),)
            )
        return _examine(text)


def _examine(text: str) -> CheckResult:
    # Imported here because it takes a third of a second, which commands that check nothing need not wait for.
    from schwifty import IBAN, exceptions  # noqa: PLC0415

    iban = IBAN(text, allow_invalid=True)
    data = {"number": str(iban), "country": iban.country_code}
    try:
        _validate(iban)
    except exceptions.InvalidCountryCode:
        return CheckResult("unknown", (_unknown("COUNTRY_UNKNOWN", iban.country_code),), data)
    except exceptions.SchwiftyException as error:
        return CheckResult("invalid", (_reason(error, iban),), data)
    data |= _facts(iban)
    if iban.is_aspirational:
        return CheckResult("unknown", (_unknown("COUNTRY_UNREGISTERED", iban.country_code),), data)
    return CheckResult("valid", data=data)


def _validate(iban: IBAN) -> None:
    from schwifty.checksum import algorithms  # noqa: PLC0415

    iban.validate()
    # Only where one national rule holds for every bank. In Germany each bank has its own, and schwifty has
    # refused good accounts by some of them (its pull requests 298 and 299): that would be false precision.
    if f"{iban.country_code}:default" in algorithms:
        iban.bban.validate_national_checksum()


def _reason(error: Exception, iban: IBAN) -> Reason:
    from schwifty import exceptions  # noqa: PLC0415

    match error:
        case exceptions.InvalidChecksumDigits():
            return Reason("CHECKSUM", "the check digits do not fit: a character is wrong or two are swapped")
        case exceptions.InvalidBBANChecksum():
            said = f"the national check digits of {iban.country_code} do not fit"
            return Reason("NATIONAL_CHECKSUM", said, {"country": iban.country_code})
        case exceptions.InvalidLength():
            length = str(iban.spec.iban_length)
            said = f"an IBAN of {iban.country_code} has {length} characters"
            return Reason("LENGTH", said, {"country": iban.country_code, "length": length})
        case _:
            return Reason("FORMAT", "the form is wrong. Expected: two letters, two digits, account number")


def _unknown(code: str, country: str) -> Reason:
    said = f"SWIFT's registry of IBANs does not list {country}, so its banks may not accept it"
    return Reason(code, said, {"country": country})


def _facts(iban: IBAN) -> JsonObject:
    """What the number tells of the bank; a fact that is not known is left out."""
    facts = {
        "formatted": iban.formatted,
        "bankCode": iban.bank_code,
        "branchCode": iban.branch_code,
        "bic": str(iban.bic or ""),
        "bankName": iban.bank_name,
        "sepa": iban.in_sepa_zone,
    }
    return {name: fact for name, fact in facts.items() if fact not in {None, ""}}
