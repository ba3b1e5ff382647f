"""Stretches of time as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit.timetable import end_of_present, parse_timetable, present_or_next

MONDAY = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("mon 09:00-10:00", "2026-01-05T09:00Z", "2026-01-05T10:00Z"),
        ("MON  09:00 - 10:00", "2026-01-05T09:00Z", "2026-01-05T10:00Z"),
        ("mon 08:00-09:30", "2026-01-12T08:00Z", "2026-01-12T09:30Z"),
        ("tue 09:00-10:00", "2026-01-06T09:00Z", "2026-01-06T10:00Z"),
        ("daily 09:00-09:15", "2026-01-06T09:00Z", "2026-01-06T09:15Z"),
        ("2026-02-01T12:00+02:00/2026-02-01T11:00Z", "2026-02-01T10:00Z", "2026-02-01T11:00Z"),
        ("sun 10:00-11:00, tue 09:00-10:00,", "2026-01-06T09:00Z", "2026-01-06T10:00Z"),
    ],
)
def test_the_present_stretch_or_the_next_one(text: str, begins: str, ends: str) -> None:
    found = present_or_next(text, MONDAY)
    assert found == (datetime.fromisoformat(begins), datetime.fromisoformat(ends))


@pytest.mark.parametrize("text", ["", "  ", "2020-01-01T00:00Z/2020-01-02T00:00Z"])
def test_no_stretch_lies_ahead(text: str) -> None:
    assert present_or_next(text, MONDAY) is None


@pytest.mark.parametrize(
    "text",
    [
        "tuesday 09:00-10:00", "tue 9-10", "tue 25:00-26:00", "tue 10:00-10:00", "tue 23:00-01:00", "/", "a/b",
        "2026-01-01T00:00/2026-01-02T00:00", "2026-01-02T00:00Z/2026-01-01T00:00Z", "2026-01-01T00:00Z",
    ],
)  # fmt: skip
def test_what_is_no_stretch_of_time_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_timetable(text)


@given(MOMENTS, st.sampled_from(["mon 09:00-10:00", "daily 00:00-00:30", "sat 23:00-23:59, wed 00:00-12:00"]))
def test_a_moment_lies_in_a_stretch_exactly_if_the_present_one_has_begun(moment: datetime, text: str) -> None:
    found = present_or_next(text, moment)
    assert found is not None
    begins, ends = found
    assert ends > moment
    assert (end_of_present(text, moment) is not None) == (begins <= moment)
    assert begins - moment <= timedelta(days=7)


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse_timetable(text), tuple)
