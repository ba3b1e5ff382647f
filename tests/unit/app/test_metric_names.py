"""Names and labels of metrics: as Prometheus has them by convention, and of a bounded number."""

from __future__ import annotations

import re

import pytest

import passerelle.app.reference
from passerelle.kit.metrics import DECLARED, Declared
from passerelle.operations.figures import FIGURES

assert passerelle.app.reference  # declares everything

BOUNDED = {
    "endpoint", "entrypoint", "kind", "method", "outcome", "quota", "route", "state", "status", "version",
}  # fmt: skip
"""Labels whose values are the release's own, or codes of a protocol."""


@pytest.mark.parametrize("one", DECLARED, ids=lambda one: one.name)
def test_a_name_says_what_it_is_in_base_units(one: Declared) -> None:
    assert re.fullmatch(r"passerelle_[a-z]+(_[a-z]+)*", one.name)
    assert one.name.endswith("_total") == (one.kind == "counter")
    assert one.name.endswith("_seconds") or one.kind != "histogram"
    assert not re.search(r"_(ms|milliseconds|minutes|kb|mb|count|sum|bucket)(_|$)", one.name)
    assert one.about
    assert not one.about.endswith(".")


def test_no_label_has_values_that_somebody_chooses() -> None:
    declared = {label for one in DECLARED for label in one.labels}
    assert declared | {label for _, labels in FIGURES.values() for label in labels} <= BOUNDED
