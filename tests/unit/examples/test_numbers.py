"""Every real and every spoiled number of the example gets the verdict that its row expects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from passerelle.engine.checks import PureCheck, load_checks

ROWS = yaml.safe_load((Path(__file__).parents[3] / "examples/company-check/numbers.yaml").read_text(encoding="utf-8"))
CHECKS = load_checks()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['with'].get('type', 'IBAN')}: {row['of']}")
def test_the_verdict(row: dict[str, Any]) -> None:
    check = CHECKS[row["check"]]
    assert isinstance(check, PureCheck)
    result = check.run(row["with"])
    first = result.reasons[0].code if result.reasons else None
    assert (result.status, first) == (row["status"], row.get("reason"))


def test_the_rows_show_every_verdict_of_every_kind_of_number() -> None:
    seen = Counter((row["with"].get("type", "IBAN").upper(), row["status"]) for row in ROWS)
    for type_ in ("NIP", "REGON", "KRS", "VAT", "LEI", "IBAN"):
        assert seen[type_, "valid"], type_
        assert seen[type_, "invalid"], type_
    assert len(ROWS) >= 60
