"""Whom PostgreSQL runs as: it refuses to be root."""

from __future__ import annotations

import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from passerelle.dev.postgres.errors import EmbeddedError

PREFERRED = ("postgres", "nobody")
"""`postgres` was made for this, and nothing but databases runs as it; `nobody` exists on every system."""

FindUser = Callable[[str], tuple[int, int] | None]
"""A user's id and primary group by name, or None."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that a supervisor running as root hands PostgreSQL to."""

    uid: int
    gid: int


def find_user(name: str) -> tuple[int, int] | None:
    """From the system's user database."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def choose_account(own_uid: int, cluster: Path, find: FindUser = find_user) -> Account | None:
    """Whom to run PostgreSQL as; None means the supervisor's own user.

    Data that is there decides, since PostgreSQL takes only its owner's: so root may carry on what an
    ordinary user began. Raises `EmbeddedError` when the data belongs to a user that we cannot become.
    """
    try:
        owner = cluster.stat()
    except OSError:  # not there; or out of reach, and then opening the folder says so
        return _unprivileged(find) if own_uid == 0 else None
    if own_uid == 0 and owner.st_uid == 0:
        raise EmbeddedError(
            f"The database in {cluster} belongs to root, and PostgreSQL refuses to run as root: "
            f"give it to an ordinary user with chown -R"
        )
    if own_uid not in (0, owner.st_uid):
        raise EmbeddedError(
            f"The database in {cluster} belongs to user {owner.st_uid} and you are user {own_uid}: "
            "start Passerelle as its owner, or choose another folder with --data-dir"
        )
    return Account(owner.st_uid, owner.st_gid) if own_uid == 0 else None


def _unprivileged(find: FindUser) -> Account:
    for name in PREFERRED:
        found = find(name)
        if found is not None:
            return Account(*found)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and this system has neither a user postgres nor nobody: "
        "start Passerelle as an ordinary user, or make a user postgres"
    )
