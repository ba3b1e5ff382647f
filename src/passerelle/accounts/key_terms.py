"""What a key may be made with, checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Final

from passerelle.accounts.errors import KEY_TERMS_INVALID
from passerelle.accounts.models import is_role
from passerelle.accounts.permissions import EVERYTHING, unknown_permissions
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.authentication import Principal

_GIVES_ROLES: Final = "can_manage_workspace_access"


def checked_permissions(by: Principal | None, names: Sequence[str], pointer: str = "/permissions") -> frozenset[str]:
    """The permissions, none of which `by` lacks. Raises KEY_TERMS_INVALID with all that cannot be given."""
    wanted = frozenset(names)
    problems = [_problem(f"there is no permission `{name[:80]}`", pointer) for name in unknown_permissions(wanted)]
    lacking = sorted(name for name in wanted & EVERYTHING if by is not None and not by.may(name))
    problems += [_problem(f"you cannot give `{name}`, which you do not have", pointer) for name in lacking]
    if problems:
        raise PasserelleError(KEY_TERMS_INVALID.status, problems)
    return wanted


def checked_key_roles(by: Principal, names: Sequence[str]) -> tuple[str, ...]:
    """The roles that a key decides reviews for: those of `by`, or any for who says what members are.

    Raises KEY_TERMS_INVALID with all that cannot be given.
    """
    own = {role.lower() for role in by.roles}
    problems = []
    for name in dict.fromkeys(names):
        if not is_role(name):
            problems.append(_problem(f"`{name[:80]}` is no role", "/roles"))
        elif name.lower() not in own and not by.may(_GIVES_ROLES):
            problems.append(_problem(f"you cannot give the role `{name}`, which you do not have", "/roles"))
    if problems:
        raise PasserelleError(KEY_TERMS_INVALID.status, problems)
    return tuple(dict.fromkeys(names))


@contextmanager
def gathered(wrong: list[Problem]) -> Iterator[None]:
    """Put what a check raises into `wrong`: all reasons are told at once."""
    try:
        yield
    except PasserelleError as error:
        wrong += error.problems


def nothing_given() -> PasserelleError:
    """KEY_TERMS_INVALID for a key that could do nothing."""
    return KEY_TERMS_INVALID.error("a key needs `permissions` or `grants`: say what it may do", "/permissions")


def checked_networks(texts: Sequence[str]) -> tuple[str, ...]:
    """Networks as they are compared. Raises KEY_TERMS_INVALID with all that are none."""
    found, problems = [], []
    for text in texts:
        try:
            found.append(str(ip_network(text.strip())))
        except ValueError as error:
            problems.append(KEY_TERMS_INVALID.problem(f"this is no network: {error}", "/networks"))
    if problems:
        raise PasserelleError(KEY_TERMS_INVALID.status, problems)
    return tuple(dict.fromkeys(found))


def checked_expiry(text: str | None, now: datetime) -> datetime | None:
    """When a key ends. Raises KEY_TERMS_INVALID for what is no time, or over."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise KEY_TERMS_INVALID.error("write a time as `2027-01-31T12:00:00Z`", "/expiresAt") from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if moment <= now:
        raise KEY_TERMS_INVALID.error("a key cannot end before it begins", "/expiresAt")
    return moment


def _problem(message: str, pointer: str) -> Problem:
    return KEY_TERMS_INVALID.problem(message, pointer)
