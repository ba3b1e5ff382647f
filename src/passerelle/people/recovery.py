"""A forgotten password: an e-mail with a link, good once and for an hour.

Whoever asks learns nothing about who has which address: the same is written for everybody, and only the job that
sends the e-mail looks whether there is somebody.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from passerelle.accounts.credentials import digest
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.people import repository
from passerelle.people.attempts import EMAILS, PER_NETWORK, AttemptCounter
from passerelle.people.emails import queue_email
from passerelle.people.models import User
from passerelle.people.sessions import network_of
from passerelle.people.users import Users
from passerelle.people.values import email_key

LASTS: Final = timedelta(hours=1)
_LONGEST: Final = 320


class Recovery:
    """The feature's service for forgotten passwords."""

    def __init__(self, database: Database, users: Users, attempts: AttemptCounter, clock: Clock) -> None:
        self._database = database
        self._users = users
        self._attempts = attempts
        self._clock = clock

    async def ask(self, email: str, address: str, language: str) -> None:
        """Queue an e-mail to whoever has this address. Raises TOO_MANY_ATTEMPTS, whether or not anybody has."""
        key = email_key(email[:_LONGEST])
        await self._attempts.count((EMAILS, key), (PER_NETWORK, network_of(address)))
        async with self._database.shared() as connection:
            await queue_email(connection, "reset", email=key, language=language)

    async def make(self, user: User) -> str:
        """The secret of a new link for a user: what the e-mail carries."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        async with self._database.organization(user.organization_id) as connection:
            await repository.insert_password_reset(connection, user, digest(secret), now, now + LASTS)
        return secret

    async def user_of(self, secret: str) -> User | None:
        """Whose password a link sets, while it is good and they are active."""
        async with self._database.shared() as connection:
            reset = await repository.find_password_reset(connection, digest(secret))
        if reset is None or reset.used_at is not None or reset.expires_at <= self._clock():
            return None
        async with self._database.organization(reset.organization_id) as connection:
            user = await repository.user_by_id(connection, reset.user_id)
        return user if user is not None and user.state == "active" else None

    async def use(self, secret: str, password: str) -> User | None:
        """Set the password; every link and session of the person ends. None where the link is not good (any more).

        Raises PASSWORD_WEAK, which leaves the link as it is.
        """
        user = await self.user_of(secret)
        if user is None:
            return None
        await self._users.set_password(user, password)
        return user
