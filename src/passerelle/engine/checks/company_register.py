"""`company-register`: does the register of VAT taxpayers know this company, and what does it say of it?

The register is Poland's "biała lista", kept by the Ministry of Finance (API Rejestr WL 1.6), or any that answers alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from passerelle.engine.checks.base import CheckResult, OutsideCheck, Reason, takes
from passerelle.engine.checks.company_number import NUMBERS
from passerelle.engine.checks.numbers import TYPE_SCHEMA, VALUE_SCHEMA, Number, pick, plain, text_of
from passerelle.engine.checks.services import URL_SCHEMA, Service, ask, text
from passerelle.engine.kinds import Tools
from passerelle.kit.json import Json, JsonObject

REGISTER: Final = Service("Wykaz podatników VAT", "https://wl-api.mf.gov.pl")

_ASKED_BY: Final = tuple(number for number in NUMBERS if number.type in ("NIP", "REGON"))
_STATUSES: Final = {"Czynny": "active", "Zwolniony": "exempt", "Niezarejestrowany": "notRegistered"}

_FACTS: Final = {
    "name": "name",
    "nip": "nip",
    "regon": "regon",
    "krs": "krs",
    "address": "workingAddress",
    "residenceAddress": "residenceAddress",
    "registeredOn": "registrationLegalDate",
    "refusedOn": "registrationDenialDate",
    "removedOn": "removalDate",
    "removalBasis": "removalBasis",
    "restoredOn": "restorationDate",
}
"""The data's names, and the register's."""


class CompanyRegister(OutsideCheck):
    """Polish companies by NIP or REGON, with their bank accounts."""

    name = "company-register"
    source = REGISTER.source
    inputs: ClassVar[JsonObject] = takes(
        ["value"],
        {
            "value": VALUE_SCHEMA,
            "type": {**TYPE_SCHEMA, "description": "Which number: NIP, unless it says REGON."},
            "account": {
                "type": "string",
                "maxLength": 100,
                "description": "A bank account that must be among the company's, with or without PL.",
            },
            "baseUrl": {**URL_SCHEMA, "description": f"Where the register is, if not at {REGISTER.base_url}."},
        },
    )

    def problems(self, fixed: JsonObject, templated: frozenset[str]) -> Iterator[tuple[str, str]]:
        if "type" in fixed and isinstance(picked := pick(_ASKED_BY, fixed["type"], None), Reason):
            yield "type", picked.message

    async def run(self, inputs: JsonObject, tools: Tools) -> CheckResult:
        number = pick(_ASKED_BY, inputs.get("type", "NIP"), None)
        if isinstance(number, Reason):
            return CheckResult("unknown", (number,))
        value = number.compact(text_of(inputs["value"]))
        if fault := number.fault(value):
            # It would be refused, and a day's requests are few.
            return CheckResult("invalid", (fault,), {number.type.lower(): value})
        return await _look_up(number, value, inputs, tools)


async def _look_up(number: Number, value: str, inputs: JsonObject, tools: Tools) -> CheckResult:
    service = REGISTER.at(inputs.get("baseUrl"))
    # The day in UTC: Poland's is never before it, and the register refuses days to come.
    path = f"/api/search/{number.type.lower()}/{value}?date={tools.now:%Y-%m-%d}"
    status, answer = await ask(service, path, tools, expect=(200, 400))
    if status == 400:
        raise service.refused(text(answer.get("code")) or "400")
    result = answer.get("result")
    if not isinstance(result, dict) or "subject" not in result:
        raise service.malformed("`result.subject` is missing")
    proof = _kept({"requestId": result.get("requestId"), "requestedAt": result.get("requestDateTime")})
    subject = result["subject"]
    if subject is None:
        said = f"the register has no company with this {number.type}"
        reason = Reason("NOT_IN_REGISTER", said, {"type": number.type})
        return CheckResult("invalid", (reason,), {number.type.lower(): value, **proof}, service.source)
    return _verdict(service, subject, inputs.get("account"), proof)


def _verdict(service: Service, subject: Json, account: str | None, proof: JsonObject) -> CheckResult:
    if not isinstance(subject, dict) or not isinstance(subject.get("statusVat"), str | None):
        raise service.malformed("`result.subject` is no company")
    # A company that was struck off or refused may have no status at all.
    status = _STATUSES.get(subject.get("statusVat") or "Niezarejestrowany")
    if status is None:
        raise service.malformed("`statusVat` is a status that its documentation does not list")
    data = {"vatStatus": status, **_kept({name: subject.get(theirs) for name, theirs in _FACTS.items()}), **proof}
    reasons: list[Reason] = []
    if status == "notRegistered":
        reasons.append(Reason("NOT_REGISTERED", "the company is not registered for VAT: refused, or struck off"))
    if account is not None:
        data["accountListed"] = listed = _listed(service, subject, account)
        if not listed:
            reasons.append(Reason("ACCOUNT_NOT_LISTED", "the account is not among the company's" + _virtual(subject)))
    return CheckResult("invalid" if reasons else "valid", tuple(reasons), data, service.source)


def _listed(service: Service, subject: JsonObject, account: str) -> bool:
    accounts = subject.get("accountNumbers")
    if not isinstance(accounts, list):
        raise service.malformed("`accountNumbers` is no list")
    return plain(account).removeprefix("PL") in accounts


def _virtual(subject: JsonObject) -> str:
    if subject.get("hasVirtualAccounts") is True:
        return "; it also has virtual accounts, which the register does not list one by one"
    return ""


def _kept(facts: JsonObject) -> JsonObject:
    """The facts that are there."""
    found = {name: text(fact) for name, fact in facts.items()}
    return {name: fact for name, fact in found.items() if fact is not None}
