"""`/token`, `/link`, `/link/send` and what `POST /workflows` gives, over HTTP and through a running worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passerelle.app.services import Services
from passerelle.app.work import worker_of
from passerelle.dev.mailcatcher.catcher import MailCatcher
from passerelle.kit.ids import new_id
from passerelle.links.models import LinkState
from tests.integration.secrets.product import BASE_URL, Product, joined, opened

V1 = {"Accept": "application/json;version=1"}
V2 = {"Accept": "application/json;version=2"}

FORM = """
name: sign-up
title: {en: Sign up, pl: Rejestracja}
parameters: {userId: {type: string, required: true}}
steps:
  - id: company
    form:
      title: {en: Your company, pl: Twoja firma}
      schema: {type: object, properties: {name: {type: string, title: {en: Name, pl: Nazwa}}}}
"""
BACKGROUND = "name: nobody\nsteps: [{id: a, set: {b: 1}}]\n"
ADDRESS = "anna@example.com"


@pytest.fixture(scope="module")
async def running(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Services, str, MailCatcher]]:
    catcher = MailCatcher(tmp_path_factory.mktemp("mail"))
    async with (
        catcher.listening() as port,
        opened(server_url, template, smtp_url=f"smtp://127.0.0.1:{port}", public_url=BASE_URL) as parts,
    ):
        yield *parts, catcher


@pytest.fixture
async def product(running: tuple[Services, str, MailCatcher], private_key: RSAPrivateKey) -> AsyncIterator[Product]:
    services = running[0]
    async with joined(*running[:2]) as product:
        async with services.shared.database.transaction(product.workspace_id) as connection:
            await services.accounts.signing_keys.create(connection, product.workspace_id, private_key)
        yield product


@pytest.fixture
async def wanted(product: Product) -> dict[str, Any]:
    """A body that is good for each of the endpoints but `/link/send`."""
    pushed = await product.push(FORM)
    assert pushed.status_code == 201, pushed.text
    return {"workflowDefinitionId": pushed.json()["id"], "parameters": {"userId": "u-1"}}


async def posted(product: Product, path: str, body: Any, **headers: str) -> httpx.Response:
    return await product.api.post(path, json=body, headers={**V2, **headers})


def refused(answer: httpx.Response, status: int) -> list[tuple[str, str | None]]:
    """Codes and pointers of a refusal."""
    assert answer.status_code == status, answer.text
    return [(error["code"], error.get("pointer")) for error in answer.json()["errors"]]


def state_of(product: Product, link: str) -> Any:
    return product.services.links.links.look(link.rpartition("/")[2])


async def events(product: Product, kinds: str, wait: int = 0) -> list[dict[str, Any]]:
    query: dict[str, str | int] = {"types": kinds, "since": "2020-01-01T00:00:00Z", "wait": wait}
    found: list[dict[str, Any]] = (await product.api.get("/events", params=query, timeout=30)).json()["data"]
    return found


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    worker = worker_of(services)
    task = asyncio.create_task(worker.run())
    yield
    await worker.stop()
    await asyncio.wait_for(task, 20)


async def test_a_link_starts_an_execution_and_leads_to_it(product: Product, wanted: dict[str, Any]) -> None:
    answer = await posted(product, "/link", {**wanted, "lang": "pl"})
    made = answer.json()
    assert (answer.status_code, set(made)) == (201, {"link", "linkId", "workflowId", "expiresAt"})
    assert answer.headers["content-type"] == "application/json;version=2"
    assert made["link"].startswith(f"{BASE_URL}/l/")
    workflow = (await product.api.get(f"/workflows/{made['workflowId']}")).json()
    assert (workflow["status"], workflow["locale"], workflow["expiresAt"]) == ("RUNNING", "pl", made["expiresAt"])
    assert workflow["parameters"] == {"userId": "u-1"}
    view = await state_of(product, made["link"])
    assert (view.state, view.title) == (LinkState.FRESH, {"en": "Sign up", "pl": "Rejestracja"})


async def test_a_token_starts_an_execution_and_opens_it_once(product: Product, wanted: dict[str, Any]) -> None:
    answer = await posted(product, "/token", wanted)
    made = answer.json()
    assert answer.status_code == 201
    assert made.pop("token").count(".") == 2
    assert made == {"expiryDuration": 3600, "tokenType": "Bearer", "workflowId": made["workflowId"]}
    session = await product.services.links.links.open_token(answer.json()["token"])
    assert str(session.execution_id) == made["workflowId"]


async def test_an_interactive_workflow_comes_with_link_and_token_and_a_background_one_without(
    product: Product, wanted: dict[str, Any]
) -> None:
    started = (await posted(product, "/workflows", wanted)).json()
    assert started["executionType"] == "INTERACTIVE"
    view = await state_of(product, started["link"])
    assert str(view.execution_id) == started["id"]
    session = await product.services.links.links.open_token(started["token"])
    assert str(session.execution_id) == started["id"]
    again = (await product.api.get(f"/workflows/{started['id']}")).json()
    assert not {"link", "token"} & set(again), "shown this once"
    background = (await product.push(BACKGROUND)).json()["id"]
    plain = (await posted(product, "/workflows", {"workflowDefinitionId": background})).json()
    assert not {"link", "token"} & set(plain)


async def test_a_sent_link_arrives_by_the_worker_and_is_told(
    product: Product, wanted: dict[str, Any], running: tuple[Services, str, MailCatcher]
) -> None:
    services, _, catcher = running
    answer = await posted(product, "/link/send", {**wanted, "email": f" {ADDRESS}"})
    assert answer.status_code == 201, answer.text
    async with working(services):
        told = await events(product, "email.*,link.sent", wait=20)
    assert [event["type"] for event in told] == ["link.sent", "email.sent"]
    message = catcher.messages[0]
    assert answer.json()["link"] in (message.text or "")
    assert message.header("To") == ADDRESS


async def test_the_same_key_gets_the_same_link_and_one_message(product: Product, wanted: dict[str, Any]) -> None:
    body = {**wanted, "email": ADDRESS}
    first, again = [await posted(product, "/link/send", body, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    assert len(await events(product, "link.created")) == 1
    other = await posted(product, "/link/send", {**body, "email": "b@example.com"}, **{"Idempotency-Key": "k"})
    assert refused(other, 409) == [("IDEMPOTENCY_KEY_REUSED", None)]


async def test_an_answer_that_was_lost_in_a_crash_is_given_again(product: Product, wanted: dict[str, Any]) -> None:
    """The process died after the effect and before the answer was stored: one link, one message, the same address."""
    body = {**wanted, "email": ADDRESS}
    first = (await posted(product, "/link/send", body, **{"Idempotency-Key": "lost"})).json()
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        await connection.execute("UPDATE idempotency_key SET status = NULL, body = NULL, locked_until = now()")
    again = await posted(product, "/link/send", body, **{"Idempotency-Key": "lost"})
    assert again.json() == first
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM link_email") == 1
        assert await connection.fetchval("SELECT count(*) FROM execution") == 1


async def test_a_new_link_for_the_same_record_makes_the_one_before_invalid(
    product: Product, wanted: dict[str, Any]
) -> None:
    body = {**wanted, "recordId": str(new_id())}
    first, second = [(await posted(product, "/link", body)).json() for _ in range(2)]
    assert (await state_of(product, first["link"])).state is LinkState.SUPERSEDED
    started = (await posted(product, "/workflows", body)).json()
    assert (await state_of(product, second["link"])).state is LinkState.SUPERSEDED
    assert (await state_of(product, started["link"])).state is LinkState.FRESH
    (one, other) = await events(product, "link.superseded")
    assert (one["data"]["linkId"], other["data"]["linkId"]) == (first["linkId"], second["linkId"])
    assert one["data"]["recordId"] == body["recordId"]


async def test_a_new_link_ends_those_of_records_that_were_merged_into_its_own(
    product: Product, wanted: dict[str, Any]
) -> None:
    await product.api.post("/tables", json={"name": "people", "fields": [{"name": "name", "type": "text"}]})
    records = "/tables/people/records"
    one, other = [(await product.api.post(records, json={"name": "x"})).json()["id"] for _ in range(2)]
    first = (await posted(product, "/link", {**wanted, "recordId": other})).json()
    assert (await product.api.post(f"{records}/{one}/merge", json={"from": other})).is_success
    second = (await posted(product, "/link", {**wanted, "recordId": one})).json()
    assert (await state_of(product, first["link"])).state is LinkState.SUPERSEDED
    assert (await state_of(product, second["link"])).state is LinkState.FRESH


async def test_cancelling_the_execution_shows_at_its_link(product: Product, wanted: dict[str, Any]) -> None:
    made = (await posted(product, "/link", wanted)).json()
    await product.api.post(f"/workflows/{made['workflowId']}/cancel")
    assert (await state_of(product, made["link"])).state is LinkState.CANCELLED


async def test_deleting_a_link(product: Product, wanted: dict[str, Any]) -> None:
    made = (await posted(product, "/link", wanted)).json()
    foreign = await product.stranger.delete(f"/link/{made['linkId']}")
    assert refused(foreign, 404) == [("LINK_NOT_FOUND", None)]
    assert (await product.api.delete(f"/link/{made['linkId']}")).status_code == 204
    assert (await state_of(product, made["link"])).state is LinkState.DELETED
    assert (await product.api.delete(f"/link/{made['linkId']}")).status_code == 204
    assert refused(await product.api.delete(f"/link/{new_id()}"), 404) == [("LINK_NOT_FOUND", None)]
    assert refused(await product.api.delete("/link/x"), 404) == [("NOT_FOUND", None)]


# Bad input.


@pytest.mark.parametrize("path", ["/token", "/link", "/link/send", "/workflows"])
async def test_everything_that_is_wrong_is_said_at_once(product: Product, wanted: dict[str, Any], path: str) -> None:
    body = {"caseId": str(new_id()), "workflowDefinitionId": "x", "recordId": 1, "extra": 1}
    found = refused(await posted(product, path, body), 400)
    assert {
        ("CASE_ID_REMOVED", "/caseId"),
        ("FIELD_INVALID", "/workflowDefinitionId"),
        ("FIELD_UNKNOWN", "/extra"),
    } <= set(found)
    assert ("EMAIL_REQUIRED", "/email") in found or path != "/link/send"
    missing = await posted(product, path, {**wanted, "parameters": {}, "email": ADDRESS} if path == "/link/send" else {
        **wanted, "parameters": {}
    })  # fmt: skip
    assert refused(missing, 400) == [("PARAMETER_REQUIRED", "/parameters/userId")]


@pytest.mark.parametrize("path", ["/token", "/link", "/link/send"])
async def test_a_definition_that_is_not_there_or_needs_no_user(product: Product, path: str) -> None:
    unknown = await posted(product, path, {"workflowDefinitionId": str(new_id()), "email": ADDRESS} if path != "/token"
                           else {"workflowDefinitionId": str(new_id())})  # fmt: skip
    assert refused(unknown, 404) == [("WORKFLOW_DEFINITION_NOT_FOUND", "/workflowDefinitionId")]
    background = (await product.push(BACKGROUND)).json()["id"]
    body = {"workflowDefinitionId": background} | ({} if path == "/token" else {"email": ADDRESS})
    assert refused(await posted(product, path, body), 409) == [("WORKFLOW_NEEDS_NO_USER", "/workflowDefinitionId")]


@pytest.mark.parametrize(
    "email",
    ["", "anna", "anna@", "@example.com", "a b@example.com", "anna@example.com,bob@example.com", "a@b\r\nBcc: c@d.pl"],
)
async def test_a_malformed_address_is_refused_and_not_repeated(
    product: Product, wanted: dict[str, Any], email: str
) -> None:
    for path in ("/link", "/link/send"):
        answer = await posted(product, path, {**wanted, "email": email})
        assert refused(answer, 400) == [("EMAIL_INVALID", "/email")]
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM execution") == 0


async def test_an_address_of_another_type_or_size(product: Product, wanted: dict[str, Any]) -> None:
    assert refused(await posted(product, "/link/send", {**wanted, "email": 1}), 400) == [("FIELD_TYPE", "/email")]
    assert refused(await posted(product, "/link/send", {**wanted, "email": None}), 400) == [
        ("EMAIL_REQUIRED", "/email")
    ]
    long = f"{'a' * 400}@example.com"
    assert refused(await posted(product, "/link/send", {**wanted, "email": long}), 400) == [("FIELD_INVALID", "/email")]


@pytest.mark.parametrize("lang", ["", "p", "polish language", "pl_", "../en", "pl\n", "x" * 40])
async def test_a_malformed_language_is_refused(product: Product, wanted: dict[str, Any], lang: str) -> None:
    assert refused(await posted(product, "/link", {**wanted, "lang": lang}), 400) == [("FIELD_INVALID", "/lang")]


async def test_a_language_without_texts_is_no_obstacle(product: Product, wanted: dict[str, Any]) -> None:
    made = await posted(product, "/link", {**wanted, "lang": "mi-NZ"})
    assert (await state_of(product, made.json()["link"])).locale == "mi-NZ"


@pytest.mark.parametrize("path", ["/token", "/link", "/link/send"])
async def test_version_one_knows_cases_only(product: Product, wanted: dict[str, Any], path: str) -> None:
    definition = wanted["workflowDefinitionId"]
    unknown = await product.api.post(
        path, json={"caseId": str(new_id()), "workflowDefinitionId": definition}, headers=V1
    )
    assert refused(unknown, 404) == [("CASE_NOT_FOUND", "/caseId")]
    assert unknown.headers["deprecation"].startswith("@")
    assert f'<{path}>; rel="successor-version"' in unknown.headers["link"]
    newcomer = await product.api.post(
        path, json={"recordId": str(new_id()), "workflowDefinitionId": definition}, headers=V1
    )
    assert set(refused(newcomer, 400)) == {("CASE_ID_REQUIRED", "/caseId"), ("RECORD_ID_NEEDS_VERSION_2", "/recordId")}
    third = await product.api.post(path, json=wanted, headers={"Accept": "application/json;version=3"})
    assert refused(third, 406) == [("UNSUPPORTED_VERSION", None)]


async def test_without_credentials_there_are_no_links(product: Product, wanted: dict[str, Any]) -> None:
    for path in ("/token", "/link", "/link/send"):
        answer = await product.api.post(path, json=wanted, headers={**V2, "Authorization": ""})
        assert answer.status_code == 401
        foreign = await product.stranger.post(path, json={**wanted, **({} if path == "/token" else {"email": ADDRESS})})
        assert refused(foreign, 404) == [("WORKFLOW_DEFINITION_NOT_FOUND", "/workflowDefinitionId")]


async def test_stored_parameters_are_taken_by_their_id(product: Product, wanted: dict[str, Any]) -> None:
    kept = (await product.api.post("/parameters", json={"parameters": {"userId": "kept"}})).json()["parametersId"]
    body = {"workflowDefinitionId": wanted["workflowDefinitionId"], "parametersId": kept}
    made = (await posted(product, "/token", body)).json()
    workflow = (await product.api.get(f"/workflows/{made['workflowId']}")).json()
    assert workflow["parameters"] == {"userId": "kept"}
    unknown = await posted(product, "/token", {**body, "parametersId": str(new_id())})
    assert refused(unknown, 404) == [("PARAMETERS_NOT_FOUND", "/parametersId")]


async def test_no_secret_and_no_address_gets_into_the_log(
    product: Product, wanted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = (await posted(product, "/link/send", {**wanted, "email": ADDRESS})).json()
    secret = made["link"].rpartition("/")[2]
    await product.api.get(f"/l/{secret}")
    await product.api.post(f"/l/{secret}/nothing-is-here")
    out = capsys.readouterr()
    shown = out.out + out.err
    assert "/link/send" in shown
    assert secret not in shown
    assert ADDRESS not in shown
