"""What operators see of links, and what nobody finds in the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passerelle.app.services import Services
from passerelle.events.catalogue import CATALOGUE
from passerelle.kit.clock import iso
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.links.listing import LinkFilters, LinkList
from passerelle.links.models import LinkState
from tests.integration.links.gatehouse import Gatehouse, code_of, secret_of
from tests.integration.secrets.product import BASE_URL, Product, joined, opened

FORM = """
name: sign-up
title: Sign up
steps:
  - id: company
    form: {title: Company, schema: {type: object, properties: {name: {type: string, title: Name}}}}
"""
ADDRESS = "Anna.Nowak@example.com"


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template, public_url=BASE_URL) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str], private_key: RSAPrivateKey) -> AsyncIterator[Product]:
    services = running[0]
    async with joined(*running) as product:
        async with services.shared.database.transaction(product.workspace_id) as connection:
            await services.accounts.signing_keys.create(connection, product.workspace_id, private_key)
        yield product


@pytest.fixture
async def wanted(product: Product) -> dict[str, Any]:
    pushed = await product.push(FORM)
    return {"workflowDefinitionId": pushed.json()["id"]}


async def made(product: Product, body: dict[str, Any], path: str = "/link") -> dict[str, Any]:
    answer = await product.api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await client.get("/link", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_a_list_says_where_each_link_stands_and_shows_no_secret(product: Product, wanted: dict[str, Any]) -> None:
    record = str(new_id())
    older = await made(product, {**wanted, "recordId": record})
    newer = await made(product, {**wanted, "recordId": record, "email": ADDRESS}, "/link/send")
    found = await listed(product.api)
    assert [one["linkId"] for one in found] == [newer["linkId"], older["linkId"]]
    assert [one["state"] for one in found] == ["FRESH", "SUPERSEDED"]
    assert found[0] == {
        "linkId": newer["linkId"],
        "workflowId": newer["workflowId"],
        "workflowDefinitionId": wanted["workflowDefinitionId"],
        "recordId": record,
        "state": "FRESH",
        "email": "A•••@example.com",
        "createdDate": found[0]["createdDate"],
        "expiresAt": newer["expiresAt"],
        "openedDate": None,
        "activatedDate": None,
        "sending": {"status": "PENDING", "attempts": 0, "error": None},
    }
    text = json.dumps(found)
    for link in (older, newer):
        assert secret_in(link) not in text
    assert found[1]["sending"] is None
    one = await product.api.get(f"/link/{newer['linkId']}")
    assert one.json() == found[0]


async def test_a_list_is_narrowed_and_comes_in_pages(product: Product, wanted: dict[str, Any]) -> None:
    links = [await made(product, {**wanted, "recordId": str(new_id())}) for _ in range(3)]
    of_record = await listed(product.api, recordId=str((await listed(product.api))[1]["recordId"]))
    assert [one["linkId"] for one in of_record] == [links[1]["linkId"]]
    of_execution = await listed(product.api, workflowId=links[0]["workflowId"])
    assert [one["linkId"] for one in of_execution] == [links[0]["linkId"]]
    assert len(await listed(product.api, workflowDefinitionId=wanted["workflowDefinitionId"])) == 3
    assert await listed(product.api, workflowDefinitionId=str(new_id())) == []
    first = (await product.api.get("/link", params={"limit": "2"})).json()
    second = (await product.api.get("/link", params={"limit": "2", "after": first["next"]})).json()
    assert [one["linkId"] for one in first["data"] + second["data"]] == [one["linkId"] for one in reversed(links)]
    assert second["next"] is None


async def test_nobody_sees_links_of_another_workspace(product: Product, wanted: dict[str, Any]) -> None:
    link = await made(product, wanted)
    assert await listed(product.stranger) == []
    for answer in (await product.stranger.get(f"/link/{link['linkId']}"), await product.api.get(f"/link/{new_id()}")):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "LINK_NOT_FOUND")
    page = (await product.api.get("/link", params={"limit": "501"})).json()
    assert page["errors"][0]["code"] == "LIMIT_INVALID"
    foreign = await product.api.get("/link", params={"after": "x"})
    assert (foreign.status_code, foreign.json()["errors"][0]["code"]) == (400, "CURSOR_INVALID")


def secret_in(link: dict[str, Any]) -> str:
    return str(link["link"]).rpartition("/")[2]


async def test_what_opens_something_stands_nowhere_in_the_database(product: Product, wanted: dict[str, Any]) -> None:
    """Every table, read by its owner after everything has happened: the answers that are kept for repeated requests,
    the jobs, the events and the messages too."""
    links = product.services.links.links
    sent = (
        await product.api.post("/link/send", json={**wanted, "email": ADDRESS}, headers={"Idempotency-Key": "one"})
    ).json()
    token = (await product.api.post("/token", json=wanted, headers={"Idempotency-Key": "two"})).json()["token"]
    started = (await product.api.post("/workflows", json=wanted, headers={"Idempotency-Key": "three"})).json()
    secret = secret_in(sent)
    challenge = await links.challenge(secret)
    session = await links.activate(secret, challenge)
    await links.send_code(secret)
    in_widget = await links.open_token(token)
    code = await code_now(product, sent["linkId"])
    hidden = [secret, secret_in(started), token, token.rpartition(".")[2], started["token"], challenge, code]
    hidden += [f"{code[:4]} {code[4:]}", session.secret, in_widget.secret]
    connection = await asyncpg.connect(product.database_url)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = 0
    for (table,) in tables:
        for (row,) in await connection.fetch(f'SELECT t::text FROM "{table}" t'):
            rows += 1
            assert not [one for one in hidden if one in row or one.encode().hex() in row], f"in the clear in {table}"
    await connection.close()
    assert rows > 20
    assert await links.enter_code(secret, code), "what was looked for is what opens"


async def code_now(product: Product, link_id: str) -> str:
    """The code, as the message will have it."""
    from passerelle.kit.ids import parse_id
    from passerelle.links.credentials import Credentials

    found = parse_id(link_id)
    assert found is not None
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        salt: bytes = await connection.fetchval("SELECT salt FROM link_code WHERE link_id = $1", found)
    return Credentials(product.services.shared.box).code(found, salt)


# Of links with a clock that is moved.


async def test_the_state_in_a_list_follows_the_clock_and_what_happened(gatehouse: Gatehouse) -> None:
    links = LinkList(gatehouse.database, gatehouse.clock)
    gatehouse.mail.errors = []
    sent, deleted, cancelled = await gatehouse.sent(), await gatehouse.link(), await gatehouse.link(email=None)
    await gatehouse.work()
    await gatehouse.links.look(secret_of(sent))
    await gatehouse.links.delete(gatehouse.workspace_id, deleted.id)
    await gatehouse.end_execution(cancelled.execution_id, "CANCELLED")
    found = await links.page(gatehouse.workspace_id, LinkFilters(), None, 10)
    assert [one.link.state(gatehouse.clock()) for one in found] == [
        LinkState.CANCELLED,
        LinkState.DELETED,
        LinkState.FRESH,
    ]
    assert found[2].link.opened_at == gatehouse.clock()
    assert found[2].sending is not None
    assert (found[2].sending.status, found[2].sending.attempts) == ("SENT", 1)
    gatehouse.clock.move(found[2].link.expires_at - gatehouse.clock())
    assert (await links.find(gatehouse.workspace_id, sent.id)).link.state(gatehouse.clock()) is LinkState.EXPIRED
    assert await code_of(links.find(new_id(), sent.id)) == "LINK_NOT_FOUND"


async def test_links_that_end_soon_are_found_however_many_newer_ones_there_are(gatehouse: Gatehouse) -> None:
    links = LinkList(gatehouse.database, gatehouse.clock)
    first, second, deleted, later = [await gatehouse.link(email=None) for _ in range(4)]
    async with gatehouse.database.transaction(gatehouse.workspace_id) as connection:
        for hours, link in ((2, first), (1, second), (1, deleted), (48, later)):
            ends = gatehouse.clock() + timedelta(hours=hours)
            await connection.execute("UPDATE link SET expires_at = $2 WHERE id = $1", link.id, ends)
    await gatehouse.links.delete(gatehouse.workspace_id, deleted.id)
    soon = LinkFilters(ends_before=gatehouse.clock() + timedelta(days=1))

    async def found(before: UUID | None, limit: int) -> list[UUID]:
        return [one.link.id for one in await links.page(gatehouse.workspace_id, soon, before, limit)]

    assert await found(None, 10) == [second.id, first.id]
    assert await found(None, 1) == [second.id]
    assert await found(second.id, 10) == [first.id]
    gatehouse.clock.move(timedelta(minutes=90))
    assert await found(None, 10) == [first.id], "what has ended can be sent by nobody"


async def test_one_address_gets_no_flood_of_codes_through_many_links(gatehouse: Gatehouse) -> None:
    """Each link has room for a code; the mailbox behind all of them has not."""
    addresses = ["anna@example.com", "ANNA@example.com"] * 10
    links = [await gatehouse.link(email=address) for address in addresses]
    for link in links[:15]:
        await gatehouse.links.send_code(secret_of(link))
    with pytest.raises(PasserelleError) as refused:
        await gatehouse.links.send_code(secret_of(links[15]))
    assert refused.value.problems[0].code == "CODES_TOO_MANY"
    assert refused.value.headers["Retry-After"] == "3600"
    other = await gatehouse.link(email="bob@example.com")
    assert await gatehouse.links.send_code(secret_of(other)) == "b•••@example.com"


async def test_every_event_of_links_has_the_form_that_the_catalogue_publishes(gatehouse: Gatehouse) -> None:
    record = new_id()
    first = await gatehouse.sent(record_id=record)
    await gatehouse.work()
    await gatehouse.links.look(secret_of(first))
    await gatehouse.links.activate(secret_of(first), await gatehouse.links.challenge(secret_of(first)))
    await gatehouse.link(record_id=record)
    unused = await gatehouse.link()
    await gatehouse.links.delete(gatehouse.workspace_id, (await gatehouse.sent()).id)
    await gatehouse.work()
    gatehouse.clock.move(unused.expires_at - gatehouse.clock())
    await gatehouse.links.sweep()
    rows = await gatehouse.event_rows("")
    kinds = {row["type"] for row in rows}
    assert kinds == {name for name in CATALOGUE if name.startswith(("link.", "email."))}
    for row in rows:
        body = {
            "id": str(row["id"]),
            "type": row["type"],
            "createdDate": iso(row["created_at"]),
            "workspaceId": str(row["workspace_id"]),
            "data": row["data"],
        }
        schema = CATALOGUE[row["type"]].schema()
        strict = {
            **schema,
            "properties": {
                **schema["properties"],
                "data": {**schema["properties"]["data"], "additionalProperties": False},
            },
        }
        jsonschema_rs.validator_for(strict, validate_formats=True).validate(body)
