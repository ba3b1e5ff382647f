"""What one end user may do in a minute."""

from __future__ import annotations

from uuid import UUID

import pytest

from passerelle.errors import PasserelleError
from passerelle.executions.visitor.limits import Pace

ANNA, BORIS = UUID(int=1), UUID(int=2)


def test_a_minute_takes_so_many_and_says_when_there_is_room_again() -> None:
    pace = Pace()
    for _ in range(60):
        pace.require("submit", ANNA)
    with pytest.raises(PasserelleError) as refused:
        pace.require("submit", ANNA)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60


def test_others_and_other_doings_are_not_kept_waiting() -> None:
    pace = Pace()
    for _ in range(60):
        pace.require("submit", ANNA)
    pace.require("submit", BORIS)
    pace.require("save", ANNA)
