"""A check and a step kind in a package of their own. `pyproject.toml` names them as entry points: that is all."""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext
from passerelle.engine.checks import CheckResult, PureCheck, Reason
from passerelle.engine.kinds import Done, PureKind
from passerelle.kit.json import JsonObject, KnownJson, dumps


class CardNumber(PureCheck):
    """`card-number`: do the digits of a payment card fit together (Luhn, ISO/IEC 7812)?"""

    name = "card-number"
    source = "the Luhn formula of ISO/IEC 7812-1"
    inputs: ClassVar[JsonObject] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["value"],
        "properties": {"value": {"type": "string", "description": "The number on the card, spaces allowed."}},
    }

    def run(self, inputs: JsonObject) -> CheckResult:
        digits = inputs["value"].replace(" ", "")
        if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19):
            return CheckResult("invalid", (Reason("FORMAT", "a card number has 12 to 19 digits"),))
        doubled = [sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits))]
        if sum(doubled) % 10:
            return CheckResult("invalid", (Reason("CHECKSUM", "the last digit does not fit the others"),))
        # A card's whole number must not end up in a timeline.
        return CheckResult("valid", data={"lastFour": digits[-4:]})


class DigestKind(PureKind[Template]):
    """`digest: {of: "${parameters.document}"}` gives `{sha256}`: of a text as UTF-8, of anything else as its JSON."""

    name = "digest"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "The SHA-256 of a value.",
        "additionalProperties": False,
        "required": ["of"],
        "properties": {"of": {"description": "The value: a text or any JSON, templates allowed."}},
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> Template:
        return compiling.template(value["of"], (*path, "of"))

    def run(self, config: Template, scope: Scope) -> Done:
        value = config.render(scope)
        text = value if isinstance(value, str) else dumps(value)
        return Done({"sha256": sha256(text.encode()).hexdigest()})
