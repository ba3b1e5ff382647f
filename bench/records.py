"""Records: create, read, lists of 25 among 100,000 and 1,000,000, import. Each beside the same statements alone."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from bench.harness import SECONDS, Load, Passerelle, database, drive, percentile, running
from passerelle.dev.postgres import EmbeddedPostgres
from passerelle.kit.clock import system_clock
from passerelle.kit.database import Database
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.json import Json
from passerelle.kit.secrets import SecretBox
from passerelle.records.models import Author, Record
from passerelle.records.parts import RecordServices, record_parts
from passerelle.records.repository import index_keys
from passerelle.records.schemas import SearchBody
from passerelle.records.searching import search_text
from passerelle.resources.files import Files
from passerelle.tables.models import Table

FIRST, SECOND = 100_000, 1_000_000
STATUSES = [f"s{index}" for index in range(50)]
TABLE: Any = {
    "name": "companies",
    "fields": [
        {"name": "name", "type": "text", "required": True},
        {"name": "country", "type": "text"},
        {"name": "employees", "type": "integer"},
        {"name": "status", "type": "singleSelect", "options": STATUSES, "indexed": True},
        {"name": "score", "type": "integer", "indexed": True},
        {"name": "vip", "type": "checkbox"},
    ],
}
BY_STATUS: Any = {"filter": {"field": "status", "op": "eq", "value": "s7"}, "sort": ["-createdAt"]}
BY_SCORE: Any = {"filter": {"field": "score", "op": "gte", "value": 50_000}, "sort": ["score"]}
BY_BOTH: Any = {"filter": {"field": "status", "op": "eq", "value": "s7"}, "sort": ["score"]}
UNINDEXED: Any = {"filter": {"field": "employees", "op": "eq", "value": -1}}


async def records(report: Any) -> None:
    """Throughput of single records and of lists, over HTTP and as bare statements."""
    with running() as passerelle:
        httpx.post(f"{passerelle.url}/tables", json=TABLE, headers=passerelle.headers).raise_for_status()
        base = f"{passerelle.url}/tables/companies/records"
        async with parts_of(passerelle) as (parts, workspace_id):
            table = await parts.tables.find(workspace_id, "companies")
            ids = await fill(passerelle, table, FIRST)
            await _single(report, passerelle, parts, table, base, ids)
            await _lists(report, passerelle, parts, table, f"{FIRST:,}")
            await fill(passerelle, table, SECOND - FIRST)
            await _lists(report, passerelle, parts, table, f"{SECOND:,}")
            await _changes(report, passerelle, base)


async def writing(report: Any) -> None:
    """Changing single records, and writing them by a key of the caller's own: half of these are new."""
    table: Any = {
        "name": "clients",
        "fields": [
            {"name": "code", "type": "text", "unique": True},
            {"name": "name", "type": "text"},
            {"name": "score", "type": "integer", "indexed": True},
        ],
    }
    with running() as passerelle:
        async with httpx.AsyncClient(base_url=passerelle.url, headers=passerelle.headers, timeout=60) as client:
            (await client.post("/tables", json=table)).raise_for_status()
            ids = [
                (await client.put(f"/tables/clients/records/by/code/{number}", json={"name": "Acme"})).json()["id"]
                for number in range(1_000)
            ]
        paths = ", ".join(f'"/tables/clients/records/{one}"' for one in ids)
        patch = (
            f"local paths, n = {{{paths}}}, 0\nrequest = function() n = n + 1\n"
            "return wrk.format('PATCH', paths[math.random(#paths)], nil, string.format('{\"score\":%d}', n)) end"
        )
        upsert = (
            "local n = 0\nrequest = function() n = n + 1\nlocal code = n % 2 == 0 and n % 1000 or 10000 + n\n"
            "return wrk.format('PUT', '/tables/clients/records/by/code/' .. code, nil, "
            'string.format(\'{"name":"Acme","score":%d}\', n)) end'
        )
        for name, lua in (("change by id (PATCH)", patch), ("upsert by a unique field", upsert)):
            load = await drive(passerelle.url, passerelle.headers, lua)
            report.line(name, per_second=round(load.requests), p50_ms=load.p50, p99_ms=load.p99, errors=load.errors)


