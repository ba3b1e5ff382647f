"""Becomes one program of PostgreSQL: gives up root, ties its life to the supervisor's, executes it.

Run by its path in a Python process of its own (`python -I -S launcher.py ORDER PROGRAM ARGUMENTS…`), so it
imports the standard library only. It is no `preexec_fn`, because that runs Python between the fork and the
exec of a process with threads, where any lock may be held for ever.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

REFUSED = 77
"""Exit status (EX_NOPERM) when the program could not be run as ordered; the reason is on standard error."""

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 4
_CAP_SETPCAP = 8
_CAPABILITIES_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
PASSAGES = (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)
"""What opens folders that are closed to a user: reading anything or, where a container leaves no more than
that to its root, writing anything as well. The numbers are the kernel's."""


@dataclass(frozen=True)
class Order:
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


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityWord(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


class _RefusalError(Exception):
    """One sentence that says what to do."""


def _become(uid: int, gid: int, reads: Sequence[str]) -> None:
    """Be this user from now on, with nothing left of root but, where needed, its passage."""
    if sys.platform == "linux":
        _prctl(_PR_SET_KEEPCAPS, 1)  # or setuid would drop what we may want to keep
    try:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    except OSError as error:
        raise _RefusalError(
            f"PostgreSQL refuses to run as root, and this process may not become user {uid} "
            f"({error.strerror}): start Passerelle as an ordinary user"
        ) from error
    # os.access asks on behalf of the new user without capabilities.
    closed = [path for path in reads if not os.access(path, os.R_OK)]
    if closed and not _keep_passage():
        raise _RefusalError(
            f"PostgreSQL refuses to run as root, and user {uid}, whom it runs as instead, cannot reach "
            f"{closed[0]}: start Passerelle as an ordinary user, give it the capability "
            "CAP_DAC_READ_SEARCH, or let others pass through the folders on that path (chmod o+x)"
        )
    if not closed and sys.platform == "linux":
        _set_capabilities(0)


def _keep_passage() -> bool:
    """Keep one capability that opens closed folders, beyond execve as well, and drop all others.

    False when there is none to keep.
    """
    if sys.platform != "linux":
        return False
    for capability in PASSAGES:
        with contextlib.suppress(OSError):
            # access(2), which PostgreSQL asks about its programs, ignores capabilities without this bit.
            _set_capabilities(1 << _CAP_SETPCAP | 1 << capability)
            _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
            _set_capabilities(1 << capability)
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)
            return True
    return False


def _set_capabilities(mask: int) -> None:
    words = (_CapabilityWord * 2)(_CapabilityWord(mask, mask, mask), _CapabilityWord())
    header = _CapabilityHeader(_CAPABILITIES_VERSION_3, 0)
    _checked(_libc().capset(ctypes.byref(header), ctypes.byref(words)))


def _die_with(supervisor: int, death_signal: int) -> None:
    """Must follow the change of user, which clears the wish."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != supervisor:  # it died before the wish was made, so no signal would ever come
        raise _RefusalError("the supervisor is gone")


def _prctl(option: int, *arguments: int) -> None:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    _checked(_libc().prctl(option, *(ctypes.c_ulong(argument) for argument in padded)))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main(order_json: str, *command: str) -> None:
    """Does not return when all is well: the process is the program then."""
    order = Order(**json.loads(order_json))
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
