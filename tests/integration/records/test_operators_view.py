"""What somebody at a terminal meets: answers that can be sent back, hints, dry runs that tell the truth."""

from __future__ import annotations

import json

from tests.integration.records.recorded import Api

RECORDS = "/tables/customers/records"


async def test_the_fields_of_an_answer_can_be_changed_and_sent_back(api: Api) -> None:
    fields = (await api.table())["fields"]
    fields.append({"name": "city", "type": "text"})
    changed = await api.call("PATCH", "/tables/customers", {"fields": fields}, 200)
    assert [field["name"] for field in changed["fields"]] == ["name", "number", "age", "status", "city"]
    assert await api.refused("PATCH", "/tables/customers", {"fields": [{**fields[0], "indx": "ready"}]}) == [
        ("FIELD_UNKNOWN", "/fields/0/indx")
    ]


async def test_misspelt_types_and_tables_are_told_with_the_nearest(api: Api) -> None:
    await api.table()
    body = {
        "name": "notes",
        "fields": [{"name": "a", "type": "txt"}, {"name": "b", "type": "relation", "table": "custmers"}],
    }
    answer = await api.call("POST", "/tables", body, 400)
    assert [error["message"] for error in answer["errors"]] == [
        "there is no type `txt`: did you mean `text`?",
        "this workspace has no table `custmers`; did you mean `customers`?",
    ]


async def test_a_deleted_record_says_how_it_comes_back_and_an_erased_one_does_not(api: Api) -> None:
    await api.table()
    path = f"{RECORDS}/{(await api.add({'name': 'A'}))['id']}"
    await api.call("DELETE", path)
    answer = await api.call("GET", path, status=404)
    assert answer["errors"][0]["message"].endswith("was deleted: `POST …/restore` brings it back")
    await api.call("POST", f"{path}/restore")
    await api.call("DELETE", f"{path}?erase=true")
    answer = await api.call("GET", path, status=404)
    assert "has no record" in answer["errors"][0]["message"]


async def test_a_dry_run_of_upserts_tells_what_an_import_would_do(api: Api) -> None:
    await api.table()
    await api.add({"name": "Old", "number": "1", "age": 1})
    # The record that is there has a name, which new ones must be given; one that comes twice is made once.
    rows = '{"number": "1", "age": 2}\n{"number": "2", "name": "New"}\n{"number": "3"}\n{"number": "2", "age": 5}\n'
    query = "/tables/customers/import?mode=upsert&by=number"
    headers = {"Content-Type": "application/x-ndjson"}
    for dry in ("true", "true", "false"):
        report = (await api.client.post(f"{query}&dryRun={dry}", content=rows, headers=headers)).json()
        assert {name: report[name] for name in ("rows", "created", "updated", "failed")} == {
            "rows": 4,
            "created": 1,
            "updated": 2,
            "failed": 1,
        }
        assert [(error["line"], error["field"], error["code"]) for error in report["errors"]] == [
            (3, "name", "FIELD_REQUIRED")
        ]
    page = await api.call("GET", f"{RECORDS}?sort=number")
    assert [(record["name"], record["age"], record["version"]) for record in page["data"]] == [
        ("Old", 2, 2),
        ("New", 5, 2),
    ]


async def test_upserts_of_new_and_known_records_keep_their_order_over_batches(api: Api) -> None:
    await api.table(
        fields=[
            {"name": "number", "type": "text", "unique": True},
            {"name": "code", "type": "text", "unique": True},
            {"name": "friend", "type": "relation", "table": "customers"},
        ]
    )
    held = await api.add({"number": "known", "code": "a"})
    rows = [
        {"number": "known", "code": "b"},
        {"number": "new", "code": "a"},  # free since the row before
        {"number": "new", "friend": held["id"]},
        {"number": "other", "code": "b"},  # taken
        {"number": "", "code": "c"},
        {"number": "lonely", "friend": "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"},
        *({"number": str(number)} for number in range(600)),
        {"number": "7", "code": "seven"},
    ]
    answer = await api.client.post(
        "/tables/customers/import?mode=upsert&by=number",
        content="".join(json.dumps(row) + "\n" for row in rows),
        headers={"Content-Type": "application/x-ndjson"},
    )
    report = answer.json()
    assert [(error["line"], error["field"], error["code"]) for error in report["errors"]] == [
        (4, "code", "VALUE_TAKEN"),
        (5, "number", "IMPORT_ROW"),
        (6, "friend", "RELATED_UNKNOWN"),
    ]
    assert (report["created"], report["updated"], report["failed"]) == (601, 3, 3)
    found = (await api.call("GET", f"{RECORDS}?sort=createdAt&limit=500"))["data"]
    by_number = {record["number"]: record for record in found}
    assert (by_number["known"]["code"], by_number["new"]["code"], by_number["7"]["code"]) == ("b", "a", "seven")
    assert by_number["new"]["friend"] == held["id"]


async def test_an_upsert_by_nothing_makes_no_record(api: Api) -> None:
    await api.table()
    assert await api.refused("PUT", f"{RECORDS}/by/number/", {"name": "A"}) == [("FIELD_INVALID", "/number")]
    assert (await api.call("GET", RECORDS))["data"] == []
