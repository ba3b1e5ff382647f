"""Processes whose machines disagree about the time agree on the database's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.kit.clock import MovedClock, SharedClock

THEIRS = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Seconds:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("shift", [timedelta(minutes=-10), timedelta(), timedelta(minutes=10)])
def test_it_tells_their_time_whatever_its_own_machine_says(shift: timedelta) -> None:
    own, seconds = MovedClock(THEIRS + shift), Seconds()
    clock = SharedClock(own, seconds)
    clock.told(THEIRS, took=0.0)
    seconds.now += 90
    own.move(timedelta(seconds=90))
    assert clock() == THEIRS + timedelta(seconds=90)
    assert clock.off == shift.total_seconds()


def test_a_machine_whose_clock_jumps_goes_on_evenly() -> None:
    own, seconds = MovedClock(THEIRS), Seconds()
    clock = SharedClock(own, seconds)
    own.move(timedelta(hours=-1))
    seconds.now += 1
    assert clock() == THEIRS + timedelta(seconds=1)


def test_what_the_way_explains_changes_nothing() -> None:
    seconds = Seconds()
    clock = SharedClock(MovedClock(THEIRS), seconds)
    clock.told(THEIRS + timedelta(milliseconds=20), took=0.05)
    assert clock() == THEIRS
    clock.told(THEIRS + timedelta(seconds=3), took=0.05)
    assert clock() == THEIRS + timedelta(seconds=3.025)
