"""Duplicates are found, and two records become one that answers for both ids; nothing of either is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from passerelle.kit.database import Database
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.records.duplicates import Duplicates
from passerelle.records.errors import DUPLICATES_TOO_MANY
from passerelle.records.merging import REPOINT_JOB
from passerelle.records.parts import RecordServices
from passerelle.records.repository import RecordRepository
from tests.integration.records.recorded import Api

RECORDS = "/tables/customers/records"


async def merged(api: Api, target: Any, source: Any, *fields: str, **more: Any) -> Any:
    return await api.call("POST", f"{RECORDS}/{target['id']}/merge", {"from": source["id"], "fields": fields}, **more)


async def run_jobs(database: Database, parts: RecordServices, entrypoint: str) -> int:
    async with database.shared() as connection:
        jobs = await connection.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING id, payload", entrypoint)
    for job in jobs:
        await parts.jobs()[entrypoint](JobRunning(job["id"], loads(job["payload"])))
    return len(jobs)


async def test_the_record_keeps_its_values_and_gets_those_that_it_lacks(api: Api) -> None:
    await api.table()
    target = await api.add({"name": "Acme", "status": "new"})
    source = await api.add({"name": "ACME Ltd", "number": "7", "age": 3, "status": "approved"})
    answer = await merged(api, target, source, "status")
    assert {key: answer[key] for key in ("id", "version", "name", "number", "age", "status")} == {
        "id": target["id"], "version": 2, "name": "Acme", "number": "7", "age": 3, "status": "approved",
    }  # fmt: skip
    page = await api.call("GET", RECORDS)
    assert [one["id"] for one in page["data"]] == [target["id"]]


async def test_the_old_id_answers_with_the_new_record_and_changes_it(api: Api) -> None:
    await api.table()
    target, source = await api.add({"name": "a"}), await api.add({"name": "b"})
    await merged(api, target, source)
    assert (await api.call("GET", f"{RECORDS}/{source['id']}"))["id"] == target["id"]
    changed = await api.call("PATCH", f"{RECORDS}/{source['id']}", {"age": 5})
    assert (changed["id"], changed["age"]) == (target["id"], 5)
    await api.call("DELETE", f"{RECORDS}/{target['id']}", status=204)
    assert await api.refused("GET", f"{RECORDS}/{source['id']}", status=404) == [("RECORD_NOT_FOUND", None)]


async def test_merging_again_changes_nothing_and_chains_end_at_the_last(api: Api) -> None:
    await api.table()
    first, second, third = [await api.add({"name": name}) for name in "abc"]
    once = await merged(api, second, first)
    assert await merged(api, second, first) == once
    await merged(api, third, second)
    # Also where both have become the same record by other ways.
    assert (await merged(api, first, second))["id"] == third["id"]
    for one in (first, second, third):
        assert (await api.call("GET", f"{RECORDS}/{one['id']}"))["id"] == third["id"]


async def test_a_unique_value_moves_and_is_found_only_once(api: Api) -> None:
    await api.table()
    target, source = await api.add({"name": "a", "number": "1"}), await api.add({"name": "b", "number": "2"})
    answer = await merged(api, target, source, "number")
    assert answer["number"] == "2"
    # The value that nobody has any more is free; the other is the merged record's.
    await api.add({"name": "c", "number": "1"})
    assert await api.refused("POST", RECORDS, {"name": "d", "number": "2"}, 409) == [("VALUE_TAKEN", "/number")]
    upserted = await api.call("PUT", f"{RECORDS}/by/number/2", {"age": 4}, 200)
    assert upserted["id"] == target["id"]


async def test_history_comments_and_files_of_both_are_there(api: Api) -> None:
    await api.table()
    target, source = await api.add({"name": "a"}), await api.add({"name": "b"})
    await api.call("PATCH", f"{RECORDS}/{source['id']}", {"age": 1})
    for one in (target, source):
        await api.call("POST", f"{RECORDS}/{one['id']}/comments", {"text": f"about {one['name']}"}, 201)
        await api.client.post(f"{RECORDS}/{one['id']}/attachments", files={"file": (f"{one['name']}.txt", b"text")})
    await merged(api, target, source)
    for record_id in (target["id"], source["id"]):
        path = f"{RECORDS}/{record_id}"
        seen, more = [], "?limit=2"
        while more:
            page = await api.call("GET", f"{path}/history{more}")
            seen += [(line["recordId"], line["version"], line["action"]) for line in page["data"]]
            more = f"?limit=2&after={page['next']}" if page["next"] else ""
        assert sorted(seen) == sorted([
            (target["id"], 1, "created"), (target["id"], 2, "merged"), (source["id"], 1, "created"),
            (source["id"], 2, "updated"), (source["id"], 3, "merged"),
        ])  # fmt: skip
        comments = (await api.call("GET", f"{path}/comments"))["data"]
        assert {one["text"] for one in comments} == {"about a", "about b"}
        files = (await api.call("GET", f"{path}/attachments"))["data"]
        assert {one["name"] for one in files} == {"a.txt", "b.txt"}


async def test_relations_are_led_on_at_once_and_pointed_anew_by_a_job(
    api: Api, database: Database, parts: RecordServices
) -> None:
    await api.table()
    await api.call("POST", "/tables", {"name": "orders", "fields": [
        {"name": "customer", "type": "relation", "table": "customers"},
        {"name": "first", "type": "relation", "table": "customers", "unique": True},
    ]}, 201)  # fmt: skip
    target, source = await api.add({"name": "a"}), await api.add({"name": "b"})
    order = await api.add({"customer": source["id"], "first": source["id"]}, "orders")
    await api.add({"first": target["id"]}, "orders")
    await merged(api, target, source)
    page = await api.call("GET", "/tables/orders/records?include=customer&sort=createdAt")
    assert page["data"][0]["included"]["customer"]["id"] == target["id"]
    assert await run_jobs(database, parts, REPOINT_JOB) == 1
    now = await api.call("GET", f"/tables/orders/records/{order['id']}")
    # A unique relation that another record has stays, and is led on.
    assert (now["customer"], now["first"]) == (target["id"], source["id"])
    refused = await api.call("POST", "/tables/orders/records", {"customer": source["id"]}, 400)
    assert f"was merged into the record {target['id']}" in refused["errors"][0]["message"]


async def test_an_event_names_both_records(api: Api, database: Database) -> None:
    await api.table()
    target, source = await api.add({"name": "a"}), await api.add({"name": "b"})
    await merged(api, target, source)
    async with database.workspace(api.workspace_id) as connection:
        events = await connection.fetch("SELECT type, data FROM event ORDER BY id")
    assert [event["type"] for event in events] == ["record.created", "record.created", "record.merged"]
    data = events[-1]["data"]
    assert (data["recordId"], data["mergedRecordId"], data["version"]) == (target["id"], source["id"], 2)


async def test_what_cannot_be_merged_is_refused_and_leaves_both(api: Api) -> None:
    await api.table()
    target, source = await api.add({"name": "a"}), await api.add({"name": "b"})
    path = f"{RECORDS}/{target['id']}/merge"
    assert await api.refused("POST", path, {"from": target["id"]}) == [("MERGE_WITH_ITSELF", "/from")]
    assert await api.refused("POST", path, {"from": str(uuid4())}, 404) == [("RECORD_NOT_FOUND", "/from")]
    assert await api.refused("POST", path, {"from": "x"}, 404) == [("RECORD_NOT_FOUND", None)]
    wrong = {"from": source["id"], "fields": ["nmae", "age"]}
    assert await api.refused("POST", path, wrong) == [("FIELD_UNKNOWN", "/fields/0")]
    headers = {"If-Match": '"7"'}
    refused = await api.refused("POST", path, {"from": source["id"]}, 412, headers=headers)
    assert refused == [("RECORD_VERSION_CONFLICT", None)]
    assert len((await api.call("GET", RECORDS))["data"]) == 2


async def test_a_required_field_is_not_emptied_by_a_merge(api: Api) -> None:
    await api.table()
    source = await api.add({"name": "b"})
    table = (await api.call("GET", "/tables/customers"))["fields"]
    kept = ("name", "type", "options", "default", "unique", "indexed", "required")
    fields = [{key: one[key] for key in kept if one[key] is not None} for one in table]
    fields[2]["required"] = True
    await api.call("PATCH", "/tables/customers", {"fields": fields})
    target = await api.add({"name": "a", "age": 1})
    body = {"from": source["id"], "fields": ["age"]}
    refused = await api.refused("POST", f"{RECORDS}/{target['id']}/merge", body)
    assert refused == [("FIELD_REQUIRED", "/fields/0")]


async def duplicates(api: Api, *fields: Any, **more: Any) -> Any:
    answer = await api.call("POST", "/tables/customers/duplicates", {"fields": fields, **more})
    return {tuple(sorted(record["name"] for record in pair["records"])): pair["score"] for pair in answer["data"]}


async def test_candidates_are_equal_in_some_fields_and_near_in_others(api: Api) -> None:
    await api.table()
    for name, age in [
        ("Zażółć Gęślą", 1),
        ("gesla zazolc", 1),
        ("Gesla Zazolc", 2),
        ("Other", 1),
        ("Zazolc Gesl", None),
    ]:
        await api.add({"name": name, **({"age": age} if age else {})})
    near = {"field": "name", "match": "near"}
    assert await duplicates(api, near, {"field": "age"}) == {("Zażółć Gęślą", "gesla zazolc"): 100.0}
    assert len(await duplicates(api, near)) == 6
    assert len(await duplicates(api, {**near, "least": 100})) == 3
    narrowed = await duplicates(api, near, filter={"field": "age", "op": "eq", "value": 1})
    assert list(narrowed) == [("Zażółć Gęślą", "gesla zazolc")]
    assert len(await duplicates(api, near, limit=2)) == 2


async def test_among_many_a_slip_at_either_end_of_a_text_is_found(api: Api) -> None:
    await api.table()
    rows = "".join(f"{chr(97 + one % 26)}{one * 7919:x} {one:b}\n" for one in range(200))
    slips = "Kowalczyk Transport\nXowalczyk Transport\nKowalczyk Transporx\n"
    headers = {"Content-Type": "text/csv"}
    (
        await api.client.post("/tables/customers/import", content="name\n" + rows + slips, headers=headers)
    ).raise_for_status()
    found = await duplicates(api, {"field": "name", "match": "near", "least": 90})
    assert ("Kowalczyk Transport", "Xowalczyk Transport") in found
    assert ("Kowalczyk Transport", "Kowalczyk Transporx") in found


async def test_fields_that_cannot_be_compared_are_named(api: Api) -> None:
    await api.table(fields=[{"name": "age", "type": "integer"}, {"name": "more", "type": "json"}])
    body = {"fields": [{"field": "age", "match": "near"}, {"field": "more"}, {"field": "agee"}]}
    refused = await api.refused("POST", "/tables/customers/duplicates", body)
    assert refused == [("FILTER_INVALID", f"/fields/{index}/field") for index in range(3)]


async def test_more_records_than_are_looked_at_are_refused(api: Api, parts: RecordServices, database: Database) -> None:
    await api.table()
    for name in "abc":
        await api.add({"name": name})
    few = Duplicates(database, parts.tables, RecordRepository(uuid4), most_records=2)
    with pytest.raises(Exception, match="narrow them by `filter`") as raised:
        await few.find(api.workspace_id, "customers", [("name", "exact", 85)], None, 25)
    assert raised.value.problems[0].code == DUPLICATES_TOO_MANY.name  # type: ignore[attr-defined]  # it is ours


async def test_two_merges_at_once_end_in_one_record(api: Api) -> None:
    import asyncio

    await api.table()
    one, other = await api.add({"name": "a"}), await api.add({"name": "b"})
    answers = await asyncio.gather(merged(api, one, other), merged(api, other, one))
    assert answers[0]["id"] == answers[1]["id"]
    assert [UUID(record["id"]) for record in (await api.call("GET", RECORDS))["data"]] == [UUID(answers[0]["id"])]
