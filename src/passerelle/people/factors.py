"""The second factor: codes of an authenticator app (TOTP), and recovery codes for who has lost it."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

import pyotp

from passerelle.accounts.credentials import digest
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.rates import Limit
from passerelle.kit.secrets import SecretBox
from passerelle.people import repository
from passerelle.people.attempts import AttemptCounter
from passerelle.people.models import User
from passerelle.people.signing_in import failed

STEP: Final = 30
"""Seconds that a code of the app lasts."""
DRIFT: Final = 1
"""Steps that the phone's clock may be off."""
CODES: Final = 10

_GUESSES: Final = Limit("code", 10, timedelta(minutes=10))
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH: Final = 12


class Factors:
    """The feature's service for second factors."""

    def __init__(self, database: Database, box: SecretBox, attempts: AttemptCounter, clock: Clock) -> None:
        self._database = database
        self._box = box
        self._attempts = attempts
        self._clock = clock

    def new_secret(self) -> str:
        """What the app and we share."""
        return pyotp.random_base32()

    def address(self, user: User, secret: str, issuer: str) -> str:
        """What the picture says to the app."""
        return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer)

    async def switch_on(self, user: User, secret: str, code: str) -> list[str]:
        """Ask for codes from now on; the recovery codes, shown this once. Raises SIGN_IN_FAILED for a wrong code."""
        await self._attempts.count((_GUESSES, str(user.id)))
        step = self._step_of(secret, code)
        if step is None:
            raise failed("/code")
        now = self._clock()
        codes = [_recovery_code() for _ in range(CODES)]
        async with self._database.organization(user.organization_id) as connection:
            kept = self._box.encrypt(secret.encode())
            changes = {"totp_secret": kept, "totp_confirmed_at": now, "totp_last_step": step}
            await repository.change_user(connection, user.id, now, changes)
            await repository.put_recovery_codes(connection, user, [digest(_plain(one)) for one in codes])
        return codes

    async def switch_off(self, user: User) -> None:
        """Ask for no codes any more."""
        async with self._database.organization(user.organization_id) as connection:
            nothing = {"totp_secret": None, "totp_confirmed_at": None, "totp_last_step": None}
            await repository.change_user(connection, user.id, self._clock(), nothing)
            await repository.put_recovery_codes(connection, user, [])

    async def check(self, user: User, code: str) -> str:
        """The factor that a code proves, `totp` or `recovery`. Each code is good once.

        Raises SIGN_IN_FAILED or TOO_MANY_ATTEMPTS.
        """
        await self._attempts.count((_GUESSES, str(user.id)))
        plain = _plain(code)
        factor = "totp" if plain.isdigit() and await self._take_code(user, plain) else None
        if factor is None and await self._take_recovery_code(user, plain):
            factor = "recovery"
        if factor is None:
            raise failed("/code")
        await self._attempts.forgive((_GUESSES, str(user.id)))
        return factor

    async def _take_code(self, user: User, code: str) -> bool:
        async with self._database.organization(user.organization_id) as connection:
            # Held until the end: of two with the same code the second finds it used.
            totp = await repository.totp_of(connection, user.id)
            if totp is None:
                return False
            step = self._step_of(self._box.decrypt(totp.secret).decode(), code)
            if step is None or step <= totp.last_step:
                return False
            await repository.change_user(connection, user.id, self._clock(), {"totp_last_step": step})
        return True

    async def _take_recovery_code(self, user: User, code: str) -> bool:
        async with self._database.organization(user.organization_id) as connection:
            return await repository.use_recovery_code(connection, user.id, digest(code), self._clock())

    def _step_of(self, secret: str, code: str) -> int | None:
        """The half minute whose code it is, the present one or a neighbour."""
        totp, now = pyotp.TOTP(secret), self._clock()
        plain = _plain(code)
        for drift in range(-DRIFT, DRIFT + 1):
            moment = now + timedelta(seconds=drift * STEP)
            if secrets.compare_digest(totp.at(moment).encode(), plain.encode()):
                return totp.timecode(moment)
        return None


def _recovery_code() -> str:
    made = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return "-".join(made[place : place + 4] for place in range(0, _LENGTH, 4))


def _plain(code: str) -> str:
    """As it is compared: without what people put between."""
    return "".join(one for one in code.lower() if one.isalnum())[:64]
