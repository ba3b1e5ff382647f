"""Checks, one file each; other packages add theirs by the entry point `passerelle.checks`."""

from passerelle.engine.checks.base import Check, CheckResult, OutsideCheck, PureCheck, Reason, library
from passerelle.engine.checks.registry import load_checks, warm_checks

__all__ = [
    "Check",
    "CheckResult",
    "OutsideCheck",
    "PureCheck",
    "Reason",
    "library",
    "load_checks",
    "warm_checks",
]
