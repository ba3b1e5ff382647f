"""The words that a record is found by: any text can be stored beside any other."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.records.searching import LONGEST_WORD, PER_RECORD, search_text
from passerelle.tables.models import Field, Table

NIL = UUID(int=0)
NOW = datetime(2026, 1, 5, tzinfo=UTC)
TABLE = Table(NIL, NIL, "t", None, tuple(Field(str(n), NIL, f"f{n}", "text") for n in range(30)), False, 1, NOW, NOW)


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_words_are_never_empty(texts: list[str]) -> None:
    """PostgreSQL takes no empty word, and reads two spaces as one between them."""
    found = search_text(TABLE, {str(n): text for n, text in enumerate(texts)})
    assert found is None or all(0 < len(word) <= LONGEST_WORD for word in found.split(" "))


@pytest.mark.parametrize("text", ["-", ".", "   ", "👍", "—", "\u200b"])
def test_a_text_without_a_word_hides_no_other(text: str) -> None:
    assert search_text(TABLE, {"0": "Jan", "1": text, "2": "Ewa"}) == "jan ewa"
    assert search_text(TABLE, {"0": text}) is None


def test_a_long_record_is_cut_between_words_and_has_each_once() -> None:
    values = {str(n): " ".join(f"{n}x{i}" for i in range(2_000)) for n in range(30)}
    found = search_text(TABLE, values) or ""
    words = found.split(" ")
    assert len(found) <= PER_RECORD
    assert len(set(words)) == len(words)
    assert search_text(TABLE, {"0": "a " * 5_000, "1": "a " * 5_000}) == "a"
