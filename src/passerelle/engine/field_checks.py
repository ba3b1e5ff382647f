"""Checks that stand at a form's field: pure ones belong to what the form says, the others are asked beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from passerelle.definitions.expressions import ExpressionError, Scope
from passerelle.definitions.field_rules import CHECKED
from passerelle.definitions.form_answers import Judge, Judged
from passerelle.definitions.form_schema import FORM, FormSchema
from passerelle.definitions.kinds import Path, StepContext
from passerelle.engine.checks import Check, CheckResult, OutsideCheck, PureCheck
from passerelle.engine.kinds import StepFailure
from passerelle.engine.steps.check import CheckConfig, inputs_of, unknown_check, wrong_inputs
from passerelle.kit.json import Json, JsonObject

_MENDABLE: Final = frozenset({"COUNTRY_REQUIRED"})
"""Reasons of an `unknown` that whoever fills in the field can do something about."""


@dataclass(frozen=True)
class FieldCheck:
    """A check with its other inputs, as it stands at a field.

    format   whether it stands there by a `format`: the value is kept in the form that the check gives it
    """

    config: CheckConfig
    format: bool

    def inputs(self, value: Json, scope: Scope) -> JsonObject:
        """What the check gets. Raises `StepFailure` or `ExpressionError`."""
        return inputs_of(self.config, scope, {self.config.check.subject: value})

    def judged(self, result: CheckResult) -> Judged:
        """A result as the form takes it: what could not be decided is taken, unless the person can mend it."""
        codes = [reason.code for reason in result.reasons]
        if result.status == "invalid":
            return Judged(next(iter(codes), "FORMAT"))
        if mendable := next((code for code in codes if code in _MENDABLE), None):
            return Judged(mendable)
        return Judged(None, result.data.get("number") if self.format else None)


@dataclass(frozen=True)
class PureFieldCheck(FieldCheck):
    """One that belongs to what the form says."""

    check: PureCheck

    def judge(self, value: Json, scope: Scope) -> Judged:
        """What it says. Inputs that cannot be worked out, such as a country not yet chosen, say nothing."""
        try:
            result = self.check.run(self.inputs(value, scope))
        except ExpressionError:
            return Judged()
        except StepFailure:
            return Judged("FORMAT")
        return self.judged(result)


@dataclass(frozen=True)
class OutsideFieldCheck(FieldCheck):
    """One that is asked beside the form."""

    check: OutsideCheck


def compile_field_checks(
    form: FormSchema, checks: Mapping[str, Check], path: Path, compiling: StepContext
) -> dict[Path, FieldCheck]:
    """The checks of a form's fields, by their places in its schema; what is wrong with them is noted."""
    found: dict[Path, FieldCheck] = {}
    for place, named in form.checks.items():
        here = (*path, *place, "check")
        check = checks.get(named["name"])
        inputs = named.get("with", {})
        if check is None:
            compiling.problem(here, unknown_check(named["name"], checks))
        elif not isinstance(inputs, dict):
            compiling.problem((*here, "with"), "must be an object with the check's other inputs")
        else:
            for where, message in _problems(check, inputs):
                compiling.problem((*here, *where), message)
            template = compiling.template(inputs, (*here, "with"), extra=FORM)
            config, by_format = CheckConfig(check, template), named in CHECKED.values()
            if isinstance(check, PureCheck):
                found[place] = PureFieldCheck(config, by_format, check)
            elif isinstance(check, OutsideCheck):
                found[place] = OutsideFieldCheck(config, by_format, check)
    return found


def judges(checks: Mapping[Path, FieldCheck]) -> dict[Path, Judge]:
    """What `FormCheck` asks for each field."""
    return {place: one.judge for place, one in checks.items() if isinstance(one, PureFieldCheck)}


def _problems(check: Check, inputs: JsonObject) -> Iterator[tuple[Path, str]]:
    if check.subject in inputs:
        yield ("with", check.subject), f"`{check.subject}` is what is typed into the field: leave it out"
    for name, message in wrong_inputs(check, {check.subject: "${form}", **inputs}):
        yield (("with", name) if name in inputs else ()), message
