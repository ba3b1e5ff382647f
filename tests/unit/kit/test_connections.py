"""A PostgreSQL that is too old is refused before anything is asked of it."""

from __future__ import annotations

import pytest

from passerelle.kit.connections import OLDEST, require_new_enough
from passerelle.kit.errors import CommandError


@pytest.mark.parametrize("major", [9, 13, 15])
def test_an_old_one_is_refused_with_what_to_do(major: int) -> None:
    with pytest.raises(CommandError, match=f"PostgreSQL {major} is too old: Passerelle needs 16 or later. Upgrade"):
        require_new_enough(major)


def test_the_oldest_that_does_and_newer_ones_are_taken() -> None:
    for major in (OLDEST, 17, 18, 30):
        require_new_enough(major)
