"""What every integration test has: passwords that cost little."""

from __future__ import annotations

from collections.abc import Iterator

import argon2
import pytest

from passerelle.accounts import credentials
from passerelle.people import passwords


class _Quick(argon2.PasswordHasher):
    """Argon2id all the same. What it is to cost is asked in the tests of the passwords themselves."""

    def __init__(self, **_: int) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="package", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A person who signs in costs as much processor as a hundred requests: a quarter of all that these tests took."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (passwords, credentials):
            patch.setattr(module, "PasswordHasher", _Quick)
        yield
