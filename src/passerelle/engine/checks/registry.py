"""Finds every check: the files of this folder, then the installed packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isabstract
from pkgutil import iter_modules

from passerelle.engine.checks.base import Check, OutsideCheck, PureCheck

GROUP = "passerelle.checks"

Found = tuple[str, Check]
"""Where a check comes from, for messages, and the check."""


class CheckLoadError(Exception):
    """A check cannot be used. Says which package is to blame and what to do."""


def load_checks() -> Mapping[str, Check]:
    """Every check by its name. Raises `CheckLoadError` for a broken plug-in and for a name taken twice."""
    checks: dict[str, Check] = {}
    origins: dict[str, str] = {}
    for origin, check in (*_built_in(), *_plugged_in()):
        if check.name in checks:
            raise CheckLoadError(
                f"the check {check.name} comes from {origins[check.name]} and from {origin}:"
                " uninstall one of them or rename its check"
            )
        checks[check.name], origins[check.name] = check, origin
    return checks


def warm_checks(checks: Iterable[Check]) -> None:
    """Load the data that first runs would wait for: a second in all. For start-up, in a thread."""
    for check in checks:
        check.warm()


def _built_in() -> Iterator[Found]:
    package = __name__.rpartition(".")[0]
    for info in iter_modules(import_module(package).__path__, f"{package}."):
        for member in vars(import_module(info.name)).values():
            if isinstance(member, type) and member.__module__ == info.name and _is_check(member):
                yield "Passerelle itself", member()


def _plugged_in() -> Iterator[Found]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package = point.dist.name if point.dist else "an unknown package"
        origin = f"{package} ({GROUP}: {point.name} = {point.value})"
        try:
            member = point.load()
            check = member() if _is_check(member) else None
        except Exception as error:
            raise CheckLoadError(f"{origin} does not load: {error}; mend or uninstall it") from error
        if check is None:
            raise CheckLoadError(f"{origin} is not a PureCheck or OutsideCheck with its `run`")
        if (missing := _missing(check)) or check.name != point.name:
            wants = f"{missing} is missing" if missing else f"its name is {check.name}, not {point.name}"
            raise CheckLoadError(f"{origin} is not a usable check: {wants}")
        yield origin, check


def _is_check(member: object) -> bool:
    return isinstance(member, type) and issubclass(member, PureCheck | OutsideCheck) and not isabstract(member)


def _missing(check: Check) -> str:
    return ", ".join(name for name in ("name", "inputs", "source") if not hasattr(check, name))
