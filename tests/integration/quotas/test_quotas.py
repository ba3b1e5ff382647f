"""What a workspace may have and do ends where it was said; others do not feel it, and whoever is refused learns why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from typer.testing import CliRunner, Result

from passerelle.app.services import Services
from passerelle.cli.workspaces import app
from passerelle.kit.secrets import generate_key
from passerelle.quotas.models import OwnTerms, WorkspaceTurns
from tests.integration.secrets.product import Product, joined, opened

WAITING = "name: waiting\nsteps:\n- {id: pause, wait: {for: 1h}}\n"
CALLING = "name: calling\nsteps:\n- {id: child, workflow: {definition: waiting}}\n"


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template, quota_executions=3) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining


async def say(product: Product, quotas: Mapping[str, int | None]) -> None:
    assert await product.services.shared.quotas.change(product.workspace_id, OwnTerms(quotas, WorkspaceTurns()))


async def pushed(api: httpx.AsyncClient, text: str) -> str:
    answer = await api.post("/definitions", content=text.encode(), headers={"Content-Type": "application/yaml"})
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


async def start(api: httpx.AsyncClient, definition: str) -> httpx.Response:
    return await api.post("/workflows", json={"workflowDefinitionId": definition})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


async def test_executions_that_have_not_ended_are_as_many_as_the_setting_says(product: Product) -> None:
    mine, theirs = await pushed(product.api, WAITING), await pushed(product.stranger, WAITING)
    made = [(await start(product.api, mine)).json()["id"] for _ in range(3)]
    refused = await start(product.api, mine)
    assert refusal(refused) == (429, "EXECUTIONS_QUOTA_REACHED")
    assert int(refused.headers["Retry-After"]) > 0
    assert (await start(product.stranger, theirs)).status_code == 200
    await product.api.post(f"/workflows/{made[0]}/cancel")
    product.services.shared.quotas._used["executions"].forget_all()
    assert (await start(product.api, mine)).status_code == 200


async def test_a_refusal_is_told_only_after_counting_anew(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.quotas.service.COUNTED_AGAIN", 0.0)
    definition = await pushed(product.api, WAITING)
    made = [(await start(product.api, definition)).json()["id"] for _ in range(3)]
    await product.api.post(f"/workflows/{made[0]}/cancel")
    assert (await start(product.api, definition)).status_code == 200


async def test_a_step_that_starts_one_more_fails_with_the_same_code(product: Product) -> None:
    await say(product, {"executions": 1})
    await pushed(product.api, WAITING)
    execution = (await product.run(CALLING))["id"]
    failed = (await product.api.get(f"/workflows/{execution}")).json()
    assert failed["error"]["code"] == "EXECUTIONS_QUOTA_REACHED"


async def test_records_and_files_end_where_it_was_said_of_the_workspace(product: Product) -> None:
    await say(product, {"records": 2, "storage": 10})
    fields = [{"name": "name", "type": "text"}]
    for client in (product.api, product.stranger):
        assert (await client.post("/tables", json={"name": "people", "fields": fields})).status_code == 201
    report = await product.api.post(
        "/tables/people/import", content=b"name\nAda\nBo\nCy\nDi\n", headers={"Content-Type": "text/csv"}
    )
    assert (report.json()["created"], report.json()["failed"]) == (2, 2)
    assert {problem["code"] for problem in report.json()["errors"]} == {"RECORDS_QUOTA_REACHED"}
    one_more = await product.api.post("/tables/people/records", json={"name": "Ed"})
    assert refusal(one_more) == (409, "RECORDS_QUOTA_REACHED")
    assert (await product.stranger.post("/tables/people/records", json={"name": "Ed"})).status_code == 201
    kept = await product.api.post("/resources", files={"file": ("a.txt", b"12345678")})
    assert kept.is_success, kept.text
    refused = await product.api.post("/resources", files={"file": ("b.txt", b"123")})
    assert refusal(refused) == (409, "STORAGE_QUOTA_REACHED")


async def test_requests_of_a_minute_end_and_every_answer_says_how_many_there_may_be(product: Product) -> None:
    await say(product, {"requests": 5})
    answers = [await product.api.get("/workflows") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=5;w=60'
    assert answers[0].headers["RateLimit"].startswith('"requests";r=4;t=')
    assert refusal(answers[5]) == (429, "REQUESTS_QUOTA_REACHED")
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 61
    assert (await product.api.get("/health/live")).status_code == 200
    assert "RateLimit" not in (await product.stranger.get("/workflows")).headers


async def test_what_is_used_and_what_there_may_be_is_told_to_the_workspace_and_counted_in_the_metrics(
    product: Product,
) -> None:
    await say(product, {"executions": None, "records": 7})
    definition = await pushed(product.api, WAITING)
    await start(product.api, definition)
    told = (await product.api.get("/quotas")).json()
    assert told["executions"] == {"used": 1, "most": None}
    assert told["records"] == {"used": 0, "most": 7}
    metrics = (await product.services.metrics.text()).decode()
    assert 'passerelle_quota_refusals_total{quota="requests"}' in metrics
    assert 'passerelle_quota_nearly_full_workspaces{quota="executions"}' in metrics
    assert str(product.workspace_id) not in metrics


async def test_the_command_says_it_shows_it_and_refuses_what_is_no_number(product: Product) -> None:
    environment = {"PASSERELLE_DATABASE_URL": product.database_url, "PASSERELLE_SECRET_KEY": generate_key()}

    async def command(*options: str) -> Result:
        words = ["quota", str(product.workspace_id), *options]
        return await asyncio.to_thread(lambda: CliRunner(env=environment).invoke(app, words))

    said = await command("--storage", "2GB", "--records", "unlimited", "--weight", "2", "--jobs", "8")
    rows = [line.split() for line in said.stdout.splitlines()]
    assert ["storage", "0", "2,147,483,648", "own"] in rows
    assert ["records", "0", "unlimited", "own"] in rows
    assert ["jobs", "8", "own"] in rows
    assert (await product.api.get("/quotas")).json()["storage"]["most"] == 2 * 1024**3
    shown = (await command("--storage", "default", "--jobs", "default")).stdout
    assert [line.split() for line in shown.splitlines()][3] == ["storage", "0", "unlimited", "default"]
    refused = await command("--executions", "many")
    assert "--executions: must be a whole number" in str(refused.exception)
