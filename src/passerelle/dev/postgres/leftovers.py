"""Finds and ends what an earlier run left behind: a server that nobody watches, or orphans of one.

The kernel normally sees to it (see the launcher). This is for what it cannot see to.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

from passerelle.dev.postgres.errors import EmbeddedError

SHUTDOWN: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""PostgreSQL's fast, then its immediate shutdown, then force; with seconds of patience."""

_LOOK: Final = 0.05
"""Seconds between two looks at processes that are not our children."""


def processes(cluster: Path, name: str) -> list[psutil.Process]:
    """All living processes of the cluster, which runs under this `cluster_name`."""
    return [
        process
        for process in psutil.process_iter(["name"])
        if process.info["name"] == "postgres" and _works_on(process, cluster, name)
    ]


def _works_on(process: psutil.Process, cluster: Path, name: str) -> bool:
    """Every process of PostgreSQL has its cluster as its working folder, so this is certain.

    A process that got the id of a dead one has another, and a zombie none. Where the system hides it
    (from root without CAP_SYS_PTRACE), the title tells: PostgreSQL writes its cluster's name there.
    """
    try:
        folder = f"/proc/{process.pid}/cwd" if sys.platform == "linux" else process.cwd()
        return os.path.samefile(folder, cluster)
    except (PermissionError, psutil.AccessDenied):
        return _is_titled(process, name)
    except (OSError, psutil.Error):
        return False


def _is_titled(process: psutil.Process, name: str) -> bool:
    try:
        return any(name in part for part in process.cmdline())
    except psutil.Error:
        return False


async def clear(cluster: Path, name: str) -> None:
    """End every process of the cluster, gently first, and remove its lock file.

    The lock file must go: it names a process id, and PostgreSQL refuses to start while any process of
    its user has that id, whatever that process is. Call this only with the folder's lock held.
    """
    for request, patience in SHUTDOWN:
        alive = processes(cluster, name)
        _ask(alive if request == signal.SIGKILL else heads(alive), request)
        if await _end_within(cluster, name, patience):
            (cluster / "postmaster.pid").unlink(missing_ok=True)
            return
    pids = ", ".join(str(process.pid) for process in processes(cluster, name))
    raise EmbeddedError(f"An earlier PostgreSQL on {cluster} does not end: end the processes {pids}")


async def _end_within(cluster: Path, name: str, seconds: float) -> bool:
    """Looks again and again instead of waiting for each process: a zombie that nobody reaps is no server."""
    deadline = time.monotonic() + seconds
    while processes(cluster, name):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK)
    return True


def heads(alive: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those whose parent is not among them: the server, which ends its own, or each orphan of a dead one."""
    alive = list(alive)
    pids = {process.pid for process in alive}
    return [process for process in alive if _parent(process) not in pids]


def _parent(process: psutil.Process) -> int | None:
    try:
        return int(process.ppid())
    except psutil.Error:
        return None


def _ask(alive: Iterable[psutil.Process], request: signal.Signals) -> None:
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(request)
