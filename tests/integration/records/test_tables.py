"""Tables: definitions are checked, changes lose nothing unasked, indexes are built while records are written."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from passerelle.kit.database import Database
from passerelle.kit.jobs import JobRunning
from passerelle.records.parts import RecordServices
from tests.integration.records.recorded import CUSTOMERS, Api

EVERY_TYPE: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "text": ({}, "ż", 1),
    "number": ({}, 1.5, "1.5"),
    "integer": ({}, 2, 2.5),
    "date": ({}, "2026-02-28", "2026-02-30"),
    "datetime": ({}, "2026-01-05T10:00:00+01:00", "2026-01-05T10:00:00"),
    "checkbox": ({}, False, "false"),
    "json": ({}, {"a": [1]}, None),
    "array": ({}, [1, "a"], "a"),
    "singleSelect": ({"options": ["a", {"value": "b", "title": {"en": "B"}}]}, "b", "c"),
    "multiselect": ({"options": ["a", "b"]}, ["b", "a"], ["a", "c"]),
    "assignee": ({}, "anna@example.com", 7),
    "idField": ({}, "C-1", 7),
    "email": ({}, "anna@example.com", "anna@"),
    "phone": ({}, "+48 22 123 45 67", "12"),
    "relation": ({"table": "everything"}, None, "x"),
    "attachment": ({}, [], "x"),
}
READ_BACK = {
    "datetime": "2026-01-05T09:00:00.000000Z",
    "multiselect": ["a", "b"],
    "phone": "+48221234567",
    "attachment": None,
}


def a_field(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "text"} | more


async def built(parts: RecordServices, api: Api, table: str) -> None:
    """What the worker does when the job is due."""
    await parts.indexing.build(api.workspace_id, table)


async def test_a_field_of_every_type_takes_its_values_and_no_others(api: Api) -> None:
    fields = [{"name": name, "type": name} | more for name, (more, _, _) in EVERY_TYPE.items()]
    await api.call("POST", "/tables", {"name": "everything", "fields": fields}, 201)
    record = await api.add({name: right for name, (_, right, _) in EVERY_TYPE.items()}, "everything")
    for name, (_, right, _) in EVERY_TYPE.items():
        assert record[name] == READ_BACK.get(name, right), name
    wrong = {name: wrong for name, (_, _, wrong) in EVERY_TYPE.items() if wrong is not None}
    refused = await api.refused("POST", "/tables/everything/records", wrong)
    assert refused == [("FIELD_INVALID", f"/{name}") for name in wrong]


async def test_a_table_is_found_by_its_id_and_by_its_name(api: Api) -> None:
    made = await api.table()
    for reference in (made["id"], "customers"):
        assert await api.call("GET", f"/tables/{reference}") == made
    assert [table["name"] for table in (await api.call("GET", "/tables"))["data"]] == ["cases", "customers"]
    assert await api.refused("POST", "/tables", CUSTOMERS, 409) == [("TABLE_NAME_TAKEN", "/name")]
    assert await api.refused("GET", "/tables/none", status=404) == [("TABLE_NOT_FOUND", None)]


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (a_field("9x"), ("FIELD_NAME_INVALID", "/fields/0/name")),
        (a_field("version"), ("FIELD_NAME_INVALID", "/fields/0/name")),
        (a_field("x", type="varchar"), ("FIELD_SETTING_INVALID", "/fields/0/type")),
        (a_field("x", type="singleSelect"), ("FIELD_SETTING_INVALID", "/fields/0/options")),
        (a_field("x", options=["a"]), ("FIELD_SETTING_INVALID", "/fields/0/options")),
        (a_field("x", type="singleSelect", options=["a", "a"]), ("FIELD_SETTING_INVALID", "/fields/0/options")),
        (a_field("x", type="json", unique=True), ("FIELD_SETTING_INVALID", "/fields/0/unique")),
        (a_field("x", type="relation"), ("FIELD_SETTING_INVALID", "/fields/0/table")),
        (a_field("x", type="relation", table="none"), ("FIELD_TABLE_UNKNOWN", "/fields/0/table")),
        (a_field("x", table="customers"), ("FIELD_SETTING_INVALID", "/fields/0/table")),
        (a_field("x", type="integer", default="1"), ("FIELD_SETTING_INVALID", "/fields/0/default")),
        (a_field("x", renamedFrom="y"), ("FIELD_INVALID", "/fields/0/renamedFrom")),
        (a_field("x", typ="text"), ("FIELD_UNKNOWN", "/fields/0/typ")),
    ],
)
async def test_a_wrong_field_is_told_where(api: Api, field: Any, problem: Any) -> None:
    assert await api.refused("POST", "/tables", {"name": "t", "fields": [field]}) == [problem]


async def test_two_fields_of_a_name_are_refused(api: Api) -> None:
    refused = await api.refused("POST", "/tables", {"name": "t", "fields": [a_field("x"), a_field("x")]})
    assert refused == [("FIELD_DUPLICATE", "/fields/1/name")]


async def test_a_new_field_rewrites_no_record_and_a_renamed_one_keeps_its_values(api: Api, database: Database) -> None:
    await api.table()
    made = await api.add({"name": "a"})
    async with database.workspace(api.workspace_id) as connection:
        before = await connection.fetchval("SELECT xmin::text FROM record")
        fields = [a_field("title", renamedFrom="name", required=True), *CUSTOMERS["fields"][1:], a_field("city")]
        await api.call("PATCH", "/tables/customers", {"fields": fields})
        assert await connection.fetchval("SELECT xmin::text FROM record") == before
    record = await api.call("GET", f"/tables/customers/records/{made['id']}")
    assert (record["title"], record["city"], "name" in record) == ("a", None, False)
    history = await api.call("GET", f"/tables/customers/records/{made['id']}/history")
    assert [change["field"] for change in history["data"][0]["changes"]] == ["title", "status"]


async def test_what_would_lose_values_is_refused_unless_told(api: Api) -> None:
    await api.table()
    made = await api.add({"name": "a", "age": 3, "status": "approved"})
    without_age = [field for field in CUSTOMERS["fields"] if field["name"] != "age"]
    fewer = [field | ({"options": ["new"]} if field["name"] == "status" else {}) for field in CUSTOMERS["fields"]]
    for fields in (without_age, fewer):
        refused = await api.refused("PATCH", "/tables/customers", {"fields": fields}, 409)
        assert refused == [("TABLE_LOSES_DATA", "/fields")]
    await api.call("PATCH", "/tables/customers?loseData=true", {"fields": without_age})
    # A later field of the same name starts empty.
    await api.call("PATCH", "/tables/customers", {"fields": CUSTOMERS["fields"]})
    assert (await api.call("GET", f"/tables/customers/records/{made['id']}"))["age"] is None
    assert await api.refused("DELETE", "/tables/customers", status=409) == [("TABLE_LOSES_DATA", None)]
    await api.call("DELETE", "/tables/customers?loseData=true", status=204)
    assert await api.refused("GET", "/tables/customers", status=404) == [("TABLE_NOT_FOUND", None)]


async def test_a_type_changes_only_to_a_wider_one(api: Api) -> None:
    await api.table()
    changed = [field | ({"type": "number"} if field["name"] == "age" else {}) for field in CUSTOMERS["fields"]]
    await api.call("PATCH", "/tables/customers", {"fields": changed})
    assert await api.refused("PATCH", "/tables/customers", {"fields": CUSTOMERS["fields"]}, 409) == [
        ("TABLE_TYPE_CHANGE", "/fields/2/type")
    ]


async def test_a_table_that_others_point_to_stays(api: Api) -> None:
    await api.table()
    await api.table(name="orders", fields=[a_field("customer", type="relation", table="customers")])
    assert await api.refused("DELETE", "/tables/customers", status=409) == [("TABLE_REFERENCED", None)]


async def test_a_stale_if_match_is_refused(api: Api) -> None:
    await api.table()
    await api.call("PATCH", "/tables/customers", {"title": "Customers"}, headers={"If-Match": '"1"'})
    stale = await api.refused("PATCH", "/tables/customers", {"title": "x"}, 412, headers={"If-Match": '"1"'})
    assert stale == [("TABLE_VERSION_CONFLICT", None)]


async def test_an_index_is_filled_while_records_come_change_and_go(api: Api, parts: RecordServices) -> None:
    await api.table(fields=[a_field("city"), a_field("n", type="integer")])
    before = [await api.add({"city": "a", "n": index}) for index in range(40)]
    records = "/tables/customers/records"
    indexed = {"fields": [a_field("city", indexed=True), a_field("n", type="integer")]}

    async def write() -> None:
        for index, record in enumerate(before):
            if index % 3 == 0:
                await api.call("PATCH", f"{records}/{record['id']}", {"city": "b"})
            elif index % 3 == 1:
                await api.call("DELETE", f"{records}/{record['id']}")
            else:
                await api.add({"city": "a", "n": 100 + index})

    async def index() -> None:
        changed = await api.call("PATCH", "/tables/customers", indexed)
        assert changed["fields"][0]["index"] == "building"
        await built(parts, api, "customers")

    await asyncio.gather(write(), index())
    assert (await api.call("GET", "/tables/customers"))["fields"][0]["index"] == "ready"
    every = (await api.call("POST", f"{records}/search", {"limit": 500}))["data"]
    for city in ("a", "b"):
        body = {"filter": {"field": "city", "value": city}, "limit": 500}
        found = (await api.call("POST", f"{records}/search", body))["data"]
        assert found == [record for record in every if record["city"] == city]
    in_order = (await api.call("POST", f"{records}/search", {"sort": ["city"], "limit": 500}))["data"]
    assert sorted(one["id"] for one in in_order) == sorted(one["id"] for one in every)


async def test_a_field_becomes_unique_only_if_it_is(api: Api, parts: RecordServices) -> None:
    await api.table(fields=[a_field("code")])
    first, second = await api.add({"code": "x"}), await api.add({"code": "x"})
    unique = {"fields": [a_field("code", unique=True)]}
    await api.call("PATCH", "/tables/customers", unique)
    await built(parts, api, "customers")
    (field,) = (await api.call("GET", "/tables/customers"))["fields"]
    assert field["index"] == "failed"
    assert first["id"] in field["indexProblem"]
    assert second["id"] in field["indexProblem"]
    await api.call("PATCH", f"/tables/customers/records/{second['id']}", {"code": "y"})
    await api.call("PATCH", "/tables/customers", unique)
    await built(parts, api, "customers")
    assert (await api.call("GET", "/tables/customers"))["fields"][0]["index"] == "ready"
    assert await api.refused("POST", "/tables/customers/records", {"code": "y"}, 409) == [("VALUE_TAKEN", "/code")]


async def test_the_rows_of_an_index_that_is_gone_are_cleared(
    api: Api, parts: RecordServices, database: Database
) -> None:
    await api.table()
    await api.add({"name": "a", "number": "1", "age": 1})
    plain = [{key: field[key] for key in ("name", "type", "options") if key in field} for field in CUSTOMERS["fields"]]
    await api.call("PATCH", "/tables/customers", {"fields": plain})
    async with database.workspace(api.workspace_id) as connection:
        (job,) = await connection.fetch("SELECT id, payload FROM pgqueuer WHERE entrypoint = 'table.index'")
        from passerelle.kit.json import loads

        await parts.indexing.run(JobRunning(job["id"], loads(job["payload"])))
        for table in ("record_key", "record_unique"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_preview_says_what_a_change_does_and_loses_and_changes_nothing(api: Api) -> None:
    await api.table()
    await api.add({"name": "Ada", "number": "1", "status": "new"})
    fields = [
        {"name": "fullName", "type": "text", "required": True, "renamedFrom": "name"},
        {"name": "age", "type": "number", "indexed": True},
        {"name": "status", "type": "singleSelect", "options": ["approved"], "indexed": True},
        {"name": "city", "type": "text"},
    ]
    shown = await api.call("POST", "/tables/customers/preview", {"fields": fields, "title": "Clients"})
    texts = [f"{one['sign']} {one['text']}" for one in shown["differences"]]
    assert "~ field name: renamed to fullName" in texts
    assert "~ field age: type integer → number" in texts
    assert "+ field city: text" in texts
    assert [one["code"] for one in shown["losses"]] == ["TABLE_LOSES_DATA", "TABLE_LOSES_DATA"]
    assert shown["file"].startswith("name: customers\ntitle: Clients\nfields:\n  - {name: fullName")
    assert (await api.call("GET", "/tables/customers"))["fields"][0]["name"] == "name"
    wrong = {"fields": [{"name": "age", "type": "checkbox"}]}
    assert await api.refused("POST", "/tables/customers/preview", wrong, 409) == [
        ("TABLE_TYPE_CHANGE", "/fields/0/type")
    ]
    file = (await api.client.get("/tables/customers/file")).text
    assert file.startswith("name: customers\n")
    assert "unique: true" in file
