"""Every step kind: the files of `engine/steps`, then the installed packages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from passerelle.definitions.json_schema import schema_findings
from passerelle.definitions.kinds import KindRegistry, StepKind
from passerelle.definitions.problems import render_path
from passerelle.definitions.schema import COMMON_STEP_KEYS, definition_schema
from passerelle.engine.checks import Check, load_checks
from passerelle.engine.plugins import PRESENTERS, PluginLoader, plugged_in
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.json import JsonObject

_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]*")


def load_kinds() -> KindRegistry:
    """Every step kind by its name. Raises `PluginError` for a broken plug-in and for a name taken twice."""
    return STEP_KINDS.load()


def published_schema() -> dict[str, Any]:
    """The language's JSON Schema as editors read it: every installed kind, and what each installed check takes."""
    schema = definition_schema(load_kinds())
    parts = schema["$defs"]
    step = parts["step"]
    check = _with_checks(step["properties"]["check"], load_checks())
    step = {**step, "properties": {**step["properties"], "check": check}}
    return {**schema, "$defs": {**parts, "step": step}}


def _with_checks(schema: JsonObject, checks: Mapping[str, Check]) -> JsonObject:
    """The schema of the step, with the name of each check and, where it is named, its inputs.

    The compiler says more of wrong inputs than a schema can, so its own schema does not have these.
    """
    properties = schema["properties"]
    name = {**properties["name"], "examples": list(checks)}
    taken = [
        {
            "if": {"required": ["name"], "properties": {"name": {"const": check.name}}},
            "then": {"properties": {"with": _inputs(check)}},
        }
        for check in checks.values()
    ]
    return {**schema, "properties": {**properties, "name": name}, "allOf": taken}


def _inputs(check: Check) -> JsonObject:
    """What a check takes; each input may be a template instead."""
    properties = {
        name: {"description": one.get("description", name), "anyOf": [one, {"type": "string", "pattern": r"\$\{"}]}
        for name, one in check.inputs.get("properties", {}).items()
        if isinstance(one, dict)
    }
    return {**check.inputs, "properties": properties}


def _wrong(kind: StepKind) -> str | None:
    """Why definitions could not use it."""
    if not _NAME.fullmatch(kind.name) or kind.name in COMMON_STEP_KEYS:
        return "its name must be a word in camelCase that no step has already (id, when, retry…)"
    if kind.user_facing and (wrong := _not_shown(kind)) is not None:
        return wrong
    findings = schema_findings(definition_schema({kind.name: kind}))
    # All but the part at `$defs.step.properties.<name>` is ours and right.
    unfit = [f"{render_path(path[4:], None, 'schema')}: {said}" for path, said in findings]
    return f"its schema is no JSON Schema 2020-12: {'; '.join(unfit)}" if unfit else None


def _not_shown(kind: StepKind) -> str | None:
    """Why the end user could not be shown it."""
    if not isinstance(kind, UserKind):
        return "it is user-facing, so it must be a passerelle.engine.user_kinds.UserKind"
    if kind.name not in {point.name for point in plugged_in(PRESENTERS)}:
        return f"it is user-facing and has no presenter; name one in the group {PRESENTERS}: {kind.name} = …"
    return None


STEP_KINDS: Final = PluginLoader[StepKind](
    noun="step kind",
    group="passerelle.step_kinds",
    package="passerelle.engine.steps",
    bases=(StepKind,),
    wanted="PureKind, OutsideKind or WaitingKind with its methods",
    needs=("name", "schema"),
    wrong=_wrong,
)
