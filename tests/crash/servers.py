"""A database server of a test's own, so that it may be stopped."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from passerelle.dev.postgres import EmbeddedPostgres
from passerelle.migrations.schema import migrate
from tests.passable import passable


class Postgres:
    """A database server of the test's own, so that it may be stopped."""

    def __init__(self, folder: Path) -> None:
        self.embedded = EmbeddedPostgres(passable(folder))
        self.folder = folder
        self.url = ""

    async def start(self) -> None:
        self.url = await self.embedded.start()
        await migrate(self.url)
        self.watching = asyncio.create_task(self.embedded.watch())

    async def close(self) -> None:
        await self.embedded.stop()
        await self.watching

    def stop_immediately(self) -> None:
        """As `pg_ctl stop -m immediate`: no checkpoint, connections are cut. Its supervisor starts it again."""
        pid = int((self.folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        subprocess.run(["kill", "-QUIT", str(pid)], check=True)
