"""Single records: what is written is read again, nothing is lost silently, nothing of others shows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from tests.integration.records.recorded import Api

RECORDS = "/tables/customers/records"


async def test_a_record_is_read_as_it_was_written(api: Api) -> None:
    await api.table()
    made = await api.add({"name": "Łódź", "age": 3})
    assert made | {"id": "", "createdAt": "", "updatedAt": ""} == {
        "id": "",
        "version": 1,
        "createdAt": "",
        "updatedAt": "",
        "name": "Łódź",
        "number": None,
        "age": 3,
        "status": "new",
    }
    answer = await api.client.get(f"{RECORDS}/{made['id']}")
    assert answer.json() == made
    assert answer.headers["etag"] == '"1"'


async def test_everything_wrong_is_said_at_once(api: Api) -> None:
    await api.table()
    assert await api.refused("POST", RECORDS, {"age": "3", "status": "gone", "nam": "x"}) == [
        ("FIELD_INVALID", "/age"),
        ("FIELD_INVALID", "/status"),
        ("FIELD_UNKNOWN", "/nam"),
        ("FIELD_REQUIRED", "/name"),
    ]


async def test_merge_keeps_and_replace_does_not(api: Api) -> None:
    await api.table()
    made = await api.add({"name": "a", "age": 3, "status": "approved"})
    merged = await api.call("PATCH", f"{RECORDS}/{made['id']}", {"age": None})
    assert (merged["version"], merged["name"], merged["age"], merged["status"]) == (2, "a", None, "approved")
    replaced = await api.call("PUT", f"{RECORDS}/{made['id']}", {"name": "b"})
    assert (replaced["version"], replaced["name"], replaced["status"]) == (3, "b", "new")


async def test_a_change_that_changes_nothing_makes_no_version(api: Api) -> None:
    await api.table()
    made = await api.add({"name": "a"})
    assert (await api.call("PATCH", f"{RECORDS}/{made['id']}", {"name": "a"}))["version"] == 1


async def test_a_stale_if_match_is_refused_and_changes_nothing(api: Api) -> None:
    await api.table()
    path = f"{RECORDS}/{(await api.add({'name': 'a'}))['id']}"
    await api.call("PATCH", path, {"name": "b"}, headers={"If-Match": '"1"'})
    for method, body in (("PATCH", {"name": "c"}), ("PUT", {"name": "c"}), ("DELETE", None)):
        stale = await api.refused(method, path, body, 412, headers={"If-Match": '"1"'})
        assert stale == [("RECORD_VERSION_CONFLICT", None)]
    assert (await api.call("GET", path))["name"] == "b"
    assert await api.refused("PATCH", path, {"name": "c"}, headers={"If-Match": "1"}) == [("IF_MATCH_INVALID", None)]


async def test_changes_at_the_same_moment_are_all_kept(api: Api) -> None:
    fields = [{"name": f"f{index}", "type": "integer"} for index in range(12)]
    await api.table(fields=fields)
    path = f"{RECORDS}/{(await api.add({}))['id']}"
    await asyncio.gather(*(api.call("PATCH", path, {f"f{index}": index}) for index in range(12)))
    record = await api.call("GET", path)
    assert (record["version"], [record[f"f{index}"] for index in range(12)]) == (13, list(range(12)))


async def test_a_taken_unique_value_names_the_record_that_has_it(api: Api) -> None:
    await api.table()
    first = await api.add({"name": "a", "number": "7"})
    second = await api.add({"name": "b"})
    for method, path in (("POST", RECORDS), ("PATCH", f"{RECORDS}/{second['id']}")):
        answer = await api.call(method, path, {"name": "b", "number": "7"}, 409)
        (error,) = answer["errors"]
        assert (error["code"], error["pointer"]) == ("VALUE_TAKEN", "/number")
        assert first["id"] in error["message"]
        assert "`7`" in error["message"]


async def test_a_unique_value_is_free_again_once_its_record_changes_or_goes(api: Api) -> None:
    await api.table()
    first = await api.add({"name": "a", "number": "7"})
    await api.call("PATCH", f"{RECORDS}/{first['id']}", {"number": "8"})
    second = await api.add({"name": "b", "number": "7"})
    await api.call("DELETE", f"{RECORDS}/{second['id']}")
    await api.add({"name": "c", "number": "7"})
    taken = await api.refused("POST", f"{RECORDS}/{second['id']}/restore", status=409)
    assert taken == [("VALUE_TAKEN", "/number")]


async def test_a_deleted_record_can_be_restored_for_30_days(api: Api, clock: MovedClock) -> None:
    await api.table()
    path = f"{RECORDS}/{(await api.add({'name': 'a'}))['id']}"
    assert await api.refused("POST", f"{path}/restore", status=409) == [("NOT_DELETED", None)]
    await api.call("DELETE", path, status=204)
    assert await api.refused("GET", path, status=404) == [("RECORD_NOT_FOUND", None)]
    clock.move(timedelta(days=29))
    assert (await api.call("POST", f"{path}/restore"))["version"] == 3
    await api.call("DELETE", path)
    clock.move(timedelta(days=31))
    assert await api.refused("POST", f"{path}/restore", status=404) == [("RECORD_NOT_FOUND", None)]


async def test_history_tells_who_changed_what(api: Api) -> None:
    await api.table()
    path = f"{RECORDS}/{(await api.add({'name': 'a', 'age': 1}))['id']}"
    await api.call("PATCH", path, {"age": 2})
    await api.call("DELETE", path)
    history = await api.call("GET", f"{path}/history")
    assert [(line["version"], line["action"], line["by"]) for line in history["data"]] == [
        (3, "deleted", "acme"),
        (2, "updated", "acme"),
        (1, "created", "acme"),
    ]
    assert history["data"][1]["changes"] == [{"field": "age", "old": 1, "new": 2}]
    first = await api.call("GET", f"{path}/history?limit=2")
    rest = await api.call("GET", f"{path}/history?limit=2&after={first['next']}")
    assert [line["version"] for line in first["data"] + rest["data"]] == [3, 2, 1]
    assert rest["next"] is None


async def test_every_change_is_an_event_without_values(api: Api, database: Database) -> None:
    await api.table()
    made = await api.add({"name": "Anna Nowak"})
    await api.call("PATCH", f"{RECORDS}/{made['id']}", {"age": 2})
    await api.call("DELETE", f"{RECORDS}/{made['id']}")
    async with database.workspace(api.workspace_id) as connection:
        rows = await connection.fetch("SELECT type, data FROM event ORDER BY created_at, id")
    assert [row["type"] for row in rows] == ["record.created", "record.updated", "record.deleted"]
    assert rows[1]["data"] == rows[1]["data"] | {"recordId": made["id"], "table": "customers", "changed": ["age"]}
    assert "Nowak" not in str([row["data"] for row in rows])


async def test_upsert_makes_one_record_however_many_ask_at_once(api: Api) -> None:
    await api.table()
    path = f"{RECORDS}/by/number/A%2F1"
    answers = await asyncio.gather(*(api.client.put(path, json={"name": f"n{index}"}) for index in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert {answer.json()["number"] for answer in answers} == {"A/1"}
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize(
    ("field", "body", "problem"),
    [
        ("age", {}, ("FIELD_NOT_UNIQUE", None)),
        ("none", {}, ("FIELD_NOT_UNIQUE", None)),
        ("number", {"number": "2"}, ("UPSERT_CONFLICT", "/number")),
    ],
)
async def test_upsert_needs_one_unique_value(api: Api, field: str, body: Any, problem: Any) -> None:
    await api.table()
    assert await api.refused("PUT", f"{RECORDS}/by/{field}/1", {"name": "a"} | body) == [problem]


async def test_a_relation_points_to_a_record_that_is_there(api: Api, other: Api) -> None:
    await api.table()
    await other.table()
    fields = [{"name": "customer", "type": "relation", "table": "customers"}, {"name": "n", "type": "integer"}]
    await api.table(name="orders", fields=fields)
    mine, foreign = await api.add({"name": "a"}), await other.add({"name": "b"})
    order = await api.add({"customer": mine["id"]}, "orders")
    for target in (foreign["id"], order["id"]):
        refused = await api.refused("POST", "/tables/orders/records", {"customer": target})
        assert refused == [("RELATED_UNKNOWN", "/customer")]
    await api.call("DELETE", f"{RECORDS}/{mine['id']}")
    assert await api.refused("POST", "/tables/orders/records", {"customer": mine["id"]}) == [
        ("RELATED_UNKNOWN", "/customer")
    ]
    # A relation that has become stale does not block other changes.
    assert (await api.call("PATCH", f"/tables/orders/records/{order['id']}", {"n": 1}))["n"] == 1


async def test_a_request_sent_again_makes_one_record(api: Api) -> None:
    await api.table()
    headers = {"Idempotency-Key": "once"}
    first = await api.call("POST", RECORDS, {"name": "a"}, 201, headers=headers)
    assert (await api.call("POST", RECORDS, {"name": "a"}, 201, headers=headers))["id"] == first["id"]


async def test_comments(api: Api) -> None:
    await api.table()
    path = f"{RECORDS}/{(await api.add({'name': 'a'}))['id']}/comments"
    assert await api.refused("POST", path, {"text": " "}) == [("COMMENT_EMPTY", "/text")]
    for text in ("one", "two", "three"):
        await api.call("POST", path, {"text": text}, 201)
    page = await api.call("GET", f"{path}?limit=2")
    rest = await api.call("GET", f"{path}?limit=2&after={page['next']}")
    assert [comment["text"] for comment in page["data"] + rest["data"]] == ["three", "two", "one"]
