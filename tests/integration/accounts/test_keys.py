"""Keys that can do only what they must, from where they may, until they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.integration.secrets.product import BASE_URL, Product, joined, opened


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as joining:
        yield joining


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["errors"][0]["code"]
    return code


async def made(product: Product, **terms: Any) -> dict[str, Any]:
    body = {"name": "shop", "permissions": ["can_view_workspace"], **terms}
    answer = await product.api.post("/keys", json=body)
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


async def acting(product: Product, key: dict[str, Any], address: str = "10.1.2.3") -> httpx.AsyncClient:
    """A service that signs in with a key."""
    transport = httpx.ASGITransport(product.app, client=(address, 1))
    client = httpx.AsyncClient(transport=transport, base_url=BASE_URL)
    answer = await client.post("/auth/authorize", json={"key": key["key"], "secret": key["secret"]})
    client.headers["Authorization"] = f"Bearer {answer.json().get('accessToken')}"
    return client


async def test_a_key_does_what_it_was_given_and_speaks_version_2(product: Product) -> None:
    key = await made(product)
    shop = await acting(product, key)

    assert (await shop.get("/tables")).status_code == 200
    refused = await shop.put("/secrets/KEY", json={"value": "secret"})
    assert (refused.status_code, code_of(refused)) == (403, "PERMISSION_DENIED")
    assert "the key `shop` was not given `can_manage_secrets`" in refused.text
    assert key["apiVersion"] == 2
    me = (await shop.get("/me/permissions")).json()
    assert me["permissions"] == ["can_view_workspace"]


async def test_the_list_shows_keys_and_never_a_secret(product: Product) -> None:
    key = await made(product, networks=["10.0.0.0/8"], expiresAt="2099-01-01T00:00:00Z")
    shop = await acting(product, key)
    await shop.get("/tables")

    answer = await product.api.get("/keys")

    listed = {one["name"]: one for one in answer.json()["data"]}
    assert listed["shop"]["prefix"] == key["key"][:8]
    assert listed["shop"]["madeBy"] == "ops"
    assert listed["shop"]["networks"] == ["10.0.0.0/8"]
    assert listed["shop"]["lastUsedAt"] is not None
    assert listed["ops"]["kind"] == "token"
    assert key["secret"] not in answer.text
    assert key["key"] not in answer.text


async def test_nobody_gives_a_key_more_than_they_have(product: Product) -> None:
    limited = await acting(product, await made(product, permissions=["can_manage_keys", "can_run"]))
    body = {"name": "more", "permissions": ["can_run", "can_erase", "can_fly"]}
    refused = await limited.post("/keys", json=body)
    assert (refused.status_code, code_of(refused)) == (400, "KEY_TERMS_INVALID")
    messages = [error["message"] for error in refused.json()["errors"]]
    assert messages == ["there is no permission `can_fly`", "you cannot give `can_erase`, which you do not have"]
    assert (await limited.post("/keys", json={"name": "less", "permissions": ["can_run"]})).status_code == 201


@pytest.mark.parametrize(
    "terms", [{"networks": ["10.0.0.1/8"]}, {"expiresAt": "yesterday"}, {"expiresAt": "2020-01-01"}]
)
async def test_terms_that_cannot_be_are_refused(product: Product, terms: dict[str, Any]) -> None:
    body = {"name": "x", "permissions": ["can_run"], **terms}
    assert code_of(await product.api.post("/keys", json=body)) == "KEY_TERMS_INVALID"


async def test_all_that_is_wrong_with_a_key_is_told_at_once(product: Product) -> None:
    body = {"name": "shop", "permissions": ["can_fly"], "networks": ["here"], "expiresAt": "1999-01-01T00:00:00Z"}
    refused = await product.api.post("/keys", json={**body, "roles": ["no role!"]})
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/permissions", "/roles", "/expiresAt", "/networks"]


async def test_a_key_is_taken_from_its_networks_only(product: Product) -> None:
    key = await made(product, networks=["10.0.0.0/8", "2001:db8::/32"])
    inside = await acting(product, key, "10.200.0.1")
    assert (await inside.get("/tables")).status_code == 200
    transport = httpx.ASGITransport(product.app, client=("192.0.2.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=inside.headers) as outside:
        stolen = await outside.get("/tables")
        assert (stolen.status_code, code_of(stolen)) == (403, "ADDRESS_REFUSED")
        body = {"key": key["key"], "secret": key["secret"]}
        assert code_of(await outside.post("/auth/authorize", json=body)) == "ADDRESS_REFUSED"


async def test_a_key_ends_when_it_was_to(product: Product) -> None:
    key = await made(product, expiresAt=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    shop = await acting(product, key)
    connection = await asyncpg.connect(product.database_url)
    await connection.execute("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE id = $1", key["id"])
    await connection.close()
    product.services.accounts.authenticator.forget(product.workspace_id)

    assert code_of(await shop.get("/tables")) == "TOKEN_EXPIRED"
    body = {"key": key["key"], "secret": key["secret"]}
    assert code_of(await shop.post("/auth/authorize", json=body)) == "INVALID_CREDENTIALS"


async def test_a_revoked_key_is_refused_while_another_goes_on(product: Product) -> None:
    first, second = await made(product), await made(product, name="next")
    old, new = await acting(product, first), await acting(product, second)
    assert (await product.api.delete(f"/keys/{first['id']}")).status_code == 204
    assert code_of(await old.get("/tables")) == "TOKEN_INVALID"
    assert (await new.get("/tables")).status_code == 200
    assert code_of(await product.api.delete(f"/keys/{first['id']}")) == "KEY_NOT_FOUND"
