"""Moving 100,000 cases, each with three files and two executions, while clients of both versions go on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench.harness import PASSERELLE, Passerelle, database, percentile, running
from passerelle.kit.ids import new_id
from passerelle.records.models import differences
from passerelle.records.searching import words_of

CASES = int(os.environ.get("BENCH_CASES", "100000"))
BATCH = 5_000
PAUSE = 0.05
"""Seconds between two requests of one client: the load of a busy office, not of a flood."""
CLIENTS = 2
"""For each kind of request."""
CHECK = "name: check\nsteps: [{id: sum, set: {double: 2}}]\nresult: {double: 2}\n"
PATRONS: dict[str, Any] = {
    "name": "patrons",
    "fields": [
        {"name": "firstName", "type": "text"},
        {"name": "lastName", "type": "text", "indexed": True},
        {"name": "email", "type": "email", "unique": True},
        {"name": "phone", "type": "phone"},
        {"name": "company", "type": "text"},
    ],
}
MAP = """
fields:
  firstName: firstName
  lastName: lastName
  personalNumber:
  email: email
  phone: phone
  companyName: company
  companyNumber:
  companyAddress:
"""


async def moving_cases(report: Any) -> None:
    """The move beside readers and writers of both versions; then its comparison, value by value."""
    with running() as passerelle:
        httpx.post(f"{passerelle.url}/tables", json=PATRONS, headers=passerelle.headers).raise_for_status()
        async with database(passerelle.data_dir) as connection:
            ids = await _fill(passerelle, connection)
        file = passerelle.data_dir / "map.yaml"
        file.write_text(MAP)
        quiet = await _clients(passerelle, ids, asyncio.create_task(asyncio.sleep(10)))
        _lines(report, "clients, nothing moves", quiet)
        moving = asyncio.create_task(_command(report, passerelle, "--to", "patrons", "--map", str(file)))
        _lines(report, "clients, cases move", await _clients(passerelle, ids, moving))
        await _command(report, passerelle, "--verify")
        await _command(report, passerelle, "--undo")


async def _command(report: Any, passerelle: Passerelle, *arguments: str) -> None:
    """Run `passerelle cases migrate`; its time and the most memory that it took."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [PASSERELLE, "cases", "migrate", "--data-dir", str(passerelle.data_dir), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    most = 0
    while process.poll() is None:
        most = max(most, _memory(process.pid))
        await asyncio.sleep(0.05)
    seconds = time.perf_counter() - began
    said = process.communicate()[0].strip().splitlines()
    report.line(
        f"cases migrate {arguments[0]}", seconds=round(seconds, 1), megabytes=round(most / 1e6), said=repr(said[0][:60])
    )
    if process.returncode not in (0, 1):
        sys.exit("bench: the command failed")


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


async def _clients(passerelle: Passerelle, ids: list[str], until: asyncio.Task[Any]) -> dict[str, list[float]]:
    """What requests take, in milliseconds, by kind, until the task has ended."""
    took: dict[str, list[float]] = {}
    old = {"Authorization": passerelle.headers["Authorization"]}
    async with httpx.AsyncClient(base_url=passerelle.url, timeout=60) as client:

        async def go_on(name: str, method: str, path: str, headers: dict[str, str], body: Any) -> None:
            rng = random.Random(name)
            while not until.done():
                began = time.perf_counter()
                answer = await client.request(method, path.format(rng.choice(ids)), json=body, headers=headers)
                took.setdefault(name, []).append((time.perf_counter() - began) * 1000)
                if not answer.is_success:
                    sys.exit(f"bench: {name} was answered {answer.status_code}: {answer.text}")
                await asyncio.sleep(PAUSE)

        kinds = [
            ("v1 read", "GET", "/cases/{}", old, None),
            ("v1 change", "PATCH", "/cases/{}", old, {"firstName": "Ewa"}),
            ("v2 read", "GET", "/tables/cases/records/{}", passerelle.headers, None),
            ("v2 change", "PATCH", "/tables/cases/records/{}", passerelle.headers, {"firstName": "Anna"}),
            ("v2 executions", "GET", "/workflows?recordId={}", passerelle.headers, None),
        ]
        await asyncio.gather(*(go_on(*kind) for kind in kinds for _ in range(CLIENTS)), until)
    return took


def _lines(report: Any, name: str, took: dict[str, list[float]]) -> None:
    for kind, values in took.items():
        report.line(
            f"{name}: {kind}",
            requests=len(values),
            p50_ms=round(percentile(values, 0.5), 1),
            p99_ms=round(percentile(values, 0.99), 1),
        )


