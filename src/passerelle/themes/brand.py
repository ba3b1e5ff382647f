"""What a workspace says of itself besides colours: whom its messages come from, whom to ask, where its notices are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from passerelle.kit.errors import Code
from passerelle.kit.mail import SEND_SECONDS, Mail, Message, MessageTaken
from passerelle.kit.mail.addresses import MailAddress

SENDER_NOT_ALLOWED: Final = Code(
    "SENDER_NOT_ALLOWED",
    400,
    "Messages may not come from an address of that domain: `PASSERELLE_MAIL_DOMAINS` names those that may be used.",
)

Scheme = Literal["auto", "light", "dark"]


@dataclass(frozen=True, slots=True)
class Brand:
    """What was given; empty where nothing was."""

    scheme: Scheme = "auto"
    """Which colours pages have: by the reader's device, or one of both always."""
    privacy: str = ""
    imprint: str = ""
    support: str = ""
    """Addresses of pages."""
    contact: str = ""
    """Whom to ask: an e-mail address or a phone number."""
    sender_name: str = ""
    sender_address: str = ""
    reply_to: str = ""
    time_zone: str = ""
    """In which moments are told, such as Europe/Warsaw."""

    @staticmethod
    def stored(facts: Mapping[str, Any]) -> Brand:
        """From what the database keeps; what this release does not know is left out."""
        return Brand(**{name: value for name, value in facts.items() if name in Brand.__slots__})

    def facts(self) -> dict[str, str]:
        """For the database: what is there."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def zone(self) -> ZoneInfo:
        """The time zone; UTC where none was given."""
        return ZoneInfo(self.time_zone or "UTC")

    @property
    def contact_link(self) -> str:
        """Where the contact leads: `mailto:`, `tel:`, or nowhere."""
        if "@" in self.contact and " " not in self.contact:
            return f"mailto:{self.contact}"
        digits = "".join(self.contact.split()).replace("-", "").replace("(", "").replace(")", "")
        return f"tel:{digits}" if digits.lstrip("+").isdigit() else ""


class BrandedWorkspace(Protocol):
    """What is needed of a theme here."""

    @property
    def brand(self) -> Brand: ...


class Brands(Protocol):
    """Where brands come from."""

    async def of(self, workspace_id: UUID) -> BrandedWorkspace: ...


class BrandedMail:
    """Sends messages of a workspace under its own name and address, and answers to where it wants them."""

    def __init__(self, mail: Mail, brands: Brands) -> None:
        self._mail = mail
        self._brands = brands

    async def send(self, message: Message, *, timeout_seconds: float = SEND_SECONDS) -> MessageTaken:
        """See `Mail.send`."""
        if message.workspace_id is not None:
            message = _branded(message, (await self._brands.of(message.workspace_id)).brand)
        return await self._mail.send(message, timeout_seconds=timeout_seconds)


def _branded(message: Message, brand: Brand) -> Message:
    sender = MailAddress(brand.sender_address, brand.sender_name)
    answers = (MailAddress.parse(brand.reply_to),) if brand.reply_to else ()
    return replace(message, sender=sender, reply_to=message.reply_to or answers)
