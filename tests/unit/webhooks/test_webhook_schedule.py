"""When a delivery is tried again: the given retries first, three days in all, and what the receiver asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit.retry_after import LONGEST, retry_after
from passerelle.webhooks.schedule import TOTAL, next_attempt, pause_after

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def all_pauses() -> list[timedelta]:
    pauses: list[timedelta] = []
    while (pause := pause_after(len(pauses) + 1)) is not None:
        pauses.append(pause)
    return pauses


def test_five_retries_five_seconds_apart_come_first() -> None:
    assert all_pauses()[:5] == [timedelta(seconds=5)] * 5


def test_then_pauses_grow_and_end_after_exactly_three_days() -> None:
    later = all_pauses()[5:]
    assert later[0] == timedelta(seconds=30)
    assert later[:-1] == sorted(later[:-1])
    assert max(later) == timedelta(hours=12)
    assert sum(all_pauses(), timedelta()) == TOTAL


@given(st.integers(1, 10_000), st.none() | st.timedeltas(timedelta(), timedelta(days=400)))
def test_nothing_is_tried_before_its_pause_or_what_was_asked_for(tries: int, asked: timedelta | None) -> None:
    moment = next_attempt(tries, NOW, asked)
    pause = pause_after(tries)
    assert (moment is None) == (pause is None)
    if moment is not None and pause is not None:
        assert moment - NOW >= pause
        assert moment - NOW >= min(asked or timedelta(), LONGEST)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta()),
        ("9" * 500, LONGEST),
        ("Mon, 05 Jan 2026 09:02:00 GMT", timedelta(minutes=2)),
        ("Mon, 05 Jan 2026 08:00:00 GMT", timedelta()),
        ("Mon, 05 Jan 2026 09:02:00", timedelta(minutes=2)),
        ("Mon, 99 Jan 2026 09:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, expected: timedelta | None) -> None:
    assert retry_after(header, NOW) == expected


@given(st.text(max_size=60))
def test_whatever_a_receiver_writes_is_survived(header: str) -> None:
    asked = retry_after(header, NOW)
    assert asked is None or asked >= timedelta()
