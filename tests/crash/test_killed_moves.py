"""A move of cases is killed at ten random moments: what comes of it equals what comes of one that nobody disturbs."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from rich.console import Console

from passerelle.kit.clock import system_clock
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.kit.json import Json
from passerelle.records.models import Author, Record
from passerelle.records.repository import RecordRepository
from passerelle.tables.schemas import TableBody
from passerelle.tables.service import Tables
from passerelle.tables.values import check_new
from passerelle.v1.cases import migrate_command
from passerelle.v1.cases.command_database import Where
from tests.databases import scratch

CASES = 2_000
KILLS = 10
MAP = "fields: {firstName: name, lastName: surname, email: email, phone: phone, companyAddress: }\n"
PATRONS = {
    "name": "patrons",
    "fields": [
        {"name": "name", "type": "text"},
        {"name": "surname", "type": "text", "indexed": True},
        {"name": "email", "type": "email", "unique": True},
        {"name": "phone", "type": "phone"},
    ],
}
TABLES = ("record", "record_key", "record_unique", "record_change")


def _move(url: str, workspace_id: UUID, file: Path) -> None:
    """What the command does, in a process of its own."""
    said = asyncio.run(
        migrate_command.migrate(Where(url, workspace_id, "unused"), "patrons", file, Console(quiet=True), dry_run=False)
    )
    assert said.good, said.lines


async def _fill(url: str) -> UUID:
    database = await Database.open(url, size=2)
    workspace_id = new_id()
    async with database.workspace(workspace_id) as connection:
        await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", workspace_id)
    tables = Tables(database, system_clock, new_id)
    cases = await tables.find(workspace_id, "cases")
    await tables.create(workspace_id, new_id(), TableBody.model_validate(PATRONS))
    now = system_clock()
    async with database.workspace(workspace_id) as connection:
        for first in range(0, CASES, 1_000):
            batch = []
            for number in range(first, first + 1_000):
                record_id = new_id()
                values: dict[str, Json] = {
                    "firstName": f"Anna{number}", "lastName": f"Nowak{number % 7}", "companyAddress": "Prosta 1",
                    "email": f"anna{number}@example.com", "phone": {"countryCode": "48", "number": f"6{number:08}"},
                }  # fmt: skip
                batch.append(Record(record_id, 1, check_new(cases, values, record_id).require(), now, now))
            assert await RecordRepository(new_id).insert(connection, cases, batch, Author("test"))
    await database.close()
    return workspace_id


async def _rows(url: str) -> dict[str, list[Any]]:
    connection = await asyncpg.connect(url)
    try:
        found = {name: await connection.fetch(f"SELECT t::text FROM {name} t ORDER BY 1") for name in TABLES}
        moved = "SELECT record_id, version, values, changes FROM record_moved ORDER BY 1"
        return found | {"record_moved": await connection.fetch(moved)}
    finally:
        await connection.close()


async def _killed(process: Any, url: str, moved: int) -> bool:
    """Let the process work until so many cases have moved, then kill it. Whether it was still at work."""
    connection = await asyncpg.connect(url)
    deadline = time.monotonic() + 60
    try:
        while process.is_alive() and await connection.fetchval("SELECT count(*) FROM record_moved") < moved:
            assert time.monotonic() < deadline, "the move does not go on"
            await asyncio.sleep(0.01)
    finally:
        await connection.close()
    alive: bool = process.is_alive()
    process.kill()
    process.join()
    return alive


@pytest.mark.timeout(300)
async def test_a_move_that_is_killed_ten_times_ends_like_an_undisturbed_one(
    server_url: str, database_url: str, tmp_path: Path
) -> None:
    """Records, index rows and history are equal, and the comparison of both sides finds nothing."""
    workspace_id = await _fill(database_url)
    file = tmp_path / "map.yaml"
    file.write_text(MAP)
    filled = database_url.partition("?")[0].rsplit("/", 1)[1]
    async with scratch(server_url, filled, "undisturbed") as other:
        await _ends_like(database_url, other, workspace_id, file)


async def _ends_like(database_url: str, other: str, workspace_id: UUID, file: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["passerelle.v1.cases.migrate_command"])
    rng = random.Random(6)
    interrupted = 0
    for moved in [0, *sorted(rng.randrange(CASES) for _ in range(KILLS - 1))]:
        process = context.Process(target=_move, args=(database_url, workspace_id, file))
        process.start()
        interrupted += await _killed(process, database_url, moved)
    assert interrupted == KILLS
    for url in (database_url, other):
        process = context.Process(target=_move, args=(url, workspace_id, file))
        process.start()
        await asyncio.to_thread(process.join)
        assert process.exitcode == 0
    assert await _rows(database_url) == await _rows(other)
    said = await migrate_command.verify(Where(database_url, workspace_id, "unused"), Console(quiet=True))
    assert said.lines == (f"{CASES:,} cases compared, {4 * CASES:,} values: equal",)
