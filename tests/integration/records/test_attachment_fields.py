"""Fields of files name files that are there: the record's own, and none that is gone."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.records.recorded import Api

FIELDS: list[dict[str, Any]] = [
    {"name": "name", "type": "text", "required": True},
    {"name": "number", "type": "text", "unique": True},
    {"name": "papers", "type": "attachment"},
]
RECORDS = "/tables/customers/records"
NOBODY = "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"


async def sent(api: Api, path: str, name: str = "a.txt") -> Any:
    answer = await api.client.post(path, files={"file": (name, b"some text\n")})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def attached(api: Api, record: Any) -> str:
    return str((await sent(api, f"{RECORDS}/{record['id']}/attachments"))["id"])


async def test_an_id_of_nothing_is_refused_by_every_way_to_write(api: Api) -> None:
    await api.table(fields=FIELDS)
    record = await api.add({"name": "a", "number": "1"})
    values = {"name": "a", "papers": [NOBODY]}
    refused = [("ATTACHED_UNKNOWN", "/papers")]
    assert await api.refused("POST", RECORDS, values) == refused
    for method, path in (
        ("PATCH", record["id"]),
        ("PUT", record["id"]),
        ("PUT", "by/number/1"),
        ("PUT", "by/number/2"),
    ):
        assert await api.refused(method, f"{RECORDS}/{path}", values) == refused
    for mode in ("mode=create", "mode=upsert&by=number", "mode=upsert&by=number&dryRun=true"):
        answer = await api.client.post(
            f"/tables/customers/import?{mode}",
            content=json.dumps({**values, "number": "1" if "upsert" in mode else "3"}),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert [error["code"] for error in answer.json()["errors"]] == ["ATTACHED_UNKNOWN"]
    assert (await api.call("GET", RECORDS))["data"] == [record]


async def test_a_file_of_another_workspace_is_nothing(api: Api, other: Api) -> None:
    await api.table(fields=FIELDS)
    await other.table(fields=FIELDS)
    foreign = (await sent(other, "/resources"))["resourceId"]
    assert await api.refused("POST", RECORDS, {"name": "a", "papers": [foreign]}) == [("ATTACHED_UNKNOWN", "/papers")]


async def test_a_file_that_is_named_becomes_an_attachment(api: Api) -> None:
    await api.table(fields=FIELDS)
    first, second = [(await sent(api, "/resources", name))["resourceId"] for name in ("a.txt", "b.txt")]
    record = await api.add({"name": "a", "papers": [first]})
    await api.call("PATCH", f"{RECORDS}/{record['id']}", {"papers": [first, second]})
    files = (await api.call("GET", f"{RECORDS}/{record['id']}/attachments"))["data"]
    assert sorted((one["id"], one["name"]) for one in files) == sorted([(first, "a.txt"), (second, "b.txt")])


async def test_a_deleted_file_leaves_the_fields_that_name_it(api: Api) -> None:
    await api.table(fields=FIELDS)
    record = await api.add({"name": "a"})
    path = f"{RECORDS}/{record['id']}"
    first, second = await attached(api, record), await attached(api, record)
    await api.call("PATCH", path, {"papers": [first, second]})
    await api.call("DELETE", f"{path}/attachments/{first}", status=204)
    assert (await api.call("GET", path))["papers"] == [second]
    await api.call("DELETE", f"{path}/attachments/{second}", status=204)
    changed = await api.call("GET", path)
    assert (changed["papers"], changed["version"]) == (None, 4)
    newest = (await api.call("GET", f"{path}/history"))["data"][0]
    assert newest["changes"] == [{"field": "papers", "old": [second], "new": None}]


async def test_the_last_file_of_a_required_field_stays(api: Api) -> None:
    await api.table(fields=[*FIELDS[:2], FIELDS[2] | {"required": True}])
    file = (await sent(api, "/resources"))["resourceId"]
    record = await api.add({"name": "a", "papers": [file]})
    path = f"{RECORDS}/{record['id']}/attachments/{file}"
    assert await api.refused("DELETE", path) == [("FIELD_REQUIRED", None)]
    assert (await api.call("GET", path))["link"]


async def test_files_of_a_merged_record_keep_their_names_in_fields(api: Api) -> None:
    await api.table(fields=FIELDS)
    target, source = await api.add({"name": "a"}), await api.add({"name": "b"})
    file, both = await attached(api, source), (await sent(api, "/resources"))["resourceId"]
    await api.call("PATCH", f"{RECORDS}/{target['id']}", {"papers": [both]})
    await api.call("PATCH", f"{RECORDS}/{source['id']}", {"papers": [both, file]})
    merged = await api.call("POST", f"{RECORDS}/{target['id']}/merge", {"from": source["id"], "fields": ["papers"]})
    assert merged["papers"] == [both, file]
    files = (await api.call("GET", f"{RECORDS}/{target['id']}/attachments"))["data"]
    assert sorted(one["id"] for one in files) == sorted([both, file])
