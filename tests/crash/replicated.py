"""A PostgreSQL that another one follows, which takes its place when it dies: the embedded programs, over TCP."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import asyncpg

from passerelle.dev.postgres import options
from passerelle.dev.postgres.accounts import choose_account
from passerelle.dev.postgres.programs import Programs, installation
from tests.crash.harness import free_port
from tests.passable import passable

STANDBY = "standby"
PATIENCE = 60.0
_HBA = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n"


class Server:
    """One server, at a port of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.cluster = folder / "cluster"
        self.port = free_port()
        self.programs = Programs(installation(), choose_account(os.geteuid(), self.cluster))
        if self.programs.account is not None:
            os.chown(folder, self.programs.account.uid, self.programs.account.gid)
        passable(folder)
        self.folder = folder
        self.settings = {
            **options.SETTINGS,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(self.port),
            "wal_level": "replica",
            "max_wal_senders": "5",
            "wal_keep_size": "512MB",
            **settings,
        }
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """The address, for the owner."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def make(self) -> None:
        """A new cluster, which lets everybody in from this machine."""
        await self.programs.run("initdb", "-D", str(self.cluster), *options.INITDB, needs=self.folder)
        (self.cluster / "pg_hba.conf").write_text(_HBA)

    async def copy(self, of: Server) -> None:
        """The copy of another server, which it follows from then on."""
        source = f"host=127.0.0.1 port={of.port} user=postgres application_name={STANDBY}"
        arguments = ("-D", str(self.cluster), "-d", source, "-R", "-X", "stream", "-c", "fast")
        await self.programs.run("pg_basebackup", *arguments, needs=self.folder)

    async def back_up(self, to: Path) -> None:
        """A base backup, while others write."""
        source = f"host=127.0.0.1 port={self.port} user=postgres"
        await self.programs.run(
            "pg_basebackup", "-D", str(to), "-d", source, "-X", "none", "-c", "fast", needs=self.folder
        )

    def restore(self, backup: Path, log: Path, moment: datetime) -> None:
        """Become what another server was at a moment: its base backup, and what it has logged since."""
        shutil.move(backup, self.cluster)
        (self.cluster / "recovery.signal").touch()
        self.settings |= {
            "restore_command": f"cp {log}/%f %p",
            "recovery_target_time": moment.isoformat(),
            "recovery_target_action": "promote",
        }

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self.process = await self.programs.serve(self.cluster, options.arguments(self.settings), log)
        finally:
            os.close(log)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                await (await asyncpg.connect(self.url)).close()
            except (OSError, asyncpg.PostgresError):
                assert self.process.returncode is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                await asyncio.sleep(0.1)
            else:
                return

    async def ask(self, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
        """Rows, as the owner."""
        connection = await asyncpg.connect(self.url)
        try:
            rows: Sequence[asyncpg.Record] = await connection.fetch(query, *arguments)
            return rows
        finally:
            await connection.close()

    def folder_for(self, name: str) -> Path:
        """A folder of its own, that the server may write to."""
        made = self.folder / name
        made.mkdir()
        if self.programs.account is not None:
            os.chown(made, self.programs.account.uid, self.programs.account.gid)
        return made

    async def writes(self) -> None:
        """Wait until it takes changes: a restored server first catches up."""
        deadline = time.monotonic() + PATIENCE
        while (await self.ask("SELECT pg_is_in_recovery() AS recovering"))[0]["recovering"]:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            await asyncio.sleep(0.1)

    def die(self) -> None:
        """As when the machine loses its power: whoever is connected learns it from silence or a refusal."""
        pid = int((self.cluster / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            os.kill(one, signal.SIGKILL)

    async def close(self) -> None:
        """Stop it at once, if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGQUIT)
            await self.process.wait()


class Pair:
    """A first server and one that follows it. `synchronous`: a commit waits until the second one has it on its disk."""

    def __init__(self, folder: Path, *, synchronous: bool) -> None:
        self.first = Server(folder / "first")
        self.second = Server(folder / "second")
        self.synchronous = synchronous

    @property
    def url(self) -> str:
        """An address of both: whoever connects finds the one that can be written to."""
        ports = f"{self.first.port},{self.second.port}"
        return f"postgresql:///postgres?host=127.0.0.1,127.0.0.1&port={ports}&user=postgres&target_session_attrs=read-write"

    async def start(self) -> None:
        """Both, the second one following."""
        await self.first.make()
        await self.first.start()
        await self.second.copy(self.first)
        await self.second.start()
        if self.synchronous:
            await self.first.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{STANDBY}'")
            await self.first.ask("SELECT pg_reload_conf()")
        await self._until_following()

    async def _until_following(self) -> None:
        wanted = "sync" if self.synchronous else "async"
        deadline = time.monotonic() + PATIENCE
        while True:
            rows = await self.first.ask("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")
            if [row["sync_state"] for row in rows] == [wanted]:
                return
            assert time.monotonic() < deadline, [dict(row) for row in rows]
            await asyncio.sleep(0.1)

    async def fail_over(self) -> None:
        """The first one dies, and the second one takes its place."""
        self.first.die()
        if self.synchronous:
            # It waits for nobody: there is no third one.
            await self.second.ask("ALTER SYSTEM SET synchronous_standby_names = ''")
        await self.second.ask("SELECT pg_promote(true, 60)")

    async def close(self) -> None:
        """Stop both."""
        for server in (self.second, self.first):
            await server.close()