async def _single(
    report: Any, passerelle: Passerelle, parts: RecordServices, table: Table, base: str, ids: list[UUID]
) -> None:
    values: dict[str, Json] = {
        "name": "Acme sp. z o.o.",
        "country": "PL",
        "employees": 12,
        "status": "s7",
        "score": 17,
        "vip": True,
    }
    await _beside(
        report,
        "create",
        lambda: drive(base, passerelle.headers, _posting(values)),
        lambda: parts.records.create(table.workspace_id, "companies", values, Author("bench")),
    )
    sample = Random(1).sample(ids, 2_000)
    paths = ", ".join(f'"/tables/companies/records/{one}"' for one in sample)
    lua = f"local paths = {{{paths}}}\nrequest = function() return wrk.format('GET', paths[math.random(#paths)]) end"
    random = Random(2)
    await _beside(
        report,
        "read by id",
        lambda: drive(base, passerelle.headers, lua),
        lambda: parts.records.read(table.workspace_id, "companies", random.choice(sample)),
    )


async def _lists(report: Any, passerelle: Passerelle, parts: RecordServices, table: Table, size: str) -> None:
    for name, search in (("status, newest first", BY_STATUS), ("score from, by score", BY_SCORE)):
        query = "&".join(f"{key}={quote(_text(value))}" for key, value in search.items())
        await _beside(
            report,
            f"25 of {size}: {name}",
            partial(drive, f"{passerelle.url}/tables/companies/records?{query}", passerelle.headers, ""),
            partial(parts.finding.page, table.workspace_id, "companies", SearchBody(**search)),
        )
    for name, search in (("status, by score", BY_BOTH), ("unindexed, nothing found", UNINDEXED)):
        took = []
        for _ in range(10):
            began = time.perf_counter()
            answer = httpx.post(
                f"{passerelle.url}/tables/companies/records/search",
                json=search,
                headers=passerelle.headers,
                timeout=60,
            )
            took.append((time.perf_counter() - began) * 1000)
        outcome = answer.json()["errors"][0]["code"] if answer.is_error else "found"
        report.line(f"25 of {size}: {name}", p50_ms=round(percentile(took, 0.5), 1), outcome=outcome)


async def _changes(report: Any, passerelle: Passerelle, base: str) -> None:
    """A field, an option and an index more, while 32 connections make records."""
    writing = asyncio.create_task(drive(base, passerelle.headers, _posting({"name": "Acme", "status": "s7"})))
    fields: list[Any] = copy.deepcopy(TABLE["fields"])
    async with httpx.AsyncClient(base_url=passerelle.url, headers=passerelle.headers, timeout=600) as client:
        for name, change in (
            ("a field", lambda: fields.append({"name": "city", "type": "text"})),
            ("an option", lambda: fields[3].update(options=[*STATUSES, "s50"])),
            ("an index", lambda: fields[2].update(indexed=True)),
        ):
            change()
            began = time.perf_counter()
            (await client.patch("/tables/companies", json={"fields": fields})).raise_for_status()
            report.line(f"{name} more, of {SECOND:,} records", ms=round((time.perf_counter() - began) * 1000, 1))
        loads = []
        while any(field["index"] == "building" for field in (await client.get("/tables/companies")).json()["fields"]):
            if writing.done():
                loads.append(await writing)
                writing = asyncio.create_task(drive(base, passerelle.headers, _posting({"name": "Acme"})))
            await asyncio.sleep(0.2)
        report.line("  the index is ready after", seconds=round(time.perf_counter() - began, 1))
    _written(report, [*loads, await writing])


