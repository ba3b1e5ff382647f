"""Import and export of 100,000 rows, with what they add to the process's memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from bench.harness import Passerelle, running

ROWS = 100_000
UPSERTED = 10_000
"""Each row of an upsert is looked up and written by itself."""
TABLE = {
    "name": "companies",
    "fields": [
        {"name": "number", "type": "text", "unique": True},
        {"name": "name", "type": "text", "required": True},
        {"name": "country", "type": "text"},
        {"name": "employees", "type": "integer", "indexed": True},
        {"name": "vip", "type": "checkbox"},
    ],
}


async def transfers(report: Any) -> None:
    """New records, an upsert that changes some of them, the same upsert again, which changes none; an export."""
    with running() as passerelle, TemporaryDirectory() as folder:
        httpx.post(f"{passerelle.url}/tables", json=TABLE, headers=passerelle.headers).raise_for_status()
        first, second = Path(folder, "first.csv"), Path(folder, "second.csv")
        _write(first, ROWS, 1)
        _write(second, UPSERTED, 2)
        # What the first import of a process loads is not what an import of many rows takes.
        await _sent(passerelle, "?dryRun=true", b"name\nx\n")
        await _measured(report, passerelle, "import, create", "", first)
        await _measured(report, passerelle, "import, upsert that changes", "?mode=upsert&by=number", second)
        await _measured(report, passerelle, "import, upsert of the same", "?mode=upsert&by=number", second)
        await _exported(report, passerelle)


async def _measured(report: Any, passerelle: Passerelle, name: str, query: str, file: Path) -> None:
    before, began = passerelle.memory(), time.perf_counter()
    sending = asyncio.create_task(_sent(passerelle, query, file))
    most = before
    while not sending.done():
        most = max(most, passerelle.memory())
        await asyncio.sleep(0.2)
    answer = await sending
    facts = {key: answer[key] for key in ("created", "updated", "failed")}
    _line(report, f"{name}, {answer['rows']:,} rows", began, most - before, facts)


async def _exported(report: Any, passerelle: Passerelle) -> None:
    before, began, most, lines = passerelle.memory(), time.perf_counter(), 0, 0
    async with (
        httpx.AsyncClient(timeout=600) as client,
        client.stream("GET", f"{passerelle.url}/tables/companies/export", headers=passerelle.headers) as answer,
    ):
        async for chunk in answer.aiter_bytes():
            lines += chunk.count(b"\n")
            most = max(most, passerelle.memory())
    _line(report, f"export, {ROWS:,} rows", began, most - before, {"rows": lines - 1})


def _line(report: Any, name: str, began: float, grown: int, facts: dict[str, Any]) -> None:
    took = time.perf_counter() - began
    report.line(name, seconds=round(took, 1), memory_growth_mb=round(grown / 1e6, 1), **facts)


async def _sent(passerelle: Passerelle, query: str, content: Path | bytes) -> Any:
    url = f"{passerelle.url}/tables/companies/import{query}"
    headers = {**passerelle.headers, "Content-Type": "text/csv"}
    async with httpx.AsyncClient(timeout=600) as client:
        body = content if isinstance(content, bytes) else _chunks(content)
        answer = await client.post(url, content=body, headers=headers)
    answer.raise_for_status()
    return answer.json()


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 16):
            yield chunk


def _write(file: Path, rows: int, seed: int) -> None:
    random = Random(seed)
    with file.open("w") as opened:
        opened.write("number,name,country,employees,vip\n")
        for number in range(rows):
            opened.write(f"N{number},Company {random.randrange(10**9)},PL,{random.randrange(1000)},true\n")
