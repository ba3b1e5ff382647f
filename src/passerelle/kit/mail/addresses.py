"""E-mail addresses: read, checked, and in the form that mail servers understand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from passerelle.kit.text import visible

_NAMED: Final = re.compile(r"([^<>\x00-\x1f\x7f]*)<([^<>]*)>\s*")
"""`Anna Nowak <anna@example.com>`, in any letters."""


@dataclass(frozen=True, slots=True)
class MailAddress:
    """Somebody's address. The domain of `mailbox` is ASCII, as DNS has it (IDNA)."""

    mailbox: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """`anna@example.com` or `Anna Nowak <anna@example.com>`. Raises `ValueError`, which does not repeat it."""
        import idna  # noqa: PLC0415 - loading them takes longer than most definitions, which have no address
        from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

        text = visible(text)
        named = _NAMED.fullmatch(text)
        name, mailbox = named.groups() if named else ("", text)
        local, _, domain = mailbox.strip().rpartition("@")
        try:
            # Any domain will do: one's own servers may have names that nobody else knows.
            local = validate_email(
                f"{local}@example.com", allow_quoted_local=True, check_deliverability=False, strict=True
            ).local_part
            return cls(f"{local}@{idna.encode(domain, uts46=True).decode()}", name.strip().strip('"'))
        except (EmailNotValidError, idna.IDNAError):
            # Their sentences may quote a part of the address.
            reason = "name or domain is malformed" if "@" in mailbox else "it needs an @ between name and domain"
        raise ValueError(f"is no e-mail address: {reason}")

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.mailbox.rpartition("@")[2]

    @property
    def is_ascii(self) -> bool:
        """Whether every server takes it; others need the extension SMTPUTF8 (RFC 6531)."""
        return self.mailbox.isascii()
