"""Templates are read and used, and files are converted, as the API says; nothing of it is kept unasked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from passerelle.templates.library import templates
from tests.acceptance.running import codes
from tests.integration.secrets.product import Product, joined, opened

YAML = {"Content-Type": "application/yaml"}
FORM = b'{"title": "Order", "properties": {"name": {"type": "string", "format": "colour"}}}'
BOMB = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><definitions>&b;</definitions>'


@pytest.fixture(scope="module")
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as joining:
        yield joining


@pytest.fixture
def api(product: Product) -> httpx.AsyncClient:
    return product.api


async def convert(api: httpx.AsyncClient, content: bytes, **query: Any) -> httpx.Response:
    return await api.post("/definitions/import", content=content, params=query)


async def test_every_template_can_be_used_as_it_is_read(api: httpx.AsyncClient) -> None:
    """In one workspace, one after the other: what they share must not be in their way."""
    listed = (await api.get("/templates")).json()["data"]
    assert [one["name"] for one in listed] == [one.name for one in templates()]
    there: set[str] = set()
    for one in listed:
        read = (await api.get(f"/templates/{one['name']}")).json()
        for table in read["tables"]:
            if table["name"] not in there:
                assert (await api.post("/tables", json=table["body"])).status_code == 201
        there |= {table["name"] for table in read["tables"]}
        pushed = await api.post("/definitions?publish=false", content=read["definition"].encode(), headers=YAML)
        assert pushed.status_code == 201, pushed.text
        assert (pushed.json()["name"], pushed.json()["published"]) == (one["name"], False)
        played = await api.post(f"/definitions/{pushed.json()['id']}/test", json={"scenarios": read["scenarios"]})
        assert [two["name"] for two in played.json()["scenarios"] if not two["passed"]] == []


async def test_a_picture_is_a_picture(api: httpx.AsyncClient) -> None:
    answer = await api.get("/templates/tenant/picture")
    assert (answer.headers["content-type"], answer.content[8:12]) == ("image/webp", b"WEBP")
    assert codes(await api.get("/templates/nothing/picture")) == ["TEMPLATE_NOT_FOUND"]
    assert "`tenant`" in (await api.get("/templates/tenat")).text


async def test_a_file_is_converted_and_nothing_is_kept(api: httpx.AsyncClient) -> None:
    before = (await api.get("/definitions")).json()
    answer = (await convert(api, FORM, file="order.json")).json()
    assert (answer["kind"], answer["name"], answer["tables"]) == ("json-schema", "order", [])
    assert answer["leftOut"] == [
        {"place": "name/format", "reason": "there is no format `colour`, so any text is taken"}
    ]
    assert (await api.get("/definitions")).json() == before
    assert (await api.post("/definitions?publish=false", content=answer["text"], headers=YAML)).status_code == 201


async def test_a_csv_comes_with_its_table(api: httpx.AsyncClient) -> None:
    answer = (await convert(api, b"number;city\n1;Gdynia\n", file="places.csv", batch="true", name="my-places")).json()
    assert (answer["name"], [one["name"] for one in answer["tables"]]) == ("my-places", ["places"])
    assert (await api.post("/tables", json=answer["tables"][0]["body"])).status_code == 201
    assert (await api.post("/definitions", content=answer["text"], headers=YAML)).status_code == 201


@pytest.mark.parametrize(
    ("content", "query", "code"),
    [
        (b"", {}, "IMPORT_INVALID"),
        (b"\x00\x01\x02", {}, "IMPORT_INVALID"),
        (BOMB, {}, "IMPORT_INVALID"),
        (FORM, {"kind": "openapi"}, "IMPORT_INVALID"),
        (FORM, {"kind": "word"}, "QUERY_INVALID"),
        (FORM, {"name": "No Name"}, "QUERY_INVALID"),
        (b"x" * 5_000_001, {}, "BODY_TOO_LARGE"),
    ],
)
async def test_what_cannot_be_converted_is_told(
    api: httpx.AsyncClient, content: bytes, query: dict[str, str], code: str
) -> None:
    answer = await convert(api, content, **query)
    assert answer.status_code in (400, 413)
    assert codes(answer) == [code]


async def test_who_may_not_manage_definitions_converts_nothing(product: Product) -> None:
    stranger = await convert(product.stranger, FORM)
    assert stranger.status_code == 200  # in a workspace of its own
    made = await product.api.post("/keys", json={"name": "reader", "permissions": ["can_view_workspace"]})
    tokens = await product.api.post("/auth/authorize", json={name: made.json()[name] for name in ("key", "secret")})
    headers = {"Authorization": f"Bearer {tokens.json()['accessToken']}"}
    assert (await product.api.get("/templates", headers=headers)).status_code == 200
    refused = await product.api.post("/definitions/import", content=FORM, headers=headers)
    assert refused.status_code == 403
