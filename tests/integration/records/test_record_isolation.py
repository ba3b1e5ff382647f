"""Two workspaces with the same table names never see one another: through no endpoint, and in no query."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from passerelle.kit.database import Database
from tests.integration.records.recorded import Api

PDF = ("a.pdf", b"%PDF-1.7\n")
TABLES = (
    "record_table", "record", "record_key", "record_unique", "record_change", "record_comment", "attachment",
    "resource", "event",
)  # fmt: skip
BODIES: dict[str, Any] = {
    "/comments": {"json": {"text": "x"}},
    "/import": {"content": b"name\nx\n", "headers": {"Content-Type": "text/csv"}},
    "/attachments": {"files": {"file": PDF}},
    "/changes": {"json": {"changes": [{"values": {"name": "x"}}]}},
    "/duplicates": {"json": {"fields": [{"field": "name"}]}},
    "/merge": {"json": {"from": "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"}},
}
"""What a request needs to be right but for the ids; an empty object where nothing is named."""
OWN = {("get", "/tables"), ("post", "/tables"), ("post", "/resources")}
"""Endpoints that name nothing of anybody's."""


async def filled(api: Api) -> dict[str, str]:
    """A workspace with something of everything; the ids as the addresses name them."""
    table = await api.table()
    record = await api.add({"name": "secret", "number": "1", "age": 3})
    other = await api.add({"name": "secret too"})
    path = f"/tables/customers/records/{record['id']}"
    await api.call("POST", f"{path}/comments", {"text": "secret"}, 201)
    attached = await api.client.post(f"{path}/attachments", files={"file": PDF})
    link = (await api.call("GET", f"{path}/attachments/{attached.json()['id']}"))["link"]
    return {
        "table_id": table["id"],
        "record_id": record["id"],
        "other_id": other["id"],
        "attachment_id": attached.json()["id"],
        "resource_id": attached.json()["id"],
        "field": "number",
        "value": "1",
        "token": link.rsplit("/", 1)[1][:-1],
    }


def endpoints(app: FastAPI) -> list[tuple[str, str]]:
    paths = get_openapi(title="", version="", routes=app.routes)["paths"]
    return [(method, path) for path, item in paths.items() for method in item]


async def test_no_endpoint_answers_for_the_ids_of_another_workspace(app: FastAPI, api: Api, other: Api) -> None:
    ids = await filled(api)
    asked = 0
    for method, path in endpoints(app):
        if (method, path) in OWN:
            continue
        address = path.replace("{value:path}", "{value}").format(**ids)
        more = next((body for end, body in BODIES.items() if path.endswith(end) and method == "post"), None)
        answer = await other.client.request(method, address, **(more or {"json": {}}))
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
        assert "secret" not in answer.text
        asked += 1
    assert asked > 20


async def test_a_table_of_the_same_name_holds_none_of_the_other_s_records(app: FastAPI, api: Api, other: Api) -> None:
    ids = await filled(api)
    await other.table()
    for method, path in endpoints(app):
        if (method, path) in OWN or "{record_id}" not in path:
            continue
        address = path.format(**ids | {"table_id": "customers"})
        more = next((body for end, body in BODIES.items() if path.endswith(end) and method == "post"), None)
        answer = await other.client.request(method, address, **(more or {"json": {}}))
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
    for body in ({}, {"text": "secret"}, {"filter": {"field": "number", "value": "1"}}, {"sort": ["age"]}):
        assert (await other.call("POST", "/tables/customers/records/search", body))["data"] == []
    assert (await other.client.get("/tables/customers/export?format=jsonl")).text == ""
    # A value that is unique in one workspace is free in the other.
    await other.add({"name": "mine", "number": "1"})


@pytest.mark.parametrize("table", TABLES)
async def test_the_database_shows_no_row_of_another_workspace(
    api: Api, other: Api, database: Database, table: str
) -> None:
    await filled(api)
    async with database.workspace(api.workspace_id) as connection:
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") > 0
    async with database.workspace(other.workspace_id) as connection:
        theirs = f"SELECT count(*) FROM {table} WHERE workspace_id <> $1"
        assert await connection.fetchval(theirs, other.workspace_id) == 0
    async with database.shared() as connection:
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_the_text_index_looks_only_into_its_own_workspace(api: Api, other: Api, database: Database) -> None:
    ids = await filled(api)
    query = "SELECT count(*) FROM find_by_text($1::uuid, $2::text::tsquery)"
    async with database.workspace(api.workspace_id) as connection:
        assert await connection.fetchval(query, ids["table_id"], "'secret'") == 2
    async with database.workspace(other.workspace_id) as connection:
        assert await connection.fetchval(query, ids["table_id"], "'secret'") == 0
