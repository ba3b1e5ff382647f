"""The patterns of the published schema let through exactly what can be read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.parts import DURATION_PATTERN, SIZE_PATTERN
from passerelle.kit.durations import parse_duration
from passerelle.kit.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("1KB", 1024), ("10MB", 10 * 1024 * 1024), ("2GB", 2 * 1024 * 1024 * 1024)]
)
def test_sizes_count_as_file_managers_do(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.from_regex(SIZE_PATTERN, fullmatch=True))
def test_every_size_that_fits_the_pattern_is_read(text: str) -> None:
    assert parse_size(text) >= 0


@given(st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2})?(ms|s|m|h|d)", fullmatch=True))
def test_every_length_that_is_read_fits_the_pattern(text: str) -> None:
    assert re.fullmatch(DURATION_PATTERN, text)
    assert parse_duration(text).total_seconds() >= 0
