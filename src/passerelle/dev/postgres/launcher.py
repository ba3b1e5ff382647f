"""Becomes one program of PostgreSQL: gives up root, ties its life to the supervisor's, executes it.

Run by its path in a Python process of its own (`python -I -S launcher.py ORDER PROGRAM ARGUMENTS…`), so it
imports the standard library only. It is no `preexec_fn`, because that runs Python between the fork and the
exec of a process with threads, where any lock may be held for ever.
"""

from __future__ import annotations

import ctypes
import json
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

REFUSED = 77
"""Exit status (EX_NOPERM) when the program could not be run as ordered; the reason is on standard error."""

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class LaunchOrder:
    """How the program is to be run."""

    supervisor: int
    """Process id of the process that starts the launcher."""
    death_signal: int
    """What the kernel sends the program when the supervisor is gone, however it ended."""
    uid: int | None
    """The user to become, for a supervisor that is root; None stays what it is."""
    gid: int | None
    reads: Sequence[str]
    """Files and folders that the program must be able to read."""

    def json(self) -> str:
        """As the launcher's first argument."""
        return json.dumps(asdict(self))


class _RefusalError(Exception):
    """One sentence that says what to do."""


def _become(uid: int, gid: int, reads: Sequence[str]) -> None:
    """Be this user from now on, with nothing left of root."""
    closed = _closed_folders(reads, uid, gid)
    try:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    except OSError as error:
        raise _RefusalError(
            f"PostgreSQL refuses to run as root, and this process may not become user {uid} "
            f"({error.strerror}): start Passerelle as an ordinary user"
        ) from error
    unreadable = [path for path in reads if not os.access(path, os.R_OK)]
    if unreadable:
        raise _RefusalError(
            f"PostgreSQL refuses to run as root, and user {uid}, whom it runs as instead, cannot reach "
            f"{unreadable[0]}: start Passerelle as an ordinary user, or let others pass through the folders on that "
            f"path: chmod o+x {' '.join(closed)}"
        )


def _closed_folders(paths: Sequence[str], uid: int, gid: int) -> list[str]:
    """The folders on the way to `paths` whose mode does not let the user pass."""
    folders = dict.fromkeys(folder for path in paths for folder in reversed(Path(path).parents))
    return [str(folder) for folder in folders if not _lets_pass(folder.stat(), uid, gid)]


def _lets_pass(folder: os.stat_result, uid: int, gid: int) -> bool:
    if folder.st_uid == uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    return bool(folder.st_mode & (stat.S_IXGRP if folder.st_gid == gid else stat.S_IXOTH))


def _die_with(supervisor: int, death_signal: int) -> None:
    """Must follow the change of user, which clears the wish."""
    if sys.platform == "linux":
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the kernel will not end PostgreSQL with us")
    if os.getppid() != supervisor:  # it died before the wish was made, so no signal would ever come
        raise _RefusalError("the supervisor is gone")


def main(order_json: str, *command: str) -> None:
    """Does not return when all is well: the process is the program then."""
    order = LaunchOrder(**json.loads(order_json))
    os.umask(0o077)
    try:
        if order.uid is not None and order.gid is not None:
            _become(order.uid, order.gid, order.reads)
        _die_with(order.supervisor, order.death_signal)
        os.execv(command[0], command)  # noqa: S606 - a fixed program of ours, without a shell
    except (_RefusalError, OSError) as error:
        print(f"{command[0]}: {error}" if isinstance(error, OSError) else error, file=sys.stderr)
        raise SystemExit(REFUSED) from None


if __name__ == "__main__":
    main(*sys.argv[1:])
