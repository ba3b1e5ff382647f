"""A limit holds for all processes together, and most of what is counted costs no statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from passerelle.kit.clock import MovedClock
from passerelle.kit.rates import Count, Limit, Rates

LIMIT = Limit("test", 100, timedelta(minutes=1))


class Everybody:
    """What the processes have in common."""

    def __init__(self) -> None:
        self.sums: Counter[tuple[str, datetime]] = Counter()
        self.asked = 0
        self.away = False

    async def share(self, counts: Sequence[Count]) -> Mapping[tuple[str, datetime], int]:
        if self.away:
            raise OSError("away")
        self.asked += 1
        for count in counts:
            self.sums[count.counter, count.begin] += count.times
        return dict(self.sums)


async def test_what_one_process_counts_another_goes_by() -> None:
    clock, everybody = MovedClock(), Everybody()
    one, other = Rates(clock, everybody.share), Rates(clock, everybody.share)
    for _ in range(60):
        assert not (await one.hit(LIMIT, "x")).full
    counted = 0
    while not (await other.hit(LIMIT, "x")).full:
        counted += 1
    assert 40 - 1 <= counted <= 40 + LIMIT.most // 10
    assert everybody.asked < 20


async def test_a_full_limit_costs_nothing_more_and_begins_anew() -> None:
    clock, everybody = MovedClock(), Everybody()
    rates = Rates(clock, everybody.share)
    for _ in range(100):
        await rates.hit(LIMIT, "x")
    asked = everybody.asked
    tally = await rates.hit(LIMIT, "x")
    assert (tally.full, tally.left, everybody.asked) == (True, 0, asked)
    assert not (await rates.hit(LIMIT, "y")).full
    clock.move(timedelta(seconds=tally.seconds))
    assert not (await rates.hit(LIMIT, "x")).full


async def test_what_could_not_be_shared_is_shared_later() -> None:
    clock, everybody = MovedClock(), Everybody()
    rates = Rates(clock, everybody.share)
    everybody.away = True
    with pytest.raises(OSError, match="away"):
        await rates.hit(LIMIT, "x")
    everybody.away = False
    await rates.share()
    assert list(everybody.sums.values()) == [1]


async def test_windows_that_are_over_are_forgotten() -> None:
    clock = MovedClock()
    rates = Rates(clock)
    await rates.hit(LIMIT, "x")
    clock.move(timedelta(minutes=2))
    await rates.share()
    assert rates._counted == {}
