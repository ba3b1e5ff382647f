"""A disk that is full: what could not be kept is refused with a code, what was acknowledged ends once there is room."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.crash.harness import Client, all_end, cluster, definition
from tests.crash.servers import Postgres
from tests.passable import passable

RUNS_BEFORE = 20
RUNS_AFTER = 20
REFUSED = 5
WITHIN = 120.0

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk of a few megabytes")


class Disk:
    """A disk that can be filled up, and freed again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        with self._ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65_536)
                    file.flush()
            except OSError:
                pass

    def free(self) -> None:
        """As it was before."""
        self._ballast.unlink()


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Disk]:
    """A disk of that size in a new folder."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", folder], check=True)
    try:
        yield Disk(passable(folder))
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest_asyncio.fixture(loop_scope="session")
async def full(tmp_path: Path) -> AsyncIterator[tuple[Postgres, Disk]]:
    """PostgreSQL on a disk of its own."""
    with mounted(tmp_path / "disk", 256) as disk:
        server = Postgres(disk.folder / "data")
        await server.start()
        yield server, disk
        await server.close()


@pytest.mark.timeout(400)
async def test_what_was_acknowledged_before_and_after_the_databases_disk_was_full_ends_once(
    full: tuple[Postgres, Disk],
) -> None:
    postgres, disk = full
    with cluster(postgres.url, delay=0.1) as system:
        client = await asyncio.to_thread(Client, system)
        _, address = await asyncio.to_thread(system.serve)
        await asyncio.to_thread(system.worker)
        await asyncio.to_thread(client.push, address, definition(system.register.url))
        await client.start_many([address], RUNS_BEFORE)
        disk.fill()
        refused = await _refusals(client, address)
        assert {status for status, _ in refused} == {503}, refused
        assert {code for _, code in refused} <= {"DATABASE_FULL", "DATABASE_UNAVAILABLE"}, refused
        disk.free()
        while len(client.acknowledged) < RUNS_BEFORE + RUNS_AFTER:
            await client.start_many([address], 1)
        await all_end(postgres.url, client.acknowledged, WITHIN)


async def _refusals(client: Client, address: str) -> list[tuple[int, str]]:
    """What starts are refused with, on what may still be kept until there is no room at all."""
    refused: list[tuple[int, str]] = []
    async with httpx.AsyncClient(base_url=address, headers=client.headers, timeout=30) as asking:
        while len(refused) < REFUSED:
            body = {"workflowDefinitionId": client.definition_id, "parameters": {"number": 1}}
            answer = await asking.post("/workflows", json=body)
            if answer.status_code == 200:
                client.acknowledged.append(answer.json()["id"])
            else:
                refused.append((answer.status_code, answer.json()["errors"][0]["code"]))
    return refused


async def test_a_file_for_which_there_is_no_room_is_refused_whole_and_taken_later(
    postgres: Postgres, tmp_path: Path
) -> None:
    with mounted(tmp_path / "files", 4) as disk, cluster(postgres.url) as system:
        system.environment["PASSERELLE_FILES_URL"] = str(disk.folder / "store")
        client = await asyncio.to_thread(Client, system)
        _, address = await asyncio.to_thread(system.serve)
        sent: Any = {"files": {"file": ("statute.txt", b"word " * 400_000, "text/plain")}}
        async with httpx.AsyncClient(base_url=address, headers=client.headers, timeout=30) as asking:
            disk.fill()
            refused = await asking.post("/resources", **sent)
            assert (refused.status_code, refused.json()["errors"][0]["code"]) == (503, "FILES_FULL"), refused.text
            disk.free()
            left = [path for path in (disk.folder / "store").rglob("*") if path.is_file()]
            assert left == [], "of what was refused nothing lies about"
            taken = await asking.post("/resources", **sent)
            assert taken.status_code == 201, taken.text
            read = await asking.get(f"/resources/{taken.json()['resourceId']}")
            assert len(read.content) == 2_000_000
