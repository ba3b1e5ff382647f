"""The guide to changing definitions tells the truth."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.model import Identity, State
from passerelle.engine.registry import load_kinds
from passerelle.engine.signals import Started
from passerelle.engine.transitions import advance
from passerelle.engine.verdicts import RevisionChange

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/guides/changing-definitions.md").read_text(encoding="utf-8")
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_every_reason_is_explained_and_no_other() -> None:
    sources = [ROOT / "src/passerelle/engine/verdicts.py", ROOT / "src/passerelle/workflows/migrations/service.py"]
    given = {code for file in sources for code in re.findall(r'Reason\(\s*"([A-Z_]+)"', file.read_text())}
    table = GUIDE.partition("## Verdicts")[2].partition("## ")[0]
    assert set(re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)*)`", table)) == given


def test_the_example_gets_the_verdicts_that_the_guide_names() -> None:
    first, second = (
        compile_definition(text, load_kinds()).definition for text in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    )
    assert first is not None
    assert second is not None
    identity = Identity(UUID(int=1), UUID(int=2), UUID(int=3), "BACKGROUND", {"amount": 70}, NOW, "API")
    state = advance(first, State(identity, UUID(int=4)), Started(), NOW).state
    assert [reason.code for reason in RevisionChange(first, second, 2, {}).judge(state, NOW)] == ["STEP_MISSING"]
    assert RevisionChange(first, second, 2, {"pay": "payment"}).judge(state, NOW) == []
