"""`email-address`: is this a well-formed e-mail address, by the rules of the mail and domain standards?

Nobody is asked: it says nothing of whether the mailbox or its domain exists. A message with a link does.
"""

from __future__ import annotations

from typing import ClassVar, Final

from passerelle.engine.checks.base import CheckResult, PureCheck, Reason, library, takes
from passerelle.kit.json import JsonObject
from passerelle.kit.text import visible

_LOCAL: Final = Reason("LOCAL_PART", "the part before the @ is empty, too long, or has characters that no mailbox has")
_DOMAIN: Final = Reason("DOMAIN", "the part after the @ is not the name of a domain")
_RESERVED: Final = Reason("DOMAIN_RESERVED", "its domain is reserved for tests and local networks, and gets no mail")


class EmailAddress(PureCheck):
    """E-mail addresses (RFC 5321, 5322, 6531 and 5891), without quoted mailboxes and display names."""

    name = "email-address"
    source = library("email-validator")
    inputs: ClassVar[JsonObject] = takes(
        ["value"],
        {
            "value": {
                "type": "string",
                "maxLength": 1000,
                "description": "The address, without a name beside it. Spaces around it do not matter.",
            },
        },
    )

    def warm(self) -> None:
        self.run({"value": "someone@example.com"})

    def run(self, inputs: JsonObject) -> CheckResult:
        # Imported here, as in `iban`: commands that check nothing need not wait for it.
        from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

        text = visible(inputs["value"])
        try:
            found = validate_email(text, check_deliverability=False, strict=True)
        except EmailNotValidError:
            return CheckResult("invalid", (_fault(text),))
        data = {
            "address": found.normalized,
            "mailbox": found.local_part,
            "domain": found.domain,
            "asciiDomain": found.ascii_domain,
            "international": found.smtputf8,
        }
        return CheckResult("valid", data=data)


def _fault(text: str) -> Reason:
    """Which part is wrong. The library says it only in messages that repeat the address."""
    from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email  # noqa: PLC0415

    if text.count("@") != 1:
        return Reason("FORMAT", "it is not one address: a mailbox, one @ and a domain")
    domain = text.partition("@")[2].lower().rstrip(".")
    if any(domain == name or domain.endswith(f".{name}") for name in SPECIAL_USE_DOMAIN_NAMES):
        return _RESERVED
    try:
        validate_email(f"a@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return _DOMAIN
    return _LOCAL
