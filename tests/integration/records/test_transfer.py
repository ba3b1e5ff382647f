"""Import and export: every row is either taken or reported, and what is exported can be imported again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.records.recorded import Api

IMPORT = "/tables/customers/import"
CSV = {"Content-Type": "text/csv"}
LINES = {"Content-Type": "application/x-ndjson"}
FIELDS = [
    {"name": "name", "type": "text", "required": True},
    {"name": "number", "type": "text", "unique": True},
    {"name": "age", "type": "integer"},
    {"name": "vip", "type": "checkbox"},
    {"name": "tags", "type": "multiselect", "options": ["a", "b"]},
    {"name": "more", "type": "json"},
]


async def imported(api: Api, content: bytes | str, query: str = "", status: int = 200, **more: Any) -> Any:
    answer = await api.client.post(IMPORT + query, content=content, headers=more.get("headers", CSV))
    assert answer.status_code == status, answer.text
    return answer.json()


async def names(api: Api) -> list[str]:
    page = await api.call("GET", "/tables/customers/records?sort=createdAt&limit=500")
    return [record["name"] for record in page["data"]]


async def test_rows_that_are_right_are_taken_and_the_others_reported(api: Api) -> None:
    await api.table(fields=FIELDS)
    report = await imported(
        api,
        "\ufeffname;number;age;vip;tags;more\r\n"
        'Acme;1;3;true;a,b;"{""x"": [1, 2]}"\r\n'
        ";2;3;;;\r\n"
        "Old;3;x;;;\r\n"
        "Few;4\r\n"
        '"Two\r\nlines";5;;;;\r\n'
        "Same;1;;;;\r\n"
        "Tagged;6;;;c;\r\n",
    )
    assert {key: report[key] for key in ("rows", "created", "failed", "complete")} == {
        "rows": 7,
        "created": 2,
        "failed": 5,
        "complete": True,
    }
    found = sorted((error["line"], error["field"], error["code"]) for error in report["errors"] if error["field"])
    assert found == [
        (3, "name", "FIELD_REQUIRED"),
        (4, "age", "IMPORT_ROW"),
        (8, "number", "VALUE_TAKEN"),
        (9, "tags", "FIELD_INVALID"),
    ]
    assert [(error["line"], error["field"]) for error in report["errors"] if not error["field"]] == [(5, None)]
    page = await api.call("GET", "/tables/customers/records?sort=createdAt")
    assert [(one["name"], one["age"], one["tags"], one["more"]) for one in page["data"]] == [
        ("Acme", 3, ["a", "b"], {"x": [1, 2]}),
        ("Two\r\nlines", None, None, None),
    ]


async def test_a_dry_run_reports_the_same_and_writes_nothing(api: Api) -> None:
    await api.table(fields=FIELDS)
    rows = "name,number\na,1\nb,1\n,2\n"
    dry = await imported(api, rows, "?dryRun=true")
    assert await names(api) == []
    wet = await imported(api, rows)
    assert dry["errors"] == wet["errors"]
    assert (dry["created"], wet["created"]) == (1, 1)


async def test_upsert_changes_what_is_there(api: Api) -> None:
    await api.table(fields=FIELDS)
    await imported(api, "name,number,age\na,1,1\nb,2,2\n")
    report = await imported(api, "number,name,age\n1,A,\n3,c,3\n,d,4\n", "?mode=upsert&by=number")
    assert (report["created"], report["updated"], report["failed"]) == (1, 1, 1)
    assert [error["field"] for error in report["errors"]] == ["number"]
    assert sorted(await names(api)) == ["A", "b", "c"]
    refused = await imported(api, "name\na\n", "?mode=upsert&by=name", 400)
    assert refused["errors"][0]["code"] == "FIELD_NOT_UNIQUE"


async def test_an_export_can_be_imported_again(api: Api) -> None:
    await api.table(fields=FIELDS)
    rows = [
        {"name": 'quote " and; comma,', "number": "1", "age": -1, "vip": False, "tags": ["b"], "more": {"a": None}},
        {"name": "ąę\nline", "number": "2", "more": [1, "x"]},
        {"name": "=1+1", "number": "007", "age": 2**60},
    ]
    for row in rows:
        await api.add(row)
    before = (await api.call("GET", "/tables/customers/records"))["data"]
    for form, headers in (("csv", CSV), ("jsonl", LINES)):
        answer = await api.client.get(f"/tables/customers/export?format={form}")
        report = await imported(api, answer.content, "?mode=upsert&by=number", headers=headers)
        assert (report["updated"], report["failed"]) == (3, 0), report
        assert report["ignoredColumns"] == ["id", "version", "createdAt", "updatedAt"]
    assert (await api.call("GET", "/tables/customers/records"))["data"] == before


async def test_an_export_can_be_filtered_and_is_complete_over_pages(api: Api) -> None:
    await api.table(fields=FIELDS)
    await imported(api, "name,age\n" + "".join(f"n{index},{index}\n" for index in range(1100)))
    answer = await api.client.get("/tables/customers/export?format=jsonl")
    assert [json.loads(line)["name"] for line in answer.text.splitlines()] == [f"n{index}" for index in range(1100)]
    query = json.dumps({"field": "age", "op": "gte", "value": 1098})
    answer = await api.client.get("/tables/customers/export", params={"filter": query})
    assert len(answer.text.splitlines()) == 3
    assert (await api.client.get("/tables/customers/export?filter=1")).status_code == 400


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"Acme,3\n", "line 1"),
        (b"name,nmae\nx,y\n", "did you mean `name`"),
        (b"name,name\nx,y\n", "twice"),
        (b"name\n\xff\xfe\n", "line 2: byte 0xff is not UTF-8"),
        ("name\nŻółw\n".encode("utf-16"), "UTF-8"),
        (b'name,age\n"open,1\nx,2\n', "line 2: a quote"),
        (b"name\n" + b"x" * 10_000_000, "line 2: the line is longer"),
        (b'name\n"' + b"x\n" * 2_000_000, "line 2: a quote"),
    ],
    ids=["empty", "no-header", "unknown", "twice", "latin", "utf-16", "open-quote", "10-MB-cell", "10-MB-quoted"],
)
async def test_a_file_that_cannot_be_read_is_refused_with_its_line(api: Api, content: bytes, words: str) -> None:
    await api.table(fields=FIELDS)
    answer = await imported(api, content, status=400)
    assert {error["code"] for error in answer["errors"]} == {"IMPORT_UNREADABLE"}
    assert any(words in error["message"] for error in answer["errors"]), answer
    assert await names(api) == []


async def test_a_wrong_quote_spoils_one_row_only(api: Api) -> None:
    await api.table(fields=FIELDS)
    report = await imported(api, 'name,age\n"a"b"",1\nok,2\n')
    assert (report["created"], [error["line"] for error in report["errors"]]) == (1, [2])


async def test_what_was_taken_before_the_end_is_told(api: Api) -> None:
    await api.table(fields=FIELDS)

    async def breaking() -> AsyncIterator[bytes]:
        yield b"name\na\nb\n"
        yield b"\xff\n"

    report = await imported(api, breaking())  # type: ignore[arg-type]  # a stream is content too
    assert (report["complete"], report["created"], report["errors"][-1]["code"]) == (False, 2, "IMPORT_UNREADABLE")
    assert await names(api) == ["a", "b"]


async def test_json_lines_are_told_apart(api: Api) -> None:
    await api.table(fields=FIELDS)
    report = await imported(api, '{"name": "a", "age": 1}\n\n[1]\n{"name": 1}\nx\n', headers=LINES)
    assert (report["created"], [error["line"] for error in report["errors"]]) == (1, [3, 4, 5])
    refused = await imported(api, "x", status=415, headers={"Content-Type": "text/plain"})
    assert refused["errors"][0]["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_rows_are_taken_while_the_file_still_comes(api: Api) -> None:
    await api.table(fields=FIELDS)
    seen: list[int] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield b"name\n"
        for batch in range(3):
            yield b"x\n" * 500
            yield b""
            seen.append(batch)

    report = await imported(api, slowly())  # type: ignore[arg-type]  # a stream is content too
    assert (report["created"], seen) == (1500, [0, 1, 2])


async def test_an_export_that_is_safe_to_open_comes_back_as_it_was(api: Api) -> None:
    await api.table(fields=FIELDS)
    names_ = ['=HYPERLINK("http://evil.example/","x")', "+48 22", "-", "@x", "'=y", "plain", "\ttab"]
    for number, name in enumerate(names_):
        await api.add({"name": name, "number": str(number), "age": -5})
    exact = (await api.client.get("/tables/customers/export?format=csv")).text
    safe = (await api.client.get("/tables/customers/export?format=csv&safe=true")).text
    assert ',"=HYPERLINK' in exact
    assert "\"'=HYPERLINK" in safe
    assert ",-5," in safe
    assert not [line for line in safe.splitlines() if ",=" in line or ",@" in line or ",+" in line]
    before = (await api.call("GET", "/tables/customers/records"))["data"]
    report = await imported(api, safe, "?mode=upsert&by=number&safe=true")
    assert (report["updated"], report["failed"]) == (len(names_), 0)
    assert (await api.call("GET", "/tables/customers/records"))["data"] == before


async def test_a_file_that_excel_saved_is_taken(api: Api) -> None:
    await api.table(fields=FIELDS)
    report = await imported(
        api, '\ufeffsep=;\r\nname;number;age;vip;\r\n"5"" pipe";007;3;TRUE;\r\n;;;;\r\nb;008;;FALSE;;\r\n'
    )
    assert (report["rows"], report["created"], report["failed"]) == (2, 2, 0)
    assert await names(api) == ['5" pipe', "b"]


async def test_columns_of_other_names_stand_for_fields_and_some_are_left_out(api: Api) -> None:
    await api.table()
    columns = json.dumps({"Company": "name", "Remarks": None, "Nr.": "number"})
    rows = "Company;Nr.;Remarks;age\nAcme;1;nobody reads this;3\n"
    report = await api.call(
        "POST",
        "/tables/customers/import",
        content=rows,
        params={"columns": columns},
        headers={"Content-Type": "text/csv"},
    )
    assert (report["created"], report["ignoredColumns"], report["errors"]) == (1, ["Remarks"], [])
    lines = (await api.client.get("/tables/customers/export?fields=age,name&sort=-age&text=acme")).text.splitlines()
    assert [line.split(",")[4:] for line in lines] == [["age", "name"], ["3", "Acme"]]
    for wrong in ("x", "[]", '{"a": 1}'):
        answer = await api.client.post(
            "/tables/customers/import", content=rows, params={"columns": wrong}, headers={"Content-Type": "text/csv"}
        )
        assert answer.json()["errors"][0]["code"] == "QUERY_INVALID"
