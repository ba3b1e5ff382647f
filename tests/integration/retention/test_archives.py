"""Archives: what is removed is in the store first, exactly that, readable again, and erased there as well."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner

from passerelle.cli.archives import app as archive_commands
from passerelle.kit.errors import CommandError
from passerelle.kit.jobs import JobRunning
from passerelle.resources.errors import FILES_UNAVAILABLE
from passerelle.retention.archives import Archive, Archives, WrittenArchive, manifest_path
from tests.integration.retention.test_retention import OF_RECORD, QUICK, hold, ids, keep, later, product, record, sql
from tests.integration.secrets.product import Product

__all__ = ["product", "record"]


async def archived(product: Product, **rules: str) -> None:
    answer = await product.api.put("/retention", json={**rules, "archive": list(rules)})
    assert answer.status_code == 200, answer.text


async def entries(product: Product, kind: str | None = None) -> list[dict[str, Any]]:
    archives = product.services.retention.archives
    found: list[dict[str, Any]] = []
    for one in await archives.listed(product.workspace_id, kind):
        found += await archives.read(product.workspace_id, one)  # type: ignore[arg-type]
    return found


async def test_what_is_removed_is_in_the_store_first_with_its_steps(product: Product) -> None:
    run = await product.run(QUICK)
    await archived(product, executions="1d", events="7d")
    assert (await later(product, 30))["executions"] == 1
    assert await ids(product) == set()
    (entry,) = await entries(product, "executions")
    assert (entry["id"], entry["status"], entry["result"]) == (run["id"], "COMPLETED", {"keep": {"said": "done"}})
    assert [(step["step"], step["output"]) for step in entry["steps"]] == [("keep", {"said": "done"})]
    assert {one["type"] for one in await entries(product, "events")} >= {"workflow.completed"}


async def test_a_kind_is_archived_only_where_its_time_is_said(product: Product) -> None:
    for wrong in ({"archive": ["executions"]}, {"archive": ["events"], "events": "ever"}):
        answer = await product.api.put("/retention", json=wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/archive/0")
    assert (await product.api.put("/retention", json={"audit": "60d", "archive": ["audit"]})).status_code == 400
    shown = {one["kind"]: one["archive"] for one in await keep(product, executions="30d")}
    assert shown["executions"] is False


@pytest.mark.parametrize(
    "error",
    [FILES_UNAVAILABLE.error("the store of files does not answer"), asyncpg.QueryCanceledError("statement timeout")],
)
async def test_what_the_store_does_not_take_stays(
    product: Product, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await product.run(QUICK)
    await archived(product, executions="1d", events="7d")

    async def refused(*_: object) -> None:
        raise error

    monkeypatch.setattr(product.services.retention.archives._files, "put", refused)
    assert await later(product, 30) == {}
    assert len(await ids(product)) == 1
    monkeypatch.undo()
    assert (await later(product, 30))["executions"] == 1
    assert len(await entries(product, "executions")) == 1


async def test_what_changes_while_it_is_written_is_written_anew(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await product.run(QUICK)
    await archived(product, executions="1d")
    write = Archives.write
    dropped: list[Archive] = []

    async def meanwhile(self: Archives, workspace_id: UUID, kind: str, places: Any) -> WrittenArchive | None:
        written = await write(self, workspace_id, kind, places)
        if not dropped:
            await sql(product, "UPDATE execution SET seq = seq + 1, result = '{\"erased\": true}'")
        return written

    drop = Archives.drop

    async def noted(self: Archives, workspace_id: UUID, archive: Archive) -> None:
        dropped.append(archive)
        await drop(self, workspace_id, archive)

    monkeypatch.setattr(Archives, "write", meanwhile)
    monkeypatch.setattr(Archives, "drop", noted)
    assert (await later(product, 30))["executions"] == 1
    (entry,) = await entries(product, "executions")
    assert (entry["id"], entry["result"], len(dropped)) == (run["id"], {"erased": True}, 1)
    with pytest.raises(CommandError, match="the store has no"):
        await product.services.retention.archives.read(product.workspace_id, dropped[0])


async def test_a_hold_that_comes_while_it_is_written_keeps_it(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await product.run(QUICK)
    await archived(product, executions="1d")
    write = Archives.write

    async def meanwhile(self: Archives, workspace_id: UUID, kind: str, places: Any) -> WrittenArchive | None:
        written = await write(self, workspace_id, kind, places)
        await hold(product, "execution", run["id"])
        return written

    monkeypatch.setattr(Archives, "write", meanwhile)
    assert await later(product, 30) == {}
    assert await ids(product) == {run["id"]}
    assert await entries(product) == []


async def test_a_file_that_was_altered_is_not_read(product: Product) -> None:
    await product.run(QUICK)
    await archived(product, executions="1d")
    await later(product, 30)
    archives = product.services.retention.archives
    (archive,) = await archives.listed(product.workspace_id)
    await archives._files.put(archive.path(product.workspace_id), io.BytesIO(b"something else"))
    with pytest.raises(CommandError, match="another than was written"):
        await archives.read(product.workspace_id, archive)


async def test_erasing_a_person_reaches_the_archives(product: Product, record: str) -> None:
    other = await product.run(QUICK)
    await archived(product, executions="1d", events="7d")
    await later(product, 30)
    assert {one["record_id"] for one in await entries(product, "executions")} == {None, record}
    erased = await product.api.delete(f"/tables/customers/records/{record}?erase=true")
    assert erased.json()["archives"] >= 1
    jobs = await sql(product, "SELECT id, payload FROM pgqueuer WHERE entrypoint = 'archive.erase'")
    assert len(jobs) == 1
    for _ in range(2):  # it may run again after a crash
        await product.services.retention.archives.erase(JobRunning(jobs[0]["id"], json.loads(jobs[0]["payload"])))
    left = await entries(product)
    assert [one["id"] for one in left if "steps" in one] == [other["id"]]
    assert record not in json.dumps(left)


async def test_several_who_are_erased_at_once_are_all_gone_from_one_file(product: Product, record: str) -> None:
    """Each job writes the file anew without its person."""
    definition = (await product.push(OF_RECORD)).json()["id"]
    others = []
    for at in range(4):
        person = await product.api.post("/tables/customers/records", json={"name": f"person {at}"})
        others.append(person.json()["id"])
        body = {"workflowDefinitionId": definition, "recordId": others[-1]}
        assert (await product.api.post("/workflows/run", json=body)).is_success
    await archived(product, executions="1d", events="7d")
    await later(product, 30)
    for one in [record, *others]:
        assert (await product.api.delete(f"/tables/customers/records/{one}?erase=true")).is_success
    jobs = await sql(product, "SELECT id, payload FROM pgqueuer WHERE entrypoint = 'archive.erase'")
    erase = product.services.retention.archives.erase
    await asyncio.gather(*(erase(JobRunning(job["id"], json.loads(job["payload"]))) for job in jobs))
    left = json.dumps(await entries(product))
    assert [one for one in [record, *others] if one in left] == []


async def test_a_file_is_read_without_a_database(product: Product, tmp_path: Path) -> None:
    run = await product.run(QUICK)
    await archived(product, executions="1d")
    await later(product, 30)
    archives = product.services.retention.archives
    (archive,) = await archives.listed(product.workspace_id)
    path = archive.path(product.workspace_id)
    copied = tmp_path / "copied.jsonl.gz"
    for source, target in ((path, copied), (manifest_path(path), tmp_path / "copied.json")):
        target.write_bytes(b"".join([part async for part in await archives._files.read(source)]))
    shown = CliRunner().invoke(archive_commands, ["open", str(copied)])
    assert (shown.exit_code, json.loads(shown.output)["id"]) == (0, run["id"])
    copied.write_bytes(b"altered")
    assert isinstance(CliRunner().invoke(archive_commands, ["open", str(copied)]).exception, CommandError)
