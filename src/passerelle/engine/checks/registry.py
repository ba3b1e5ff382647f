"""Every check: the files of this folder, then the installed packages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from passerelle.engine.checks.base import Check, OutsideCheck, PureCheck
from passerelle.engine.plugins import PluginLoader

CHECKS: Final = PluginLoader[Check](
    noun="check",
    group="passerelle.checks",
    package="passerelle.engine.checks",
    bases=(PureCheck, OutsideCheck),
    wanted="PureCheck or OutsideCheck with its `run`",
    needs=("name", "inputs", "source"),
)


def load_checks() -> Mapping[str, Check]:
    """Every check by its name. Raises `PluginError` for a broken plug-in and for a name taken twice."""
    return CHECKS.load()


def warm_checks(checks: Iterable[Check]) -> None:
    """Load the data that first runs would wait for: a second in all. For start-up, in a thread."""
    for check in checks:
        check.warm()
