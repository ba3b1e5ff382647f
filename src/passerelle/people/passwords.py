"""Passwords: which are good enough, and how they are kept."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from passerelle.people.errors import PASSWORD_WEAK

SHORTEST: Final = 12
LONGEST: Final = 200

_JUDGED: Final = 64
"""Characters that the estimate looks at: its time grows with the square of them."""
_LEAST_SCORE: Final = 3
_AT_ONCE: Final = 2


def require_good(password: str, known: Sequence[str] = (), pointer: str = "/password") -> None:
    """Raises PASSWORD_WEAK for what is short, common, a pattern, or made of what is `known` of the person.

    Lists of common passwords and the estimate ship with the library; nothing is asked of any service.
    """
    if len(password) < SHORTEST:
        raise PASSWORD_WEAK.error(
            f"use at least {SHORTEST} characters: several words that do not belong together", pointer
        )
    if len(password) > LONGEST:
        raise PASSWORD_WEAK.error(f"use at most {LONGEST} characters", pointer)
    words = [part for text in (*known, "passerelle") for part in text.replace("@", " ").replace(".", " ").split()]
    judged = zxcvbn(password[:_JUDGED], user_inputs=[*known, *words])
    if judged["score"] < _LEAST_SCORE:
        raise PASSWORD_WEAK.error(
            "this password is easy to guess: do not use common words, names or patterns alone; "
            "several words that do not belong together are good",
            pointer,
        )


NOBODYS: Final = "$argon2id$v=19$m=48128,t=3,p=1$ykoIQPze5tbfeASqh8IbsQ$ZYH28bxbj+p7d11zrZzeXxTq5FZ4PcKgsfGn7GKE2gY"
"""The hash of a password that nobody knows, with the parameters of all others: what is compared where there is none."""


def made_up() -> str:
    """A password for a person who changes it later."""
    return secrets.token_urlsafe(15)


class Passwords:
    """Argon2id at OWASP's choice for what people chose, in a thread, two at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=3, memory_cost=47 * 1024, parallelism=1)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """What to keep."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether `password` is what was kept. None (nobody, or no password) takes the same time, and is False."""
        async with self._turn:
            matches = await asyncio.to_thread(self._verify, kept or NOBODYS, password[:LONGEST])
        return matches and kept is not None

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False