def _written(report: Any, loads: list[Load]) -> None:
    report.line(
        "  create meanwhile",
        per_second=round(sum(load.requests for load in loads) / len(loads)),
        p99_ms_at_most=max(load.p99 for load in loads),
        errors=sum(load.errors for load in loads),
    )


def _posting(values: Any) -> str:
    return f'wrk.method = "POST"\nwrk.body = {json.dumps(json.dumps(values))}'


async def _beside(
    report: Any, name: str, over_http: Callable[[], Awaitable[Load]], alone: Callable[[], Awaitable[Any]]
) -> None:
    load = await over_http()
    report.line(name, per_second=round(load.requests), p50_ms=load.p50, p99_ms=load.p99, errors=load.errors)
    report.line("  its statements alone, 32 tasks", per_second=round(await _loop(alone)))


async def _loop(act: Callable[[], Awaitable[Any]]) -> float:
    count = 0
    deadline = time.perf_counter() + SECONDS

    async def repeat() -> None:
        nonlocal count
        while time.perf_counter() < deadline:
            await act()
            count += 1

    await asyncio.gather(*[repeat() for _ in range(32)])
    return count / SECONDS


@asynccontextmanager
async def parts_of(passerelle: Passerelle) -> AsyncIterator[tuple[RecordServices, UUID]]:
    """The feature without HTTP, on the same database and under the same role."""
    pool = await Database.open(EmbeddedPostgres.address_of(passerelle.data_dir))
    box = SecretBox(["a-key-for-measurements-of-32-characters"])
    try:
        yield (
            record_parts(pool, Cursors(box), system_clock, new_id, files=Files.in_memory(), box=box),
            UUID(passerelle.demo["workspaceId"]),
        )
    finally:
        await pool.close()


async def fill(passerelle: Passerelle, table: Table, count: int) -> list[UUID]:
    """As many records more, with their index rows."""
    random = Random(count)
    ids: list[UUID] = []
    async with database(passerelle.data_dir) as connection:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=lambda value: b"\x01" + json.dumps(value).encode(),
            decoder=lambda data: json.loads(data[1:]), format="binary",
        )  # fmt: skip
        for _ in range(0, count, 50_000):
            made = [_record(table, random) for _ in range(min(50_000, count - len(ids)))]
            await _copy(connection, table, made)
            ids += [record.id for record in made]
        await connection.execute("VACUUM ANALYZE record, record_key")
    return ids


def _record(table: Table, random: Random) -> Record:
    named: dict[str, Json] = {
        "name": f"Company {random.randrange(10**9)}", "country": random.choice(["PL", "DE", "CZ"]),
        "employees": random.randrange(1000), "status": random.choice(STATUSES),
        "score": random.randrange(100_000), "vip": random.random() < 0.1,
    }  # fmt: skip
    values = {field.key: named[field.name] for field in table.fields}
    now = system_clock()
    return Record(new_id(), 1, values, now, now)


async def _copy(connection: Any, table: Table, made: list[Record]) -> None:
    rows = [
        (
            table.workspace_id,
            one.id,
            table.id,
            1,
            one.values,
            one.created_at,
            one.updated_at,
            search_text(table, one.values),
        )
        for one in made
    ]
    await connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS filling (workspace_id uuid, id uuid, table_id uuid, version integer, "
        "values jsonb, created_at timestamptz, updated_at timestamptz, words text)"
    )
    await connection.copy_records_to_table("filling", records=rows)
    columns = "workspace_id, id, table_id, version, values, created_at, updated_at"
    await connection.execute(
        f"INSERT INTO record ({columns}, search) "
        f"SELECT {columns}, array_to_tsvector(string_to_array(words, ' ') || table_id::text) FROM filling"
    )
    await connection.execute("TRUNCATE filling")
    keys = [(table.workspace_id, field, key, one.id) for one in made for field, key in index_keys(table, one.values)]
    await connection.copy_records_to_table("record_key", records=keys)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else ",".join(value)
