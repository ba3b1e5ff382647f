"""Finds every step kind: the files of `engine/steps`, then the installed packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isabstract
from pkgutil import iter_modules
from typing import Final

from passerelle.definitions.json_schema import schema_findings
from passerelle.definitions.kinds import KindRegistry, StepKind
from passerelle.definitions.problems import render_path
from passerelle.definitions.schema import COMMON_STEP_KEYS, definition_schema

GROUP: Final = "passerelle.step_kinds"
_STEPS: Final = f"{__name__.rpartition('.')[0]}.steps"
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]*")


class KindLoadError(Exception):
    """A step kind cannot be used. Says which package is to blame and what to do."""


def load_kinds() -> KindRegistry:
    """Every step kind by its name. Raises `KindLoadError` for a broken plug-in and for a name taken twice."""
    kinds: dict[str, StepKind] = {}
    origins: dict[str, str] = {}
    for origin, kind in (*_built_in(), *_plugged_in()):
        if kind.name in kinds:
            raise KindLoadError(
                f"the step kind {kind.name} comes from {origins[kind.name]} and from {origin}:"
                " uninstall one of them or rename its kind"
            )
        kinds[kind.name], origins[kind.name] = kind, origin
    return dict(sorted(kinds.items()))


def _built_in() -> Iterator[tuple[str, StepKind]]:
    for info in iter_modules(import_module(_STEPS).__path__, f"{_STEPS}."):
        for member in vars(import_module(info.name)).values():
            if _is_kind(member) and member.__module__ == info.name and not member.__name__.startswith("_"):
                yield "Passerelle itself", member()


def _plugged_in() -> Iterator[tuple[str, StepKind]]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package = point.dist.name if point.dist else "an unknown package"
        origin = f"{package} ({GROUP}: {point.name} = {point.value})"
        try:
            member = point.load()
            kind = member() if _is_kind(member) else None
        except Exception as error:
            raise KindLoadError(f"{origin} does not load: {error}; mend or uninstall it") from error
        if kind is None:
            raise KindLoadError(f"{origin} is not a PureKind, OutsideKind or WaitingKind with its methods")
        if (wrong := _wrong(kind, point.name)) is not None:
            raise KindLoadError(f"{origin} is not a usable step kind: {wrong}")
        yield origin, kind


def _is_kind(member: object) -> bool:
    return isinstance(member, type) and issubclass(member, StepKind) and not isabstract(member)


def _wrong(kind: StepKind, name: str) -> str | None:
    """Why definitions could not use it."""
    if missing := ", ".join(attribute for attribute in ("name", "schema") if not hasattr(kind, attribute)):
        return f"it has no {missing}"
    if kind.name != name:
        return f"its name is {kind.name}, not {name}"
    if not _NAME.fullmatch(name) or name in COMMON_STEP_KEYS:
        return "its name must be a word in camelCase that no step has already (id, when, retry…)"
    findings = schema_findings(definition_schema({name: kind}))
    # All but the part at `$defs.step.properties.<name>` is ours and right.
    wrong = [f"{render_path(path[4:], None, 'schema')}: {said}" for path, said in findings]
    return f"its schema is no JSON Schema 2020-12: {'; '.join(wrong)}" if wrong else None
