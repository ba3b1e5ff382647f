"""`vat-vies`: is this VAT number registered for trade between countries of the EU? The Commission's VIES says.

VIES asks the tax office of the number's country. An office that does not answer is a failure, which is retried,
never a number that is not valid: VIES itself says `isValid: false` for both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Final

from passerelle.definitions.words import suggest
from passerelle.engine.checks.base import CheckResult, OutsideCheck, Reason, takes
from passerelle.engine.checks.company_number import VAT_COUNTRIES
from passerelle.engine.checks.numbers import COUNTRY_SCHEMA, plain
from passerelle.engine.checks.services import URL_SCHEMA, Service, ask, text
from passerelle.engine.kinds import StepFailure, Tools
from passerelle.kit.json import JsonObject

VIES: Final = Service("VIES", "https://ec.europa.eu/taxation_customs/vies/rest-api")

COUNTRIES: Final = frozenset({*VAT_COUNTRIES, "EL", "XI"} - {"GR", "GB", "CH", "NO"})
"""As VIES names them: Greece is EL, Northern Ireland XI."""
_ALIASES: Final = {"GR": "EL"}
_NUMBER: Final = re.compile(r"[0-9A-Z+*]{2,12}")

_BUSY: Final = frozenset(
    f"{who}_MAX_CONCURRENT_REQ{what}" for who in ("GLOBAL", "MS") for what in ("", "_TIME")
)  # fmt: skip
_DOWN: Final = frozenset({"MS_UNAVAILABLE", "SERVICE_UNAVAILABLE", "TIMEOUT", "SERVER_BUSY"})
_REFUSED: Final = frozenset({"IP_BLOCKED", "VAT_BLOCKED", "INVALID_REQUESTER_INFO"})


class VatVies(OutsideCheck):
    """VAT numbers of the EU and Northern Ireland."""

    name = "vat-vies"
    source = VIES.source
    inputs: ClassVar[JsonObject] = takes(
        ["value"],
        {
            "value": {
                "type": "string",
                "maxLength": 100,
                "description": "The VAT number. Spaces, dashes and lower case do not matter.",
            },
            "country": {
                **COUNTRY_SCHEMA,
                "description": "Two letters. Needed for a number without its country's prefix.",
            },
            "requester": {
                "type": "string",
                "maxLength": 100,
                "description": "Your own VAT number, with its prefix: VIES then gives a consultation number as proof.",
            },
            "baseUrl": {**URL_SCHEMA, "description": f"Where VIES is, if not at {VIES.base_url}."},
        },
    )

    def problems(self, fixed: JsonObject, templated: frozenset[str]) -> Iterator[tuple[str, str]]:
        if "country" in fixed and _code(fixed["country"]) not in COUNTRIES:
            yield "country", _unknown_country(fixed["country"]).message
        if "requester" in fixed and _parted(fixed["requester"], None) is None:
            yield "requester", "must be a VAT number with its country's prefix, such as PL7740001454"

    async def run(self, inputs: JsonObject, tools: Tools) -> CheckResult:
        country, number = _parts(inputs["value"], inputs.get("country"))
        if country is None:
            return CheckResult("unknown", (Reason("COUNTRY_REQUIRED", "say the country with `country`"),))
        if country not in COUNTRIES:
            return CheckResult("unknown", (_unknown_country(country),))
        data = {"number": country + number, "country": country}
        if not _NUMBER.fullmatch(number):
            return CheckResult("invalid", (_format(),), data)
        service = VIES.at(inputs.get("baseUrl"))
        path = f"/ms/{country}/vat/{number}{_requester(inputs)}"
        _, answer = await ask(service, path, tools, expect=(200, 400))
        return _verdict(service, answer, data)


def _verdict(service: Service, answer: JsonObject, data: JsonObject) -> CheckResult:
    code = _code_of(service, answer)
    if code == "INVALID_INPUT":
        return CheckResult("invalid", (_format(),), data, service.source)
    if failure := _failure(service, code):
        raise failure
    facts = {
        "name": text(answer.get("name")),
        "address": text(answer.get("address")),
        "consultationNumber": text(answer.get("requestIdentifier")),
        "consultedAt": text(answer.get("requestDate")),
    }
    data = {**data, **{name: fact for name, fact in facts.items() if fact is not None}}
    if answer["isValid"]:
        return CheckResult("valid", data=data, source=service.source)
    reason = Reason("NOT_REGISTERED", "it is not registered for trade between countries of the EU")
    return CheckResult("invalid", (reason,), data, service.source)


def _code_of(service: Service, answer: JsonObject) -> str:
    """What VIES says of the request itself: `VALID`, `INVALID`, or an error's code."""
    wrapped = answer.get("errorWrappers")
    if isinstance(wrapped, list) and wrapped and isinstance(wrapped[0], dict):
        return str(wrapped[0].get("error"))
    code = answer.get("userError")
    if not isinstance(answer.get("isValid"), bool) or not isinstance(code, str):
        raise service.malformed("`isValid` or `userError` is missing")
    if code == "VALID" and not answer["isValid"]:
        raise service.malformed("`isValid` and `userError` contradict each other")
    return code


def _failure(service: Service, code: str) -> StepFailure | None:
    if code in ("VALID", "INVALID"):
        return None
    if code in _BUSY:
        return service.busy(code)
    if code in _DOWN:
        return service.down(code)
    if code in _REFUSED:
        return service.refused(code)
    return service.malformed("it names an error that its documentation does not list")


def _format() -> Reason:
    return Reason("FORMAT", "it does not have the form of that country's VAT numbers")


def _unknown_country(country: str) -> Reason:
    if country.upper() in ("GB", "UK"):
        return Reason(
            "COUNTRY_UNKNOWN", "VIES does not know numbers of Great Britain; Northern Ireland's begin with XI"
        )
    return Reason(
        "COUNTRY_UNKNOWN", f"VIES does not know `{country}`; {suggest(country, sorted(COUNTRIES), 'countries:')}"
    )


def _code(country: str) -> str:
    return _ALIASES.get(country.upper(), country.upper())


def _parts(value: str, country: str | None) -> tuple[str | None, str]:
    """Country and number. A prefix that is the country's own is taken off."""
    number = plain(value)
    prefix = _code(number[:2]) if number[:2].isalpha() else None
    named = _code(country) if country is not None else prefix
    return named, number[2:] if prefix is not None and prefix == named else number


def _parted(value: str, country: str | None) -> tuple[str, str] | None:
    """Country and number of one that VIES could know; None of any other."""
    found, number = _parts(value, country)
    return (found, number) if found in COUNTRIES and _NUMBER.fullmatch(number) else None


def _requester(inputs: JsonObject) -> str:
    if "requester" not in inputs:
        return ""
    parted = _parted(inputs["requester"], None)
    if parted is None:
        raise StepFailure(
            "CHECK_INPUT_INVALID", "vat-vies cannot use its inputs: requester: no VAT number with a prefix"
        )
    return f"?requesterMemberStateCode={parted[0]}&requesterNumber={parted[1]}"
