"""Rows that are written together come to what they would come to one after the other."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.records import importing
from passerelle.records.models import Author, Written
from passerelle.records.parts import RecordServices
from passerelle.records.repository import RecordRepository
from tests.integration.records.recorded import Api

LINES = {"Content-Type": "application/x-ndjson"}
FIELDS = [
    {"name": "name", "type": "text", "required": True},
    {"name": "number", "type": "text", "unique": True},
    {"name": "code", "type": "integer", "unique": True, "indexed": True},
    {"name": "status", "type": "singleSelect", "options": ["new", "old"], "default": "new", "indexed": True},
]
# Few values, so that rows meet: the same record, one another's unique values, and values that are wrong.
VALUES = {
    "name": st.sampled_from(["a", "b", None, 1]),
    "number": st.sampled_from(["1", "2", "3", "4", None]),
    "code": st.sampled_from([1, 2, 3, None, "x"]),
    "status": st.sampled_from(["new", "old", "odd"]),
}
ROWS = st.lists(st.fixed_dictionaries({}, optional=VALUES), max_size=12)
TABLES = count()


async def imported(api: Api, table: str, rows: list[Any], query: str) -> Any:
    content = "".join(json.dumps(row) + "\n" for row in rows)
    answer = await api.client.post(f"/tables/{table}/import?{query}", content=content, headers=LINES)
    assert answer.status_code == 200, answer.text
    return answer.json()


def outcome(report: Any) -> Any:
    """What a report says, but for the ids that its sentences name."""
    errors = [(one["line"], one["field"], one["code"]) for one in report["errors"]]
    return report["created"], report["updated"], report["failed"], sorted(errors, key=str)


async def _written_by(parts: RecordServices, database: Database, api: Api, table: str, by: str, row: Any) -> Written:
    async with database.workspace(api.workspace_id) as connection:
        _, done = await parts.upserts.write(connection, api.workspace_id, table, by, row[by], row, Author("test"))
        return done


async def singly(
    parts: RecordServices, database: Database, api: Api, table: str, rows: list[Any], by: str | None
) -> Any:
    """The same rows as single records, one after the other."""
    counts: Counter[str] = Counter()
    errors: list[tuple[int, str | None, str]] = []
    for line, row in enumerate(rows, start=1):
        try:
            if by is None:
                await parts.records.create(api.workspace_id, table, row, Author("test"))
                counts["created"] += 1
            elif row.get(by) is None:
                counts["failed"] += 1
                errors.append((line, by, "IMPORT_ROW"))
            else:
                done = await _written_by(parts, database, api, table, by, row)
                counts["created" if done.created else "updated"] += 1
        except PasserelleError as error:
            counts["failed"] += 1
            errors += [(line, (one.pointer or "/")[1:] or None, one.code) for one in error.problems]
    return counts["created"], counts["updated"], counts["failed"], sorted(errors, key=str)


async def events(database: Database, api: Api, table: str) -> Any:
    """What events tell of the table, whatever the ids."""
    async with database.workspace(api.workspace_id) as connection:
        rows = await connection.fetch("SELECT type, data FROM event WHERE data->>'table' = $1", table)
    return Counter((row["type"], row["data"]["version"], tuple(row["data"]["changed"])) for row in rows)


async def state(api: Api, table: str) -> Any:
    """Records with versions and history, and what the indexes find, whatever their ids."""
    told: dict[tuple[str, int], Any] = {}
    for record in (await api.call("GET", f"/tables/{table}/records?sort=createdAt&limit=500"))["data"]:
        history = await api.call("GET", f"/tables/{table}/records/{record['id']}/history")
        key = json.dumps([record["number"], record["code"], record["name"]])
        lines = [(one["version"], one["action"], one["changes"]) for one in history["data"]]
        told[key, len(told)] = (record["version"], record["status"], lines)
    found: dict[tuple[str, Any], Any] = {}
    for field, values in (("code", [1, 2, 3]), ("number", ["1", "2", "3", "4"]), ("status", ["new", "old"])):
        for value in values:
            query = json.dumps({"field": field, "op": "eq", "value": value})
            page = await api.call("GET", f"/tables/{table}/records", params={"filter": query})
            found[field, value] = sorted((one["number"] or "", one["code"] or 0, one["name"]) for one in page["data"])
    return sorted((key[0], value) for key, value in told.items()), found


@pytest.mark.parametrize("by", ["number", "code", None])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ROWS, rows=ROWS)
# A value that a row lets go of is free for the next one, and one that it takes is not.
@example(
    before=[{"name": "a", "number": "1", "code": 1}, {"name": "a", "number": "2", "code": 2}],
    rows=[{"number": "2", "code": 3}, {"number": "1", "code": 2}, {"name": "b", "number": "3", "code": 3}],
)
async def test_a_batch_comes_to_what_its_rows_come_to_one_by_one(
    api: Api, parts: RecordServices, database: Database, by: str | None, before: list[Any], rows: list[Any]
) -> None:
    index = next(TABLES)
    together, apart = f"together{index}", f"apart{index}"
    for name in (together, apart):
        await api.table(name=name, fields=FIELDS)
        await singly(parts, database, api, name, before, None)
    query = "mode=create" if by is None else f"mode=upsert&by={by}"
    dry = await imported(api, together, rows, f"{query}&dryRun=true")
    wet = await imported(api, together, rows, query)
    assert outcome(dry) == outcome(wet) == await singly(parts, database, api, apart, rows, by)
    assert await state(api, together) == await state(api, apart)
    assert await events(database, api, together) == await events(database, api, apart)


@pytest.mark.parametrize("before", [0, 60], ids=["new", "there"])
async def test_imports_of_the_same_rows_at_once_lose_no_change(api: Api, before: int) -> None:
    await api.table(fields=FIELDS)
    numbers = [str(index) for index in range(60)]
    await imported(api, "customers", [{"name": "a", "number": number} for number in numbers[:before]], "mode=create")
    orders = [numbers, numbers[::-1], numbers[30:] + numbers[:30]]
    reports = await asyncio.gather(
        *(
            imported(api, "customers", [{"name": f"n{at}", "number": one} for one in order], "mode=upsert&by=number")
            for at, order in enumerate(orders)
        )
    )
    assert [one["failed"] for one in reports] == [0, 0, 0]
    assert sum(one["created"] for one in reports) == 60 - before
    page = await api.call("GET", "/tables/customers/records?limit=500")
    assert {record["version"] for record in page["data"]} == {4 if before else 3}


async def test_a_record_that_is_made_while_its_row_is_judged_is_changed_not_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.table(fields=FIELDS)
    looked = RecordRepository.holders
    looks = count()

    async def overtaken(*about: Any) -> Any:
        found = await looked(*about)
        if next(looks) == 0:
            await api.add({"name": "theirs", "number": "7"})
        return found

    monkeypatch.setattr(RecordRepository, "holders", overtaken)
    rows = [{"name": "ours", "number": number} for number in ("6", "7")]
    report = await imported(api, "customers", rows, "mode=upsert&by=number")
    assert (report["created"], report["updated"], report["failed"]) == (1, 1, 0)


async def test_changes_of_single_records_during_an_import_are_kept(api: Api) -> None:
    await api.table(fields=FIELDS)
    made = [await api.add({"name": "a", "number": str(index)}) for index in range(30)]
    rows = [{"name": "b", "number": str(index)} for index in range(30)]
    await asyncio.gather(
        imported(api, "customers", rows, "mode=upsert&by=number"),
        *(api.call("PATCH", f"/tables/customers/records/{one['id']}", {"status": "old"}) for one in made),
    )
    page = await api.call("GET", "/tables/customers/records?limit=500")
    assert {(record["name"], record["status"], record["version"]) for record in page["data"]} == {("b", "old", 3)}


async def test_a_dry_run_knows_what_earlier_batches_would_have_done(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    await api.table(fields=FIELDS)
    await api.add({"name": "a", "number": "0", "code": 0})
    rows = [
        {"name": "a", "number": "1", "code": 1},
        {"name": "a", "number": "0", "code": 9},
        {"number": "1", "code": 2},
        {"name": "b", "number": "2", "code": 9},
        {"name": "b", "number": "3", "code": 0},
        {"name": "b", "number": "4", "code": 2},
    ]
    dry = await imported(api, "customers", rows, "mode=upsert&by=number&dryRun=true")
    assert len((await api.call("GET", "/tables/customers/records"))["data"]) == 1
    wet = await imported(api, "customers", rows, "mode=upsert&by=number")
    assert outcome(dry) == outcome(wet) == (2, 2, 2, [(4, "code", "VALUE_TAKEN"), (6, "code", "VALUE_TAKEN")])
