"""Secrets do not show, also where the other side repeats them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus

from passerelle.engine.kinds import MASK
from passerelle.kit.json import Json, KnownJson, dumps

_PERCENT: Final = re.compile("%[0-9A-F]{2}")


class Redaction:
    """Puts `•••` in the place of secrets, wherever they turn up."""

    SHORTEST: Final = 4
    """Shorter values would hide half of everything else."""

    def __init__(self, secrets: Iterable[Json]) -> None:
        forms = {
            form
            for secret in secrets
            if isinstance(secret, str) and len(secret) >= self.SHORTEST
            for form in _forms(secret)
        }
        # The longest first: a secret may begin with another one.
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """`text` without secrets."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text

    def json(self, value: KnownJson) -> KnownJson:
        """`value` without secrets in any of its texts, keys and numbers."""
        return value if self._pattern is None else self._masked(value)

    def _masked(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self._masked(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            written = str(value)
            masked = self.text(written)
            return value if masked == written else masked
        return value


def _forms(secret: str) -> Iterator[str]:
    """How others write it: as it is, percent-encoded, inside JSON or HTML, in base64."""
    written = secret.encode(errors="replace")
    for text in (secret, written.decode("latin-1")):  # the second: many read headers so, whatever they were sent as
        yield text
        yield dumps(text)[1:-1]
        yield json.dumps(text)[1:-1]
        yield escape(text)
    for percent_encoded in (
        quote(secret, safe="", errors="replace"),
        quote(secret, errors="replace"),
        quote_plus(secret, errors="replace"),
    ):
        yield percent_encoded
        yield _PERCENT.sub(lambda found: found.group().lower(), percent_encoded)
    for alphabet in (b"+/", b"-_"):
        yield b64encode(written, alphabet).decode().rstrip("=")
        yield from _inside_base64(written, alphabet)


def _inside_base64(written: bytes, alphabet: bytes) -> Iterator[str]:
    """What base64 makes of it where something stands before and after, as in `user:password`: the characters that
    nothing but the secret decides, for each of the three places at which it can begin."""
    for before in range(3):
        encoded = b64encode(bytes(before) + written, alphabet).decode()
        yield encoded[-(-before * 8 // 6) : (before + len(written)) * 8 // 6]
