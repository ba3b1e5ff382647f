"""One run of PostgreSQL's server: from the process to its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import Process
from pathlib import Path
from typing import Final

from passerelle.dev.postgres import options
from passerelle.dev.postgres.cluster import PidFile
from passerelle.dev.postgres.errors import EmbeddedError
from passerelle.dev.postgres.leftovers import SHUTDOWN
from passerelle.dev.postgres.log import LogFile
from passerelle.dev.postgres.programs import Programs, failure

START_PATIENCE: Final = 60.0
"""Seconds without a sign of life after which a start has failed; a long recovery gives signs."""

_LOOK: Final = 0.02
"""Seconds between two looks at a starting server, which tells of itself through a file only."""

_LOG_CHECK: Final = 60.0
"""Seconds between two looks at the size of the log."""


class PostgresServer:
    """A server that was started; `launch` makes one."""

    def __init__(self, process: Process, cluster: Path, log: LogFile, log_start: int) -> None:
        self._process = process
        self._cluster = cluster
        self._log = log
        self._log_start = log_start

    @classmethod
    async def launch(cls, programs: Programs, cluster: Path, sockets: Path, log: LogFile) -> PostgresServer:
        """Start the process, on a cluster that nobody else works on; it is not ready yet."""
        log.trim()
        log_start = log.size()
        # Each of its processes has the name in its title.
        own = {"unix_socket_directories": str(sockets), "cluster_name": sockets.name}
        output = log.open()
        try:
            process = await programs.serve(cluster, options.arguments({**options.SETTINGS, **own}), output)
        finally:
            os.close(output)
        return cls(process, cluster, log, log_start)

    @property
    def returncode(self) -> int | None:
        """None while it lives; negative when a signal ended it."""
        return self._process.returncode

    async def until_ready(self) -> None:
        """Wait until it takes connections. Raises `EmbeddedError` with its last words when it does not."""
        now = asyncio.get_running_loop().time
        said, deadline = -1, 0.0
        while not self._is_ready():
            if self.returncode is not None:
                raise failure("the server ended", self.returncode, self._last_words())
            if said != (size := self._log.size()):
                said, deadline = size, now() + START_PATIENCE
            if now() > deadline:
                raise EmbeddedError(
                    f"PostgreSQL did not start and said nothing for {START_PATIENCE:.0f} s, see "
                    f"{self._log.path}: {' | '.join(self._last_words())}"
                )
            await asyncio.sleep(_LOOK)

    def _is_ready(self) -> bool:
        found = PidFile.read(self._cluster)
        return found is not None and found.ready and found.pid == self._process.pid

    def _last_words(self) -> list[str]:
        return self._log.last_lines(self._log_start)

    async def until_dead(self) -> None:
        """Wait for its end, however it comes, and keep its log short meanwhile."""
        while not await self._ends_within(_LOG_CHECK):
            self._log.trim()

    async def shut_down(self) -> None:
        """End it, gently first."""
        for request, patience in SHUTDOWN:
            if self.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(request)
            if await self._ends_within(patience):
                return
        raise EmbeddedError(f"PostgreSQL does not end: end the process {self._process.pid}")

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        return self.returncode is not None
