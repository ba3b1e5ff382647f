"""What is deleted stays for thirty days and is then gone with all that belongs to it; nothing else goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database, fetch_one
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.records.erasing import ERASE_JOB
from passerelle.records.parts import RecordServices
from passerelle.resources.errors import FILES_UNAVAILABLE
from passerelle.tables.models import CLEAR_JOB
from tests.integration.records.recorded import Api

RECORDS = "/tables/customers/records"
LEFT = ("record", "record_key", "record_unique", "record_change", "record_comment", "attachment", "resource")


async def filled(api: Api, name: str = "a") -> Any:
    record = await api.add({"name": name, "number": name, "age": 1})
    await api.call("POST", f"{RECORDS}/{record['id']}/comments", {"text": "x"}, 201)
    (await api.client.post(f"{RECORDS}/{record['id']}/attachments", files={"file": ("a.txt", b"x")})).raise_for_status()
    return record


async def left(api: Api, database: Database) -> dict[str, int]:
    async with database.workspace(api.workspace_id) as connection:
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in LEFT}


async def files_deleted(database: Database, parts: RecordServices) -> None:
    """Do what the jobs do that delete files."""
    async with database.shared() as connection:
        jobs = await connection.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING id, payload", ERASE_JOB)
    for job in jobs:
        await parts.jobs()[ERASE_JOB](JobRunning(job["id"], loads(job["payload"])))


async def test_a_record_goes_for_good_thirty_days_after_it_was_deleted(
    api: Api, database: Database, parts: RecordServices, clock: MovedClock
) -> None:
    await api.table()
    record, kept = await filled(api), await filled(api, "b")
    attached = (await api.call("GET", f"{RECORDS}/{record['id']}/attachments"))["data"]
    link = (await api.call("GET", f"{RECORDS}/{record['id']}/attachments/{attached[0]['id']}"))["link"]
    await api.call("DELETE", f"{RECORDS}/{record['id']}", status=204)
    clock.move(timedelta(days=29))
    assert await parts.purging.purge_deleted() == 0
    clock.move(timedelta(days=2))
    assert await parts.purging.purge_deleted() == 1
    await files_deleted(database, parts)
    async with database.workspace(api.workspace_id) as connection:
        assert [row["id"] for row in await connection.fetch("SELECT id FROM record")] == [UUID(kept["id"])]
    counts = await left(api, database)
    assert (counts["record_change"], counts["record_comment"], counts["attachment"], counts["resource"]) == (1, 1, 1, 1)
    assert (await api.client.get(link)).status_code == 404
    assert await parts.purging.purge_deleted() == 0


async def test_a_forward_lives_as_long_as_the_record_that_it_leads_to(
    api: Api, parts: RecordServices, clock: MovedClock, database: Database
) -> None:
    await api.table()
    target, source = await api.add({"name": "a"}), await api.add({"name": "b"})
    await api.call("POST", f"{RECORDS}/{target['id']}/merge", {"from": source["id"]})
    clock.move(timedelta(days=400))
    assert await parts.purging.purge_deleted() == 0
    assert (await api.call("GET", f"{RECORDS}/{source['id']}"))["id"] == target["id"]
    assert len((await api.call("GET", f"{RECORDS}/{source['id']}/history"))["data"]) == 4
    await api.call("DELETE", f"{RECORDS}/{target['id']}", status=204)
    clock.move(timedelta(days=31))
    assert await parts.purging.purge_deleted() == 2
    assert (await left(api, database))["record_change"] == 0


async def test_files_that_cannot_be_deleted_now_are_deleted_later(
    api: Api, parts: RecordServices, clock: MovedClock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.table()
    record = await filled(api)
    await api.call("DELETE", f"{RECORDS}/{record['id']}", status=204)
    clock.move(timedelta(days=31))

    async def away(*_: Any) -> None:
        raise FILES_UNAVAILABLE.error("the store is away")

    assert await parts.purging.purge_deleted() == 1
    with monkeypatch.context() as patched:
        patched.setattr(parts.resources, "drop", away)
        await files_deleted(database, parts)
    assert (await left(api, database))["resource"] == 1
    await files_deleted(database, parts)
    assert (await left(api, database))["resource"] == 0


async def test_a_hold_that_comes_while_records_are_purged_keeps_their_files(
    api: Api, parts: RecordServices, clock: MovedClock, database: Database
) -> None:
    await api.table()
    record = await filled(api)
    await api.call("DELETE", f"{RECORDS}/{record['id']}", status=204)
    clock.move(timedelta(days=31))
    async with database.transaction(api.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO legal_hold (workspace_id, id, kind, object_id, reason, placed_at, placed_by) "
            "VALUES ($1, $2, 'record', $2, 'a case', now(), 'counsel')",
            api.workspace_id,
            UUID(record["id"]),
        )
    assert await parts.purging.purge_deleted() == 0
    await files_deleted(database, parts)
    counts = await left(api, database)
    assert (counts["record"], counts["attachment"], counts["resource"]) == (1, 1, 1)


async def test_a_deleted_table_leaves_nothing(api: Api, other: Api, database: Database, parts: RecordServices) -> None:
    for one in (api, other):
        await one.table()
        await filled(one)
    await api.call("DELETE", f"{RECORDS}/{(await filled(api, 'b'))['id']}", status=204)
    await api.call("DELETE", "/tables/customers?loseData=true", status=204)
    async with database.shared() as connection:
        job = await fetch_one(connection, "SELECT id, payload FROM pgqueuer WHERE entrypoint = $1", CLEAR_JOB)
    for _ in range(2):
        await parts.jobs()[CLEAR_JOB](JobRunning(job["id"], loads(job["payload"])))
    await files_deleted(database, parts)
    assert set((await left(api, database)).values()) == {0}
    assert 0 not in (await left(other, database)).values()
