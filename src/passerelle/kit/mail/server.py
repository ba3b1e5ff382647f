"""Which mail server is meant: the setting `PASSERELLE_SMTP_URL`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote, urlsplit

_PORTS: Final = {"smtp": 587, "smtps": 465}
_HOW: Final = "write it as smtp://user:password@host:587 or smtps://user:password@host:465"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where messages are handed over."""

    host: str
    port: int
    tls: bool
    """Whether the connection begins with TLS; else it is upgraded if the server offers that."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """From `smtp://user:password@host:587` or `smtps://…`; user and password percent-encoded where needed.

        Raises `ValueError`, which shows nothing of the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(f"host or port is malformed: {_HOW}") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"is no address of a mail server: {_HOW}")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(f"nothing may follow host and port, and special characters are percent-encoded: {_HOW}")
        if (parts.username is None) is not (parts.password is None):
            raise ValueError(f"user and password come together or not at all: {_HOW}")
        user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
        return cls(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", user, password)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
