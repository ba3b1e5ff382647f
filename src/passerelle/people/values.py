"""What people say about themselves, checked."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from passerelle.accounts.permissions import ORGANIZATION_ROLES
from passerelle.kit.text import readable
from passerelle.people.errors import LANGUAGE_UNKNOWN, ROLE_UNKNOWN, TIME_ZONE_UNKNOWN, USER_EMAIL_INVALID

_SPECIAL: Final = re.compile(r"[%_\\]")
"""What LIKE does not take as it stands."""
LONGEST_NAME: Final = 100
LANGUAGES = ("en", "pl")
"""What the pages of sign-in and the e-mails speak."""


def checked_email(text: str, pointer: str | None = "/email") -> str:
    """The address as it is written to. Raises USER_EMAIL_INVALID."""
    try:
        return validate_email(text.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise USER_EMAIL_INVALID.error(f"this is no e-mail address: {error}", pointer) from None


def email_key(address: str) -> str:
    """The address as it is compared: nobody has two that differ in case alone."""
    return address.strip().casefold()


def checked_language(code: str, pointer: str | None = "/language") -> str:
    """Raises LANGUAGE_UNKNOWN."""
    if code not in LANGUAGES:
        raise LANGUAGE_UNKNOWN.error(f"the pages speak {' and '.join(f'`{one}`' for one in LANGUAGES)}", pointer)
    return code


def checked_time_zone(name: str, pointer: str | None = "/timeZone") -> str:
    """Raises TIME_ZONE_UNKNOWN."""
    if name not in available_timezones():
        raise TIME_ZONE_UNKNOWN.error("name a time zone as `Europe/Warsaw` or `UTC`", pointer)
    return name


def checked_organization_role(name: str, pointer: str | None = "/roleId") -> str:
    """Raises ROLE_UNKNOWN."""
    if name not in ORGANIZATION_ROLES:
        known = ", ".join(f"`{one}`" for one in ORGANIZATION_ROLES)
        raise ROLE_UNKNOWN.error(f"an organization's roles are {known}", pointer)
    return name


def visible_name(text: str) -> str:
    """A name as it is kept. Raises `ValueError` for one that nobody sees."""
    name = " ".join(readable(text).split())
    if not name:
        raise ValueError("give it a name that can be seen")
    return name


def searched(text: str) -> list[str]:
    """The words of a search as LIKE wants them; the number of words is bounded by the text's length."""
    return [_SPECIAL.sub(r"\\\g<0>", word) for word in text.lower().split()]
