"""What was deleted can be found again for as long as it can be restored."""

from __future__ import annotations

import json
from datetime import timedelta

from passerelle.kit.clock import MovedClock
from tests.integration.records.recorded import Api

DELETED = "/tables/customers/deleted"


async def deleted(api: Api, name: str) -> str:
    record = await api.add({"name": name})
    await api.call("DELETE", f"/tables/customers/records/{record['id']}", status=204)
    return str(record["id"])


async def test_a_deleted_record_is_listed_until_it_is_restored(api: Api) -> None:
    await api.table()
    await api.add({"name": "stays"})
    record_id = await deleted(api, "gone")
    page = await api.call("GET", DELETED)
    assert page["next"] is None
    assert [(one["record"]["id"], one["record"]["name"], one["deletedBy"]) for one in page["data"]] == [
        (record_id, "gone", "acme")
    ]
    assert page["data"][0]["deletedAt"] == "2026-01-05T09:00:00.000Z"
    assert page["data"][0]["restorableUntil"] == "2026-02-04T09:00:00.000Z"
    await api.call("POST", f"/tables/customers/records/{record_id}/restore")
    assert (await api.call("GET", DELETED))["data"] == []


async def test_what_cannot_be_restored_is_not_listed(api: Api, clock: MovedClock) -> None:
    await api.table()
    erased, target, source = [(await api.add({"name": name}))["id"] for name in ("erased", "target", "source")]
    await api.call("DELETE", f"/tables/customers/records/{erased}?erase=true", status=200)
    await api.call("POST", f"/tables/customers/records/{target}/merge", {"from": source})
    await deleted(api, "old")
    clock.move(timedelta(days=30, seconds=1))
    assert (await api.call("GET", DELETED))["data"] == []


async def test_pages_stay_right_while_records_are_deleted(api: Api, clock: MovedClock) -> None:
    await api.table()
    names = ["a", "b", "c", "d"]
    for name in names:
        clock.move(timedelta(seconds=1))
        await deleted(api, name)
    first = await api.call("GET", f"{DELETED}?limit=2")
    clock.move(timedelta(seconds=1))
    await deleted(api, "later")
    second = await api.call("GET", f"{DELETED}?limit=2&after={first['next']}")
    assert [one["record"]["name"] for one in [*first["data"], *second["data"]]] == ["d", "c", "b", "a"]
    assert second["next"] is None
    assert await api.refused("GET", f"/tables/customers/records?after={first['next']}") == [("CURSOR_INVALID", None)]


async def test_deleted_records_are_found_by_their_values(api: Api) -> None:
    await api.table()
    await deleted(api, "a")
    await deleted(api, "b")
    query = json.dumps({"field": "name", "op": "eq", "value": "b"})
    page = await api.call("GET", DELETED, params={"filter": query})
    assert [one["record"]["name"] for one in page["data"]] == ["b"]
    wrong = json.dumps({"field": "nmae", "op": "eq", "value": "b"})
    assert await api.refused("GET", DELETED, params={"filter": wrong}) == [("FILTER_INVALID", "/filter/field")]


async def test_nobody_else_s_deleted_records_are_listed(api: Api, other: Api) -> None:
    table = await api.table()
    await deleted(api, "mine")
    await other.table()
    assert (await other.call("GET", DELETED))["data"] == []
    assert await other.refused("GET", f"/tables/{table['id']}/deleted", status=404) == [("TABLE_NOT_FOUND", None)]
