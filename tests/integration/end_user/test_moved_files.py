"""What was sent at a step is kept when a move to another revision gives the step another name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from passerelle.kit.ids import new_id
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.workflows.migrations.repository import JOB
from passerelle.workflows.service import StartRequest
from tests.integration.end_user.guests import chunks
from tests.integration.end_user.test_uploads import PDF
from tests.integration.secrets.product import Product, joined, opened

STEPS = """
name: visit
record: {{table: people}}
steps:
  - id: {papers}
    upload: {{title: Papers, accept: [application/pdf], max: 2}}
  - id: end
    consent: {{title: End, text: Agree, version: "1"}}
"""


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        yield product


async def moved(product: Product, definition_id: str) -> None:
    """Move its executions to revision 2, doing what a worker would."""
    body = {"from": 1, "to": 2, "mapping": {"papers": "documents"}}
    asking = asyncio.create_task(product.api.post(f"/definitions/{definition_id}/migrations", json=body))
    database, moves = product.services.shared.database, product.services.moves
    while not asking.done():
        async with database.workspace(product.workspace_id) as connection:
            jobs = await connection.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING id, payload", JOB)
        for job in jobs:
            await moves.run(JobRunning(job["id"], loads(job["payload"])))
        await asyncio.wait({asking}, timeout=0.02)
    assert asking.result().json()["moved"] == 1, asking.result().text


async def test_a_file_that_was_submitted_stays_with_the_record(product: Product) -> None:
    api, services, workspace_id = product.api, product.services, product.workspace_id
    fields = [{"name": "name", "type": "text"}]
    assert (await api.post("/tables", json={"name": "people", "fields": fields})).is_success
    record = (await api.post("/tables/people/records", json={"name": "Anna"})).json()["id"]
    definition = (await product.push(STEPS.format(papers="papers"))).json()["id"]
    wanted = StartRequest(new_id(), UUID(definition), record_id=UUID(record))
    execution = (await services.executions.start(workspace_id, wanted)).id
    sent = await services.end_users.add_file(workspace_id, execution, "papers", 1, "a.pdf", chunks(PDF))
    await services.end_users.submit(workspace_id, execution, "papers", 1, {})
    assert (await product.push(STEPS.format(papers="documents"))).is_success
    await moved(product, definition)
    screen = await services.end_users.submit(workspace_id, execution, "end", 1, {"accepted": True})
    assert screen.status == "COMPLETED"

    await services.end_users.forget_old()
    attached = (await api.get(f"/tables/people/records/{record}/attachments")).json()["data"]
    assert [one["id"] for one in attached] == [str(sent["resourceId"])]
    assert (await api.get(f"/resources/{sent['resourceId']}")).is_success
