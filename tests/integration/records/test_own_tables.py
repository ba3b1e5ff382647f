"""With credentials, the API's document shows the caller's own tables, with examples that can be sent as they are."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI

from passerelle.kit.http.schema_view import Schemas
from passerelle.tables.types import TYPES
from tests.integration.records.recorded import Api

TYPED: list[dict[str, Any]] = [
    {"name": f"a_{name}", "type": name, "title": {"en": f"The {name}"}}
    | ({"options": ["one", {"value": "two", "title": "Two <b>"}]} if type_.choices else {})
    | ({"table": "customers"} if name == "relation" else {})
    for name, type_ in TYPES.items()
]
UNIQUE: list[dict[str, Any]] = [
    field | {"name": field["name"].replace("a_", "u_"), "unique": True, "required": TYPES[field["type"]].name == "text"}
    for field in TYPED
    if TYPES[field["type"]].indexable
]


async def document(api: Api) -> Any:
    return await api.call("GET", "/openapi.json")


async def sent(api: Api, described: Any, method: str, path: str, media_type: str, record_id: str) -> httpx.Response:
    operation = described["paths"][path][method]
    example = operation["requestBody"]["content"][media_type]["example"]
    body = example if isinstance(example, str) else json.dumps(example)
    address = path.replace("{recordId}", record_id)
    for parameter in operation["parameters"]:
        if parameter["name"] == "value":
            address = address.replace("{value}", quote(parameter["example"]))
    return await api.client.request(method, address, content=body.encode(), headers={"Content-Type": media_type})


def validator(described: Any, schema: Any) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**schema, "components": described["components"]})


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "with-records"])
async def test_every_example_can_be_sent_as_it_is(api: Api, filled: bool) -> None:
    await api.table()
    await api.add({"name": "the first"})
    await api.call("POST", "/tables", {"name": "all-types", "fields": [*TYPED, *UNIQUE]}, 201)
    await api.call("POST", "/tables", {"name": "bare", "fields": [{"name": "x", "type": "attachment"}]}, 201)
    if filled:
        for index in range(3):
            await api.add({"name": f"n{index}", "number": str(index)})
        for field in UNIQUE:
            if field["type"] in ("checkbox", "singleSelect"):
                value = "one" if field["type"] == "singleSelect" else True
                await api.add({"u_text": field["name"], field["name"]: value}, "all-types")
    described = await document(api)
    count = 0
    for path, item in described["paths"].items():
        table = path.split("/")[2] if path.startswith("/tables/") else ""
        if table not in ("customers", "all-types", "bare"):
            continue
        for method, operation in item.items():
            for media_type in operation.get("requestBody", {}).get("content", {}):
                # The examples of one document fit together as long as they are sent one after the other.
                needed = {"u_text": f"own{count}"} if table == "all-types" else {"name": "a"}
                record = await api.add({} if table == "bare" else needed, table)
                answer = await sent(api, described, method, path, media_type, record["id"])
                assert answer.is_success, f"{method} {path} {media_type}: {answer.text}"
                assert path.endswith("/import") is ("failed" in answer.json())
                assert not answer.json().get("failed"), answer.text
                count += 1
    assert count >= 3 * 6 + len(UNIQUE)


async def test_examples_and_answers_are_what_the_document_says(api: Api) -> None:
    await api.table()
    await api.call("POST", "/tables", {"name": "everything", "fields": [*TYPED, *UNIQUE]}, 201)
    await api.add({"name": "a"})
    described = await document(api)
    schemas = Schemas(described)
    create = described["paths"]["/tables/everything/records"]["post"]
    content = create["requestBody"]["content"]["application/json"]
    new = validator(described, schemas.resolve(content["schema"]))
    new.validate(content["example"])
    assert not new.is_valid({**content["example"], "a_integer": "1"})
    assert not new.is_valid({**content["example"], "else": 1})
    assert not new.is_valid({key: value for key, value in content["example"].items() if key != "u_text"})
    answered = schemas.resolve(create["responses"]["201"]["content"]["application/json"]["schema"])
    assert answered["properties"]["a_singleSelect"]["anyOf"][0]["enum"] == ["one", "two"]
    record = await api.add(content["example"], "everything")
    validator(described, answered).validate(record)
    listed = described["paths"]["/tables/everything/records"]["get"]["responses"]["200"]
    page = schemas.resolve(listed["content"]["application/json"]["schema"])
    validator(described, page).validate(await api.call("GET", "/tables/everything/records"))


async def test_what_cannot_be_sent_yet_is_told(api: Api) -> None:
    await api.table()
    needs = {"name": "customer", "type": "relation", "table": "customers", "required": True}
    await api.call("POST", "/tables", {"name": "orders", "fields": [needs]}, 201)
    path = "/tables/orders/records"
    assert "lack `customer`" in (await document(api))["paths"][path]["post"]["description"]
    customer = await api.add({"name": "a"})
    create = (await document(api))["paths"][path]["post"]
    assert "lack" not in create["description"]
    assert create["requestBody"]["content"]["application/json"]["example"] == {"customer": customer["id"]}


async def test_nobody_sees_the_tables_of_others(app: FastAPI, api: Api, other: Api) -> None:
    await api.table(name="mergers")
    assert "mergers" in (await api.client.get("/docs")).text
    assert "mergers" in json.dumps(await document(api))
    for path in ("/openapi.json", "/docs"):
        assert "mergers" not in (await other.client.get(path)).text
        assert (await api.client.get(path)).headers["cache-control"] == "private, no-store"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://passerelle.test") as nobody:
            assert "mergers" not in (await nobody.get(path)).text
            assert (await nobody.get(path, headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_a_browser_sees_its_tables_by_a_form(app: FastAPI, api: Api) -> None:
    await api.table(title="Customers <script>")
    token = api.client.headers["authorization"].removeprefix("Bearer ")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://passerelle.test") as browser:
        assert 'name="token"' in (await browser.get("/docs")).text
        shown = await browser.post("/docs", data={"token": token})
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "private, no-store")
        assert "/tables/customers/records" in shown.text
        assert "Customers &lt;script&gt;" in shown.text
        assert token not in shown.text
        for wrong in ("", "nonsense", "ż"):
            refused = await browser.post("/docs", data={"token": wrong})
            assert (refused.status_code, 'role="alert"' in refused.text) == (401, True)


async def test_tables_of_nearly_the_same_name_have_places_of_their_own(api: Api) -> None:
    for name in ("a-b", "a_b", "A_b", "Records"):
        await api.table(name=name)
    text = (await api.client.get("/docs")).text
    ids = [part.split('"')[0] for part in text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
