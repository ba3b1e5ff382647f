"""The secrets of links and browsers, the challenges of pages, and one-time codes.

None is kept. Each is derived (HMAC-SHA-256) from a key of PASSERELLE_SECRET_KEY and random bytes in its row, so that
a request which is sent again after a crash gets the same answer and a worker can write the e-mail; and found or
compared by its hash. The database alone opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from passerelle.kit.secrets import SecretBox

CODE_DIGITS: Final = 8
CHALLENGE_LIFETIME: Final = timedelta(minutes=10)

_SECRET_LENGTH: Final = 43
_SALT: Final = 16
_WITH_MORE: Final = re.compile(rf"([A-Za-z0-9_-]{{{_SECRET_LENGTH}}})[^A-Za-z0-9].*", re.DOTALL)

Purpose = Literal["link", "visit", "handover", "handover session"]


def new_salt() -> bytes:
    """Random bytes for a row of its own."""
    return secrets.token_bytes(_SALT)


def digest(secret: str) -> bytes:
    """What a secret of 256 bits is found by."""
    return hashlib.sha256(secret.encode()).digest()


class Credentials:
    """Derives with the first key of PASSERELLE_SECRET_KEY, recognises what any key of it has made."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def secret(self, purpose: Purpose, row: UUID, salt: bytes, known: bytes | None = None) -> str:
        """The secret of a row: 43 characters, 256 bits. `known`: its hash, where the row has been written."""
        made = [_text(mac) for mac in self._macs(f"{purpose} secret", row.bytes + salt)]
        # The key may have been rotated since: then it is an older one that made it.
        return next((secret for secret in made if digest(secret) == known), made[0])

    def code(self, link: UUID, salt: bytes) -> str:
        """A one-time code: eight digits."""
        return next(self._codes(link, salt))

    def is_code(self, link: UUID, salt: bytes, given: str) -> bool:
        """Whether `given` is the code, however it is spaced; takes the same time whichever digit is wrong."""
        digits = "".join(given.split()).replace("-", "").encode()
        # Not `any`: every code is compared.
        return sum(hmac.compare_digest(code.encode(), digits) for code in self._codes(link, salt)) > 0

    def challenge(self, link: UUID, now: datetime) -> str:
        """What the page's own script fetches and gives back; good for this link, for ten minutes."""
        until = int((now + CHALLENGE_LIFETIME).timestamp()).to_bytes(8)
        body = until + secrets.token_bytes(_SALT)
        return _text(body + next(self._macs("link challenge", link.bytes + body)))

    def is_challenge(self, link: UUID, given: str, now: datetime) -> bool:
        """Whether `given` is a challenge for this link whose time is not over."""
        raw = _bytes(given)
        if raw is None or len(raw) != 8 + _SALT + 32:
            return False
        body, mac = raw[:-32], raw[-32:]
        ours = sum(hmac.compare_digest(made, mac) for made in self._macs("link challenge", link.bytes + body)) > 0
        return ours and now < datetime.fromtimestamp(int.from_bytes(body[:8]), UTC)

    def _codes(self, link: UUID, salt: bytes) -> Iterator[str]:
        for mac in self._macs("link code", link.bytes + salt):
            yield f"{int.from_bytes(mac) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"

    def _macs(self, purpose: str, message: bytes) -> Iterator[bytes]:
        for key in self._box.derive_all(purpose):
            yield hmac.digest(key, message, "sha256")


def could_be_secret(text: str) -> bool:
    """Whether it has the form of a secret; anything else needs no look into the database."""
    return len(text) == _SECRET_LENGTH and text.isascii()


def secret_in(text: str) -> str | None:
    """The secret at the beginning of a text whose end mail programs and people took for a part of it: `.`, `)`, ` `."""
    found = _WITH_MORE.fullmatch(text)
    return found[1] if found else None


def masked(address: str) -> str:
    """`a•••@example.com`: enough for its owner to know which one is meant."""
    mailbox, _, domain = address.rpartition("@")
    return f"{mailbox[:1]}•••@{domain}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
