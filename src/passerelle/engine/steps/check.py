"""`check`: one built-in check, or one of a plug-in, by name. Its output is `{passed, status, reasons, data, …}`.

A check that does not pass is an answer, not a failed step. A pure check runs inside the transition, one
that touches the outside runs between two: `bind` picks the kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

from jsonschema_rs import validator_for

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext, StepKind
from passerelle.definitions.readings import members
from passerelle.definitions.words import suggest
from passerelle.engine.checks import Check, CheckResult, OutsideCheck, PureCheck, load_checks
from passerelle.engine.kinds import Done, OutsideKind, PureKind, StepFailure, Tools
from passerelle.kit.clock import iso
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.text import visible

_SHAPE: Final = members(
    {
        "passed": {"type": "boolean"},
        "status": {"enum": ["valid", "invalid", "unknown"]},
        "reasons": {"type": "array"},
        "data": {},
        "source": {"type": "string"},
        "checkedAt": {"type": "string"},
    }
)


@dataclass(frozen=True)
class CheckConfig:
    """A compiled check step: which check, and the template of its inputs."""

    check: Check
    inputs: Template

    @cached_property
    def validator(self) -> Any:
        # Masked: a message of a failed step must not show the value.
        return validator_for(dict(self.check.inputs), mask="it")


class CheckKind(PureKind[CheckConfig | None]):
    """The kind as definitions know it, and as it runs a `PureCheck`."""

    name = "check"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "A check by name; a value that does not pass is an output, not a failure.",
        "additionalProperties": False,
        "required": ["name", "with"],
        "properties": {
            "name": {
                "type": "string",
                "description": "The check: one of these, or a plug-in's.",
                "examples": [
                    *("company-number", "personal-number", "iban", "phone", "email-address", "vat-vies", "mrz"),
                    *("company-register", "sanctions"),
                ],
            },
            "with": {"type": "object", "description": "The check's inputs; each may be a template."},
        },
    }

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """Loaded when first needed. Raises `PluginError`."""
        return load_checks()

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> CheckConfig | None:
        inputs = value["with"]
        template = compiling.template(inputs, (*path, "with"))
        check = self.checks.get(value["name"])
        if check is None:
            compiling.problem((*path, "name"), unknown_check(value["name"], self.checks))
            return None
        for name, message in wrong_inputs(check, inputs):
            compiling.problem((*path, "with", *([name] if name in inputs else [])), message)
        return CheckConfig(check, template)

    def output_shape(self, config: CheckConfig | None) -> JsonObject:
        return _SHAPE

    def bind(self, config: CheckConfig | None) -> StepKind:
        return _OUTSIDE if config and isinstance(config.check, OutsideCheck) else self

    def run(self, config: CheckConfig | None, scope: Scope) -> Done:
        if config is None or not isinstance(check := config.check, PureCheck):
            raise TypeError("no pure check: `bind` was not called")
        inputs = inputs_of(config, scope)
        output = _output(check, check.run(inputs), scope["execution"]["now"])
        return Done(output, input=_shown(check, inputs))


class _OutsideCheckKind(OutsideKind[CheckConfig]):
    """The kind as it runs an `OutsideCheck`. Definitions reach it only through `CheckKind.bind`."""

    name = CheckKind.name
    schema = CheckKind.schema

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> CheckConfig:
        raise TypeError("compiled by CheckKind")

    def output_shape(self, config: CheckConfig) -> JsonObject:
        return _SHAPE

    def describe(self, config: CheckConfig, scope: Scope) -> Json:
        return _shown(config.check, config.inputs.render(scope))

    async def call(self, config: CheckConfig, scope: Scope, tools: Tools, idempotency_key: str) -> Json:
        check = config.check
        if not isinstance(check, OutsideCheck):
            raise TypeError(f"{check.name} is no outside check")
        return _output(check, await check.run(inputs_of(config, scope), tools), iso(tools.now))


_OUTSIDE = _OutsideCheckKind()


def inputs_of(config: CheckConfig, scope: Scope, more: JsonObject | None = None) -> JsonObject:
    """The rendered inputs, and `more`. An optional one that renders to null counts as left out.

    Raises `StepFailure` for inputs that the check cannot use, and `ExpressionError`.
    """
    required = config.check.inputs.get("required", ())
    rendered = {**config.inputs.render(scope), **(more or {})}
    inputs = {name: _seen(value) for name, value in rendered.items() if value is not None or name in required}
    if config.check.wants_today:
        inputs = {"today": scope["execution"]["today"], **inputs}
    wrong = [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in config.validator.iter_errors(inputs)
    ]
    if wrong:
        listed = "; ".join(wrong)
        raise StepFailure("CHECK_INPUT_INVALID", f"{config.check.name} cannot use its inputs: {listed}")
    return inputs


def _seen(value: Json) -> Json:
    """An input as somebody sees it: what cannot be seen makes no value another."""
    if isinstance(value, str):
        return value if value.isascii() else visible(value)
    return [_seen(item) for item in value] if isinstance(value, list) else value


def _shown(check: Check, inputs: JsonObject) -> Json:
    return {"name": check.name, "with": inputs}


def _output(check: Check, result: CheckResult, now: str) -> Json:
    return {
        "passed": result.passed,
        "status": result.status,
        "reasons": [reason.json() for reason in result.reasons],
        "data": dict(result.data),
        "source": result.source or check.source,
        "checkedAt": now,
    }


def unknown_check(name: str, checks: Mapping[str, Check]) -> str:
    """The sentence about a name that no check has."""
    return f"there is no check `{name}`; {suggest(name, sorted(checks), 'checks:')}"


Problems = list[tuple[str, str]]
"""What is wrong with a step's inputs: (input, message)."""


def wrong_inputs(check: Check, inputs: JsonObject) -> Problems:
    """Everything that is wrong with the inputs that a definition gives to a check."""
    return _schema_problems(check, inputs) or _deeper_problems(check, inputs)


def _schema_problems(check: Check, inputs: JsonObject) -> Problems:
    """Unknown and missing inputs, and those the definition states that do not fit the check's schema."""
    properties = check.inputs["properties"]
    unknown = [
        (name, f"`{check.name}` has no input `{name}`; {suggest(name, properties, 'inputs:')}")
        for name in sorted(inputs.keys() - properties.keys())
    ]
    missing = [
        (name, f"`{check.name}` needs the input `{name}`: {properties[name]['description']}")
        for name in check.inputs.get("required", ())
        if name not in inputs
    ]
    wrong = [
        (name, error.message)
        for name, value in _fixed(inputs).items()
        if name in properties
        for error in validator_for(properties[name]).iter_errors(value)
    ]
    return unknown + missing + wrong


def _deeper_problems(check: Check, inputs: JsonObject) -> Problems:
    """What the check itself knows of inputs that fit its schema."""
    fixed = _fixed(inputs)
    return list(check.problems(fixed, frozenset(inputs) - frozenset(fixed)))


def _fixed(inputs: JsonObject) -> JsonObject:
    """The inputs whose values stand in the definition itself."""
    return {name: value for name, value in inputs.items() if not _has_template(value)}


def _has_template(value: Json) -> bool:
    if isinstance(value, str):
        return "${" in value
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(_has_template(part) for part in parts)
