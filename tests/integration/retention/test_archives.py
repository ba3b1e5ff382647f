"""Archives: what is removed is in the store first, exactly that, readable again, and erased there as well."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from passerelle.app.work import worker_of
from passerelle.cli.archives import app as archive_commands
from passerelle.kit.errors import CommandError
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import JsonObject
from passerelle.resources.errors import FILES_UNAVAILABLE
from passerelle.retention.archives import (
    DELETE_STRAY,
    ERASE_ARCHIVES,
    Archive,
    Archives,
    WrittenArchive,
    manifest_path,
    read_all,
)
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


async def files(product: Product) -> set[str]:
    """The paths of all that is in the store of a workspace's archives, but for manifests."""
    found = product.services.retention.archives._files.listed(f"archive/{product.workspace_id}")
    return {path async for path in found if path.endswith(".gz")}


async def known(product: Product) -> set[str]:
    listed = await product.services.retention.archives.listed(product.workspace_id)
    return {one.path(product.workspace_id) for one in listed}


async def jobs(product: Product, entrypoint: str) -> list[JobRunning]:
    rows = await sql(product, "SELECT id, payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", entrypoint)
    return [JobRunning(row["id"], json.loads(row["payload"])) for row in rows]


async def die_before_it_is_known(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hourly work, in a process that ends when a file is written."""

    async def die(*_: object) -> bool:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(Archives, "note", die)
        with pytest.raises(asyncio.CancelledError):
            await later(product, 30)


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


async def test_a_file_that_a_crash_left_unknown_is_deleted_by_a_job(
    product: Product, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archived(product, executions="1d")
    await die_before_it_is_known(product, monkeypatch)
    (stray,) = await files(product)
    assert await known(product) == set()
    await later(product, 30)
    assert {stray} | await known(product) == await files(product)
    archives = product.services.retention.archives
    assert DELETE_STRAY in worker_of(product.services)._handlers
    (job,) = await jobs(product, DELETE_STRAY)  # that of the file that is known is taken back
    for _ in range(2):  # it may run again after a crash
        await archives.delete_stray(job)
    assert await files(product) == await known(product) != set()
    (archive,) = await archives.listed(product.workspace_id)
    path = archive.path(product.workspace_id)
    of_known = {"workspaceId": str(product.workspace_id), "archive": str(archive.id), "path": path}
    await archives.delete_stray(JobRunning(1, of_known))
    assert await files(product) == {path}


async def test_a_file_that_the_store_refuses_half_way_is_deleted_by_a_job(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    await product.run(QUICK)
    await archived(product, executions="1d")
    archives = product.services.retention.archives
    put = archives._files.put

    async def no_manifest(path: str, file: io.BytesIO) -> None:
        if path.endswith(".json"):
            raise FILES_UNAVAILABLE.error("the store of files does not answer")
        await put(path, file)

    monkeypatch.setattr(archives._files, "put", no_manifest)
    assert "executions" not in await later(product, 30)
    assert len(await files(product)) == 1
    (job,) = await jobs(product, DELETE_STRAY)
    await archives.delete_stray(job)
    assert await files(product) == set()


@pytest.mark.parametrize(
    "became",
    [
        "status = 'picked', execute_after = now() - interval '1 second'",
        "execute_after = now() - interval '1 second'",
        "execute_after = now()",  # a stop has cut it off
        "attempts = 1",  # it has failed, and waits for another try
    ],
)
async def test_a_file_whose_job_may_have_run_is_not_made_known(
    product: Product, monkeypatch: pytest.MonkeyPatch, became: str
) -> None:
    """It may be gone, with what was in it: that is written anew."""
    run = await product.run(QUICK)
    await archived(product, executions="1d")
    write = Archives.write
    late: list[str] = []

    async def slowly(self: Archives, workspace_id: UUID, kind: str, places: Any) -> WrittenArchive | None:
        written = await write(self, workspace_id, kind, places)
        if written is not None and not late:
            late.append(written.archive.path(workspace_id))
            await sql(product, f"UPDATE pgqueuer SET {became} WHERE entrypoint = $1", DELETE_STRAY)
        return written

    monkeypatch.setattr(Archives, "write", slowly)
    assert (await later(product, 30))["executions"] == 1
    assert late != list(await known(product))
    assert [one["id"] for one in await entries(product, "executions")] == [run["id"]]
    assert await files(product) == await known(product)


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


CREATES = """
name: creates
parameters: {name: {type: string}, other: {type: string}}
steps:
  - {id: one, record: {table: customers, create: {name: "${parameters.name}"}}}
  - {id: two, record: {table: customers, create: {name: "${parameters.other}"}}}
"""


async def first_made(product: Product, run: dict[str, Any]) -> str:
    """The record that the first step made."""
    result = (await product.api.get(f"/workflows/{run['id']}/result")).json()["result"]
    return str(result["one"]["id"])


async def test_archived_executions_that_only_wrote_to_a_person_lose_the_persons_values(
    product: Product, record: str
) -> None:
    """As those that are not archived: what they wrote about others stays, and so do other executions."""
    run = await product.run(CREATES, name="Zebulon", other="Ottilie")
    named_alike = await product.run(CREATES, name="Zebulon", other="Zebulon")
    made = await first_made(product, run)
    await archived(product, executions="1d")
    await later(product, 30)
    path = f"/tables/customers/records/{made}?erase=true"
    erased = (await product.api.delete(path)).json()
    assert (erased["archives"], erased["maskedExecutions"], erased["executions"]) == (1, 0, 0)
    await product.api.delete(path)  # once more: this job knows no values any more, and happens to run first
    for job in reversed(await jobs(product, ERASE_ARCHIVES)):
        await product.services.retention.archives.erase(job)
    left = {one["id"]: one for one in await entries(product, "executions")}
    assert (len(left), left[named_alike["id"]]["parameters"]["name"]) == (4, "Zebulon")
    assert left[run["id"]]["parameters"] == {"name": "•••", "other": "Ottilie"}
    assert [step["step"] for step in left[run["id"]]["steps"]] == ["one", "two"]
    assert "Zebulon" not in json.dumps(left[run["id"]])
    assert (await product.api.delete(path)).json()["archives"] == 0


async def test_only_executions_in_which_something_was_masked_are_counted(product: Product, record: str) -> None:
    run = await product.run(CREATES, name="Zebulon", other="Ottilie")
    path = f"/tables/customers/records/{await first_made(product, run)}?erase=true"
    counts = [(await product.api.delete(path)).json() for _ in range(2)]
    assert [(one["maskedExecutions"], one["archives"]) for one in counts] == [(1, 0), (0, 0)]


async def test_a_person_who_is_erased_while_an_archive_is_written_is_not_in_it(
    product: Product, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await first_made(product, await product.run(CREATES, name="Zebulon", other="Ottilie"))
    await archived(product, executions="1d")
    write = Archives.write
    erased: list[int] = []

    async def meanwhile(self: Archives, workspace_id: UUID, kind: str, places: Any) -> WrittenArchive | None:
        written = await write(self, workspace_id, kind, places)
        if not erased:
            answer = await product.api.delete(f"/tables/customers/records/{made}?erase=true")
            erased.append(answer.json()["maskedExecutions"])
        return written

    monkeypatch.setattr(Archives, "write", meanwhile)
    assert (await later(product, 30))["executions"] == 3
    assert erased == [1]
    assert "Zebulon" not in json.dumps(await entries(product, "executions"))
    assert await files(product) == await known(product)


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


async def told(product: Product, wanted: list[UUID] | None = None, kind: str | None = None) -> tuple[set[str], str]:
    """The ids of the entries that are printed, and what is refused."""
    found: list[JsonObject] = []
    try:
        await read_all(product.services.retention.archives, product.workspace_id, wanted, kind, found.extend)
    except CommandError as error:
        return {str(one["id"]) for one in found}, str(error)
    return {str(one["id"]) for one in found}, ""


async def test_a_file_that_is_being_erased_from_is_named_and_the_others_are_read(
    product: Product, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archived(product, executions="1d")
    await later(product, 30)
    other = await product.run(QUICK)
    await later(product, 30)
    assert len((await told(product))[0]) == 3
    await product.api.delete(f"/tables/customers/records/{record}?erase=true")
    (job,) = await jobs(product, ERASE_ARCHIVES)
    archives = product.services.retention.archives

    async def die(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(Archives, "_know", die)
        with pytest.raises(asyncio.CancelledError):
            await archives.erase(job)
    first, _ = await archives.listed(product.workspace_id)
    found, refused = await told(product)
    assert (found, f"the archive {first.id} cannot be read now" in refused) == ({other["id"]}, True)
    await archives.erase(job)
    assert await told(product) == ({other["id"]}, "")


async def test_a_file_that_the_workspace_does_not_have_is_refused(product: Product) -> None:
    run = await product.run(QUICK)
    await archived(product, executions="1d")
    await later(product, 30)
    (archive,) = await product.services.retention.archives.listed(product.workspace_id)
    nowhere = uuid4()
    assert await told(product, [archive.id]) == ({run["id"]}, "")
    found, refused = await told(product, [archive.id, nowhere])
    assert (found, f"no archive {nowhere}" in refused) == (set(), True)
    found, refused = await told(product, [archive.id], "events")
    assert (found, f"no archive of events {archive.id}" in refused) == (set(), True)


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
