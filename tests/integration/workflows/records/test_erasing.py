"""Erasing a person leaves the skeleton, and their values nowhere: the whole database is searched for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from tests.integration.workflows.records.bound import Bound

NAME = "annakowalskazeta"
TEXT = """
name: onboards
record: {table: customers}
parameters: {who: {type: string}}
steps:
  - {id: a, set: {who: "${parameters.who} ${record.email}"}}
  - {id: b, event: {name: told}}
  - {id: c, record: {update: {owner: "${steps.b.by}x"}}}
"""


async def everywhere(bound: Bound, needle: str) -> list[str]:
    """The tables in which a text stands anywhere. Logged-in as the owner, who sees all workspaces."""
    connection = await asyncpg.connect(bound.product.database_url)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [
            row["tablename"]
            for row in names
            if await connection.fetchval(
                f'SELECT EXISTS (SELECT FROM "{row["tablename"]}" t WHERE t::text ILIKE $1)',
                f"%{needle}%",
            )
        ]
    finally:
        await connection.close()


async def person(bound: Bound) -> tuple[dict[str, Any], dict[str, Any]]:
    """A record of a person with all that can hang at it, and an execution that waits for an event."""
    await bound.table()
    record = await bound.add(number="1", email=f"{NAME}@example.com")
    path = f"/tables/customers/records/{record['id']}"
    await bound.call("PATCH", path, {"owner": NAME})
    await bound.call("POST", f"{path}/comments", {"text": f"{NAME} called"}, 201)
    file = {"file": (f"{NAME}.txt", b"passport", "text/plain")}
    answer = await bound.product.api.post(f"{path}/attachments", files=file)
    assert answer.status_code == 201, answer.text
    kept = {"parameters": {"who": NAME}}
    parameters_id = (await bound.call("POST", "/parameters", kept, 201))["parametersId"]
    body = {"workflowDefinitionId": await bound.push(TEXT), "recordId": record["id"], "parametersId": parameters_id}
    execution = await bound.call("POST", "/workflows/run", body)
    assert execution["status"] == "AWAITING"
    return record, execution


async def test_nothing_of_the_person_is_left_and_the_skeleton_is(bound: Bound) -> None:
    record, execution = await person(bound)
    path = f"/tables/customers/records/{record['id']}"
    await bound.call("POST", f"/workflows/{execution['id']}/events/told", {"by": NAME})
    assert len(await everywhere(bound, NAME)) > 5
    report = await bound.call("DELETE", f"{path}?erase=true")
    # What requests were answered is kept for a day, encrypted: the rows themselves show nothing.
    assert await everywhere(bound, NAME) == []
    assert report == report | {
        "records": 1, "comments": 1, "attachments": 1, "files": 1, "executions": 1, "steps": 3, "receivedEvents": 1,
        "storedParameters": 1,
    }  # fmt: skip
    assert await bound.refused("GET", path, status=404) == [("RECORD_NOT_FOUND", None)]
    assert await bound.refused("POST", f"{path}/restore", status=404) == [("RECORD_NOT_FOUND", None)]
    history = (await bound.call("GET", f"{path}/history"))["data"]
    assert [change["action"] for change in history] == ["erased", "updated", "updated", "created"]
    assert {item["new"] for change in history for item in change["changes"]} == {None}
    timeline = await bound.timeline(execution)
    assert [(step["step"], step["status"], step["output"]) for step in timeline["steps"]] == [
        ("a", "COMPLETED", None),
        ("b", "COMPLETED", None),
        ("c", "COMPLETED", None),
    ]
    await bound.add(number="1")  # the unique value is free again


async def test_it_is_refused_while_an_execution_of_the_record_may_go_on(bound: Bound) -> None:
    record, execution = await person(bound)
    path = f"/tables/customers/records/{record['id']}?erase=true"
    assert await bound.refused("DELETE", path, status=409) == [("RECORD_IN_USE", None)]
    assert (await bound.read(record["id"]))["owner"] == NAME
    await bound.call("POST", f"/workflows/{execution['id']}/cancel", {})
    await bound.call("DELETE", path)
    assert await everywhere(bound, NAME) == []


async def test_again_finds_nothing_to_do_and_a_deleted_record_can_be_erased(bound: Bound) -> None:
    await bound.table()
    record = await bound.add(number="1", owner=NAME)
    await bound.call("DELETE", f"/tables/customers/records/{record['id']}")
    path = f"/tables/customers/records/{record['id']}?erase=true"
    assert (await bound.call("DELETE", path))["records"] == 1
    assert (await bound.call("DELETE", path))["records"] == 0
    assert await everywhere(bound, NAME) == []


async def test_other_executions_that_wrote_to_the_record_lose_only_the_persons_values(bound: Bound) -> None:
    await bound.table()
    text = """
