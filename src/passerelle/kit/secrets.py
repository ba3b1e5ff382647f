"""Keys derived from `PASSERELLE_SECRET_KEY`, and encryption at rest with them.

The setting is a list: the first key encrypts and signs, every key decrypts and verifies. A key is rotated by
putting a new one in front, encrypting anew what the old one had (`passerelle rekey`), and dropping the last.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from passerelle.kit.errors import CommandError

_SHORTEST: Final = 32
_KEY: Final = re.compile(r"[!-+\--~]+")  # visible ASCII without the comma


class SecretKeyError(CommandError):
    """`PASSERELLE_SECRET_KEY` cannot be used; one sentence says what to do. Never quotes the key."""


class CannotDecryptError(Exception):
    """None of the keys opens this: it was altered, or its key is no longer in the list."""


def generate_key() -> str:
    """A fresh value for `PASSERELLE_SECRET_KEY`: 256 random bits."""
    return secrets.token_urlsafe(32)


class SecretBox:
    """What is encrypted, signed or derived with the keys of `PASSERELLE_SECRET_KEY`."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SecretKeyError("PASSERELLE_SECRET_KEY is empty: make a key with `openssl rand -base64 32`")
        for position, key in enumerate(keys, 1):
            _require_usable(key, position)
        self._keys = tuple(key.encode() for key in keys)
        self._derived = cache(self._derive)
        ciphers = [Fernet(base64.urlsafe_b64encode(key)) for key in self.derive_all("encryption")]
        self._first, self._fernet = ciphers[0], MultiFernet(ciphers)

    @classmethod
    def from_setting(cls, setting: str) -> SecretBox:
        """From the setting's text: keys separated by commas. Raises `SecretKeyError`."""
        return cls([part.strip() for part in setting.split(",") if part.strip()])

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, from the first key: what signs."""
        return self.derive_all(purpose)[0]

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """As `derive`, from every key in their order: what verifies."""
        return self._derived(purpose)

    def encrypt(self, plain: bytes) -> bytes:
        """Encrypted and authenticated, as URL-safe text in bytes."""
        return self._fernet.encrypt(plain)

    def decrypt(self, encrypted: bytes) -> bytes:
        """What `encrypt` was given, under any key of the list. Raises `CannotDecryptError`."""
        with _explained():
            return self._fernet.decrypt(encrypted)

    def renewed(self, encrypted: bytes) -> bytes | None:
        """The same encrypted with the first key; None where it is already. Raises `CannotDecryptError`."""
        try:
            self._first.decrypt(encrypted)
        except InvalidToken:
            with _explained():
                return self._fernet.rotate(encrypted)
        return None

    def _derive(self, purpose: str) -> tuple[bytes, ...]:
        info = f"passerelle {purpose}".encode()
        return tuple(HKDF(SHA256(), length=32, salt=None, info=info).derive(key) for key in self._keys)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except InvalidToken:
        raise CannotDecryptError(
            "no key of PASSERELLE_SECRET_KEY decrypts this: put the key that it was encrypted with back into the list"
        ) from None


def _require_usable(key: str, position: int) -> None:
    if not _KEY.fullmatch(key):
        raise SecretKeyError(
            f"PASSERELLE_SECRET_KEY: key {position} has a space or a character outside of ASCII: "
            "make one with `openssl rand -base64 32`"
        )
    if len(key) < _SHORTEST:
        raise SecretKeyError(
            f"PASSERELLE_SECRET_KEY: key {position} has {len(key)} characters, {_SHORTEST} are the least: "
            "make one with `openssl rand -base64 32`"
        )
