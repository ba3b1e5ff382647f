"""A record that changes while an index is being filled leaves no row of its former value in it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from passerelle.kit.database import Connection, Database
from passerelle.records.parts import RecordServices
from passerelle.records.repository import key_of, next_to_index, record_of
from tests.integration.records.recorded import Api

RECORDS = "/tables/customers/records"


async def waiting_for_a_lock(connection: Connection) -> None:
    """Until some statement in this database waits for a lock that another transaction holds."""
    async with asyncio.timeout(20):
        while not await connection.fetchval(  # noqa: ASYNC110 - the database tells nobody
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple'))"
        ):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("change", ["PATCH", "DELETE"])
async def test_a_change_waits_for_the_filler_and_takes_its_row_along(
    api: Api, database: Database, parts: RecordServices, change: str
) -> None:
    await api.table(fields=[{"name": "city", "type": "text"}])
    record = await api.add({"city": "old"})
    await api.call("PATCH", "/tables/customers", {"fields": [{"name": "city", "type": "text", "indexed": True}]})
    table = await parts.tables.find_now(api.workspace_id, "customers")
    (field,) = table.building
    async with database.workspace(api.workspace_id) as filler, database.shared() as watcher:
        async with filler.transaction():
            rows = await filler.fetch(next_to_index(10), api.workspace_id, table.id, UUID(int=0))
            body = {"city": "new"} if change == "PATCH" else None
            writing = asyncio.create_task(api.call(change, f"{RECORDS}/{record['id']}", body))
            await waiting_for_a_lock(watcher)
            (found,) = [record_of(row) for row in rows]
            await filler.execute(
                "INSERT INTO record_key (workspace_id, field_id, key, record_id) VALUES ($1, $2, $3, $4)",
                api.workspace_id, field.id, key_of(field, found.values), found.id,
            )  # fmt: skip
        await writing
        keys = await filler.fetch("SELECT key FROM record_key WHERE field_id = $1", field.id)
    assert [row["key"] for row in keys] == ([b"new"] if change == "PATCH" else [])


async def test_the_filler_waits_for_statements_that_have_read_the_table_as_it_was(
    api: Api, database: Database, parts: RecordServices
) -> None:
    await api.table(fields=[{"name": "city", "type": "text"}])
    await api.add({"city": "a"})
    ended = "SELECT older_statements_ended(changed_in) FROM record_table WHERE workspace_id = $1 AND name = 'customers'"
    async with database.workspace(api.workspace_id) as old, database.workspace(api.workspace_id) as looking:
        # It has a snapshot, but no transaction number: it has written nothing so far.
        async with old.transaction(isolation="repeatable_read"):
            await old.fetchval("SELECT count(*) FROM record")
            await api.call(
                "PATCH", "/tables/customers", {"fields": [{"name": "city", "type": "text", "indexed": True}]}
            )
            assert await looking.fetchval(ended, api.workspace_id) is False
        assert await looking.fetchval(ended, api.workspace_id) is True
    await parts.indexing.build(api.workspace_id, "customers")
    assert (await api.call("GET", "/tables/customers"))["fields"][0]["index"] == "ready"
