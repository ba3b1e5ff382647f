"""What one end user may do in a minute, and what is remembered of it."""

from __future__ import annotations

from uuid import UUID

import pytest

from passerelle.errors import PasserelleError
from passerelle.executions.visitor.limits import Pace

ANNA, BORIS = UUID(int=1), UUID(int=2)


class Timer:
    """Seconds, moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def timer() -> Timer:
    return Timer()


def test_a_minute_takes_so_many_and_says_when_there_is_room_again(timer: Timer) -> None:
    pace = Pace(timer)
    for timer.now in range(60):
        pace.require("submit", ANNA)
    with pytest.raises(PasserelleError) as refused:
        pace.require("submit", ANNA)
    assert refused.value.headers["Retry-After"] == "1"
    timer.now = 60
    pace.require("submit", ANNA)
    with pytest.raises(PasserelleError):
        pace.require("submit", ANNA)


def test_what_is_refused_does_not_count_and_others_are_not_kept_waiting(timer: Timer) -> None:
    pace = Pace(timer)
    for _ in range(60):
        pace.require("submit", ANNA)
    for timer.now in range(1, 60):
        with pytest.raises(PasserelleError):
            pace.require("submit", ANNA)
        pace.require("submit", BORIS)
        pace.require("save", ANNA)
    timer.now = 60
    pace.require("submit", ANNA)


def test_whoever_has_gone_is_forgotten(timer: Timer) -> None:
    pace = Pace(timer)
    for number in range(1_000):
        pace.require("save", UUID(int=number))
    timer.now = 61
    pace.require("save", ANNA)
    assert len(pace._moments) == 1