name: batch
parameters: {email: {type: string}}
steps:
  - {id: a, record: {table: customers, create: {number: "1", email: "${parameters.email}"}}}
  - {id: b, record: {table: customers, create: {number: "2", email: "other@example.com"}}}
"""
    execution = await bound.run(text, email=f"{NAME}@example.com")
    record = (await bound.result(execution))["a"]
    await bound.call("DELETE", f"/tables/customers/records/{record['id']}?erase=true")
    result = await bound.result(execution)
    assert (result["a"]["number"], result["a"]["email"]) == ("1", "•••")
    assert result["b"]["email"] == "other@example.com"


async def test_files_that_a_crash_left_are_deleted_by_the_job(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> None:
    record, execution = await person(bound)
    await bound.call("POST", f"/workflows/{execution['id']}/cancel", {})
    erasing = bound.product.services.records.erasing

    async def die(workspace_id: UUID, ids: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "_delete", die)
        with pytest.raises(asyncio.CancelledError):
            await bound.call("DELETE", f"/tables/customers/records/{record['id']}?erase=true")
    assert await everywhere(bound, NAME) == ["resource"]
    connection = await asyncpg.connect(bound.product.database_url)
    payload = await connection.fetchval(
        "SELECT payload FROM pgqueuer WHERE entrypoint = 'record.erase_files' ORDER BY id DESC"
    )
    await connection.close()
    await erasing.delete_files(JobRunning(1, loads(payload)))
    assert await everywhere(bound, NAME) == []


async def test_a_record_that_is_not_there_cannot_be_erased(bound: Bound) -> None:
    await bound.table()
    path = f"/tables/customers/records/{uuid4()}?erase=true"
    assert await bound.refused("DELETE", path, status=404) == [("RECORD_NOT_FOUND", None)]


PAGES = """
name: asks
title: Asks
record: {table: customers}
steps:
  - id: who
    form: {title: Who, schema: {type: object, properties: {name: {type: string, pii: identity}, city: {type: string}}}}
  - id: papers
    upload: {title: Papers, accept: [text/plain]}
  - id: more
    form: {title: More, schema: {type: object, properties: {note: {type: string, pii: identity}}}}
"""


async def test_what_an_end_user_typed_and_sent_goes_too(bound: Bound) -> None:
    """Answers, drafts, files and the address of the link, of an execution that its end user left unfinished."""
    await bound.table()
    record = await bound.add(number="1")
    body = {"workflowDefinitionId": await bound.push(PAGES), "recordId": record["id"], "email": f"{NAME}@example.com"}
    made = await bound.call("POST", "/link/send", body, 201, headers={"Accept": "application/json;version=2"})
    sessions, place = bound.product.services.end_users, (bound.product.workspace_id, UUID(made["workflowId"]))
    await sessions.submit(*place, "who", 1, {"name": NAME, "city": "Łódź"})

    async def content() -> AsyncIterator[bytes]:
        yield f"passport of {NAME}".encode()

    await sessions.add_file(*place, "papers", 1, f"{NAME}.txt", content())
    await sessions.submit(*place, "papers", 1, {})
    await sessions.save(*place, "more", 1, {"note": f"born as {NAME}"})
    timeline = await bound.timeline({"id": made["workflowId"]})
    assert NAME not in str([step for step in timeline["steps"] if step["step"] == "who"]), "masked already"
    assert {"link", "visitor_draft", "step_run", "resource"} <= set(await everywhere(bound, NAME))
    path = f"/tables/customers/records/{record['id']}?erase=true"
    assert await bound.refused("DELETE", path, status=409) == [("RECORD_IN_USE", None)]
    await bound.call("POST", f"/workflows/{made['workflowId']}/cancel")
    report = await bound.call("DELETE", path)
    assert await everywhere(bound, NAME) == []
    assert (report["files"], report["links"], report["executions"]) == (1, 1, 1)
