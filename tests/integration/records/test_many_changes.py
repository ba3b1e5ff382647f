"""Many changes in one call come to what single ones would, each told by itself; a dry run, and all or nothing, keep nothing."""

from __future__ import annotations

from typing import Any

from tests.integration.records.recorded import Api

RECORDS = "/tables/customers/records"
CHANGES = f"{RECORDS}/changes"


async def there(api: Api) -> list[Any]:
    page = await api.call("POST", f"{RECORDS}/search", {"sort": ["createdAt"]})
    return [record["name"] for record in page["data"]]


async def test_each_change_is_taken_or_refused_by_itself(api: Api) -> None:
    await api.table()
    ada, bartek, gone = [await api.add({"name": name, "number": name}) for name in ("Ada", "Bartek", "gone")]
    await api.call("DELETE", f"{RECORDS}/{gone['id']}")
    body = {
        "changes": [
            {"id": ada["id"], "version": 1, "values": {"name": "Ada L.", "age": 36}},
            {"id": bartek["id"], "version": 7, "values": {"name": "x"}},
            {"id": bartek["id"], "values": {"number": "Ada", "age": "old", "nme": 1}},
            {"values": {"name": "Celina", "number": "c"}},
            {"values": {"number": "c"}},
            {"do": "restore", "id": gone["id"]},
            {"do": "delete", "id": bartek["id"], "version": 1},
        ]
    }
    answer = await api.call("POST", CHANGES, body)
    assert (answer["written"], answer["refused"]) == (True, 3)
    codes = [[(one["code"], one["pointer"]) for one in result["errors"]] for result in answer["results"]]
    assert codes == [
        [],
        [("RECORD_VERSION_CONFLICT", None)],
        [("FIELD_INVALID", "/age"), ("FIELD_UNKNOWN", "/nme")],
        [],
        [("FIELD_REQUIRED", "/name")],
        [],
        [],
    ]
    assert answer["results"][0]["record"]["version"] == 2
    assert await there(api) == ["Ada L.", "gone", "Celina"]
    history = await api.call("GET", f"{RECORDS}/{ada['id']}/history")
    assert [one["action"] for one in history["data"]] == ["updated", "created"]


async def test_a_dry_run_says_the_same_and_keeps_nothing(api: Api) -> None:
    await api.table()
    ada = await api.add({"name": "Ada", "number": "1"})
    changes = [
        {"id": ada["id"], "version": 1, "values": {"number": "2"}},
        {"values": {"name": "takes what the first lets go", "number": "1"}},
        {"values": {"name": "wants what the first has now", "number": "2"}},
    ]
    answer = await api.call("POST", CHANGES, {"changes": changes, "dryRun": True})
    assert [one["refused"] for one in answer["results"]] == [False, False, True]
    assert (answer["written"], answer["refused"]) == (False, 1)
    assert await there(api) == ["Ada"]
    assert (await api.call("GET", f"{RECORDS}/{ada['id']}"))["version"] == 1
    done = await api.call("POST", CHANGES, {"changes": changes})
    assert [one["refused"] for one in done["results"]] == [False, False, True]


async def test_all_or_nothing_keeps_nothing_where_one_is_refused(api: Api) -> None:
    await api.table()
    ada = await api.add({"name": "Ada"})
    changes = [{"id": ada["id"], "values": {"name": "B"}}, {"id": ada["id"], "values": {"name": None}}]
    answer = await api.call("POST", CHANGES, {"changes": changes, "allOrNothing": True})
    assert (answer["written"], answer["refused"]) == (False, 1)
    assert await there(api) == ["Ada"]
    assert (await api.call("POST", CHANGES, {"changes": changes[:1], "allOrNothing": True}))["written"]
    assert await there(api) == ["B"]


async def test_sent_again_with_its_key_it_makes_nothing_twice(api: Api) -> None:
    await api.table()
    body = {"changes": [{"values": {"name": name}} for name in ("first", "second", "third")]}
    for _ in range(2):
        await api.call("POST", CHANGES, body, headers={"Idempotency-Key": "paste-1"})
    assert await there(api) == ["first", "second", "third"]


async def test_more_changes_than_one_call_takes_are_refused(api: Api) -> None:
    await api.table()
    many = [{"values": {"name": "x"}}] * 501
    assert await api.refused("POST", CHANGES, {"changes": many}) == [("FIELD_INVALID", "/changes")]
    assert await there(api) == []
