"""What one end user may do in a minute."""

from __future__ import annotations

from uuid import UUID

import pytest

from passerelle.end_user.session.limits import Pace
from passerelle.kit.clock import MovedClock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.rates import Rates

ANNA, BORIS = UUID(int=1), UUID(int=2)


async def test_a_minute_takes_so_many_and_says_when_there_is_room_again() -> None:
    pace = Pace(Rates(MovedClock()))
    for _ in range(60):
        await pace.require("submit", ANNA)
    with pytest.raises(PasserelleError) as refused:
        await pace.require("submit", ANNA)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 61


async def test_others_and_other_doings_are_not_kept_waiting() -> None:
    pace = Pace(Rates(MovedClock()))
    for _ in range(60):
        await pace.require("submit", ANNA)
    await pace.require("submit", BORIS)
    await pace.require("save", ANNA)
