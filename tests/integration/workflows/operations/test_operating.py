"""Many executions are retried and cancelled by a job, which can die, be stopped, and be asked what came of each."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from passerelle.app.services import Services
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.workflows.operations import service
from passerelle.workflows.operations.repository import JOB
from passerelle.workflows.operations.service import KEPT
from tests.integration.secrets.product import Product, joined, opened

WAITS = "name: {name}\nsteps:\n  - id: paid\n    event: {{name: paid}}\n"
FAILS = "name: {name}\nsteps:\n  - id: wrong\n    fail: {{code: WRONG, message: no}}\n"


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Product]:
    monkeypatch.setattr(running[0].execution_operations, "_run_wait", timedelta(0))
    async with joined(*running) as joining:
        yield joining


async def begun(product: Product, text: str, name: str, count: int) -> tuple[str, list[str]]:
    """A definition, and executions of it, the oldest first."""
    pushed = (await product.push(text.format(name=name))).json()["id"]
    body = {"workflowDefinitionId": pushed}
    return pushed, [(await product.api.post("/workflows/run", json=body)).json()["id"] for _ in range(count)]


async def asked(client: httpx.AsyncClient, body: dict[str, Any], **filters: str) -> dict[str, Any]:
    answer = await client.post("/workflows/operations", json=body, params=filters)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def worked(product: Product, client: httpx.AsyncClient, operation: dict[str, Any]) -> dict[str, Any]:
    """The operation once its job was done."""
    await product.services.execution_operations.run(await job_of(product, operation))
    return await seen(client, operation)


async def job_of(product: Product, operation: dict[str, Any]) -> JobRunning:
    connection = await asyncpg.connect(product.database_url)
    rows = await connection.fetch("SELECT id, payload FROM pgqueuer WHERE entrypoint = $1", JOB)
    await connection.close()
    [found] = [row for row in rows if loads(row["payload"])["operationId"] == operation["id"]]
    return JobRunning(found["id"], loads(found["payload"]))


async def seen(client: httpx.AsyncClient, operation: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get(f"/workflows/operations/{operation['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def report(client: httpx.AsyncClient, operation: dict[str, Any]) -> list[dict[str, str]]:
    answer = await client.get(f"/workflows/operations/{operation['id']}/report")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def statuses(product: Product, ids: list[str]) -> set[str]:
    return {(await product.api.get(f"/workflows/{one}")).json()["status"] for one in ids}


async def test_more_than_one_portion_is_tried_then_done_and_reported(product: Product) -> None:
    count = service.AT_ONCE + 5
    definition, ids = await begun(product, WAITS, "waits", count)
    mine = {"workflowDefinitionId": definition, "status": "AWAITING"}
    tried = await asked(product.api, {"action": "cancel", "dryRun": True}, **mine)
    assert (tried["status"], tried["total"], tried["totalExact"], tried["lookedAt"]) == ("RUNNING", count, True, 0)
    tried = await worked(product, product.api, tried)
    assert (tried["status"], tried["lookedAt"]) == ("DONE", count)
    assert [(one["outcome"], one["executions"]) for one in tried["outcomes"]] == [("possible", count)]
    assert await statuses(product, ids) == {"AWAITING"}
    done = await worked(product, product.api, await asked(product.api, {"action": "cancel", "reason": "over"}, **mine))
    assert [(one["outcome"], one["executions"]) for one in done["outcomes"]] == [("done", count)]
    assert await statuses(product, ids) == {"CANCELLED"}
    assert [row["execution"] for row in await report(product.api, done)] == ids[::-1]
    again = await worked(product, product.api, await asked(product.api, {"action": "cancel", "workflowIds": ids[:2]}))
    assert [(one["outcome"], one["code"], one["executions"]) for one in again["outcomes"]] == [
        ("refused", "WORKFLOW_ENDED", 2)
    ]


async def test_what_begins_after_it_was_asked_for_is_left_alone(product: Product) -> None:
    definition, _ = await begun(product, WAITS, "later", 1)
    operation = await asked(product.api, {"action": "cancel"}, workflowDefinitionId=definition)
    later = (await product.api.post("/workflows/run", json={"workflowDefinitionId": definition})).json()["id"]
    assert (await worked(product, product.api, operation))["lookedAt"] == 1
    assert await statuses(product, [later]) == {"AWAITING"}


async def test_a_process_that_dies_in_the_middle_is_followed_by_another(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition, ids = await begun(product, FAILS, "fails", 4)
    operation = await asked(product.api, {"action": "retry"}, workflowDefinitionId=definition)
    job, executions = await job_of(product, operation), product.services.executions
    retry = executions.retry
    retried: list[UUID] = []

    async def twice(workspace_id: UUID, execution_id: UUID, *more: Any) -> Any:
        if len(retried) == 2:
            raise ConnectionError("the process dies here")
        retried.append(execution_id)
        return await retry(workspace_id, execution_id, *more)

    monkeypatch.setattr(executions, "retry", twice)
    with pytest.raises(ConnectionError):
        await product.services.execution_operations.run(job)
    assert (await seen(product.api, operation))["lookedAt"] == 2
    monkeypatch.setattr(executions, "retry", retry)
    done = await worked(product, product.api, operation)
    assert [(one["outcome"], one["step"], one["executions"]) for one in done["outcomes"]] == [("done", "wrong", 4)]
    assert sorted(row["execution"] for row in await report(product.api, done)) == sorted(ids)


async def test_it_is_stopped_before_the_turn_of_the_others(product: Product) -> None:
    definition, ids = await begun(product, WAITS, "stopped", 3)
    operation = await asked(product.api, {"action": "cancel"}, workflowDefinitionId=definition)
    job = await job_of(product, operation)
    path = f"/workflows/operations/{operation['id']}/stop"
    assert (await product.api.post(path)).json()["status"] == "STOPPED"
    await product.services.execution_operations.run(job)
    assert await statuses(product, ids) == {"AWAITING"}
    assert (await product.api.post(path)).json()["errors"][0]["code"] == "OPERATION_OVER"


async def test_it_reaches_what_whoever_asks_may_operate_and_others_do_not_see_it(product: Product) -> None:
    _, own = await begun(product, WAITS, "mine", 1)
    other, others = await begun(product, WAITS, "other", 1)
    grant = {"permissions": ["can_operate_executions", "can_view_executions"], "definition": "mine"}
    key = (await product.api.post("/keys", json={"name": "clerk", "permissions": [], "grants": [grant]})).json()
    signed_in = await product.api.post("/auth/authorize", json={"key": key["key"], "secret": key["secret"]})
    headers = {"Authorization": f"Bearer {signed_in.json()['accessToken']}"}
    async with httpx.AsyncClient(
        transport=product.api._transport, base_url=product.api.base_url, headers=headers
    ) as clerk:
        named = await asked(clerk, {"action": "cancel", "workflowIds": [*own, *others]})
        named = await worked(product, clerk, named)
        assert {(one["outcome"], one["code"]) for one in named["outcomes"]} == {
            ("done", None),
            ("refused", "WORKFLOW_NOT_FOUND"),
        }
        filtered = await asked(clerk, {"action": "cancel", "dryRun": True}, status="AWAITING")
        assert (await worked(product, clerk, filtered))["lookedAt"] == 0
        by_all = await asked(product.api, {"action": "cancel", "dryRun": True}, workflowDefinitionId=other)
        assert (await clerk.get(f"/workflows/operations/{by_all['id']}")).status_code == 404
        listed = (await clerk.get("/workflows/operations")).json()["data"]
        assert {one["id"] for one in listed} == {named["id"], filtered["id"]}
    assert await statuses(product, others) == {"AWAITING"}
    assert (await product.stranger.get(f"/workflows/operations/{named['id']}/report")).status_code == 404


async def test_one_that_would_hit_everything_is_refused_and_old_ones_are_forgotten(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = await product.api.post("/workflows/operations", json={"action": "cancel"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "OPERATION_UNBOUND")
    operation = await asked(product.api, {"action": "cancel", "dryRun": True}, status="FAILED")
    operations = product.services.execution_operations
    await operations.forget_old()
    await seen(product.api, operation)
    clock = operations._clock
    monkeypatch.setattr(operations, "_clock", lambda: clock() + KEPT + timedelta(minutes=1))
    await operations.forget_old()
    assert (await product.api.get(f"/workflows/operations/{operation['id']}")).status_code == 404