async def _fill(passerelle: Passerelle, connection: asyncpg.Connection[Any]) -> list[str]:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=lambda value: b"\x01" + json.dumps(value).encode(),
        decoder=lambda data: json.loads(data[1:]), format="binary",
    )  # fmt: skip
    definition = passerelle.push(CHECK)
    body = {"workflowDefinitionId": definition}
    run = httpx.post(f"{passerelle.url}/workflows/run", json=body, headers=passerelle.headers).raise_for_status().json()
    table = await connection.fetchrow(
        "SELECT * FROM record_table WHERE name = 'cases' AND workspace_id = $1", passerelle.demo["workspaceId"]
    )
    assert table is not None
    ids: list[str] = []
    for first in range(0, CASES, BATCH):
        batch = [(new_id(), _values(table["fields"], number)) for number in range(first, min(first + BATCH, CASES))]
        await _records(connection, table, batch)
        await _around(connection, table["workspace_id"], [one for one, _ in batch], run["id"])
        ids += [str(one) for one, _ in batch]
    await connection.execute("VACUUM ANALYZE record, record_change, attachment, resource, execution")
    return ids


def _values(fields: Any, number: int) -> dict[str, Any]:
    keys = {field["name"]: field["key"] for field in fields}
    return {
        keys["firstName"]: f"Anna{number % 500}", keys["lastName"]: f"Nowak{number % 5000}",
        keys["personalNumber"]: f"{number:011}", keys["email"]: f"person{number}@example.com",
        keys["phone"]: {"countryCode": "48", "number": f"6{number:08}"},
        keys["companyName"]: f"Company {number} sp. z o.o.", keys["companyNumber"]: f"{number:010}",
        keys["companyAddress"]: f"Prosta {number}, Warszawa",
    }  # fmt: skip


async def _records(connection: asyncpg.Connection[Any], table: Any, batch: list[tuple[Any, dict[str, Any]]]) -> None:
    texts = [" ".join(words_of(" ".join(v for v in values.values() if isinstance(v, str)))) for _, values in batch]
    await connection.execute(
        "INSERT INTO record (workspace_id, id, table_id, version, values, search, created_at, updated_at) "
        "SELECT $1, n.id, $2, 2, n.values, "
        "array_to_tsvector(string_to_array(n.words, ' ') || $2::uuid::text), now(), now() "
        "FROM unnest($3::uuid[], $4::jsonb[], $5::text[]) AS n(id, values, words)",
        table["workspace_id"], table["id"], [one for one, _ in batch], [values for _, values in batch], texts,
    )  # fmt: skip
    changes = [(one, 1, differences({}, values)) for one, values in batch]
    changes += [(one, 2, {"1": {"old": "Ann", "new": values["1"]}}) for one, values in batch]
    await connection.execute(
        "INSERT INTO record_change (workspace_id, record_id, version, action, changes, at, by) "
        "SELECT $1, n.id, n.version, CASE n.version WHEN 1 THEN 'created' ELSE 'updated' END, n.changes, "
        "now(), 'bench' FROM unnest($2::uuid[], $3::integer[], $4::jsonb[]) AS n(id, version, changes)",
        table["workspace_id"], *([row[column] for row in changes] for column in range(3)),
    )  # fmt: skip


async def _around(connection: asyncpg.Connection[Any], workspace_id: Any, ids: list[Any], run: str) -> None:
    """Three files and two executions for each; the executions are copies of one that has run."""
    files = [(new_id(), one) for one in ids for _ in range(3)]
    await connection.execute(
        "INSERT INTO resource (workspace_id, id, name, type, size, sha256, created_at, created_by) "
        "SELECT $1, n, 'extract.pdf', 'application/pdf', 1, '\\x00', now(), 'bench' FROM unnest($2::uuid[]) AS n",
        workspace_id, [file for file, _ in files],
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO attachment (workspace_id, id, record_id, resource_id, tags, created_at, created_by) "
        "SELECT $1, n.id, n.record, n.id, '{}', now(), 'bench' FROM unnest($2::uuid[], $3::uuid[]) AS n(id, record)",
        workspace_id, [file for file, _ in files], [one for _, one in files],
    )  # fmt: skip
    columns = [
        row["name"]
        for row in await connection.fetch(
            "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'execution'::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' AND attname NOT IN ('id', 'record_id')"
        )
    ]
    names = ", ".join(columns)
    await connection.execute(
        f"INSERT INTO execution (id, record_id, {names}) SELECT n.id, n.record, {names} FROM execution, "
        "unnest($2::uuid[], $3::uuid[]) AS n(id, record) WHERE execution.id = $1",
        run, [new_id() for _ in range(2 * len(ids))], [one for one in ids for _ in range(2)],
    )  # fmt: skip
