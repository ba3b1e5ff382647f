"""When a server that died is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from passerelle.dev.postgres.restarts import ATTEMPTS, DELAYS, STEADY, Restarts


def test_the_first_restart_is_at_once_and_the_next_ones_wait_longer() -> None:
    restarts = Restarts()
    delays = [restarts.delay(lived=0) for _ in range(2 * len(DELAYS))]
    assert delays == [*sorted(DELAYS), *[max(DELAYS)] * len(DELAYS)]
    assert delays[0] == 0


def test_after_a_steady_life_the_next_restart_is_at_once_again() -> None:
    restarts = Restarts()
    restarts.delay(lived=0)
    assert restarts.delay(lived=STEADY - 1) == DELAYS[1]
    assert restarts.delay(lived=STEADY) == 0


@given(lives=st.lists(st.none() | st.floats(0, 2 * STEADY)))
def test_only_a_row_of_failed_starts_is_given_up(lives: list[float | None]) -> None:
    restarts, failed = Restarts(), 0
    for lived in lives:
        failed = failed + 1 if lived is None else 0
        given_up = restarts.delay(lived) is None
        assert given_up == (failed == ATTEMPTS)
        if given_up:
            return
