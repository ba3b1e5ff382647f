"""The records guide is real: its files are written, its commands run in order, and what they print is compared."""

from __future__ import annotations

import re
from pathlib import Path

from passerelle.tables.schemas import FieldBody
from passerelle.tables.types import TYPES
from tests.acceptance.guides import followed, guide
from tests.acceptance.running import Dev


def test_every_command_prints_what_the_guide_shows(dev: Dev, tmp_path: Path) -> None:
    assert followed("records", dev, tmp_path, ("yaml", "csv")) > 30


def test_every_type_and_setting_is_told() -> None:
    text = guide("records")
    for name in [*TYPES, *(facts.alias or name for name, facts in FieldBody.model_fields.items())]:
        assert re.search(rf"\b{name}\b", text), name
