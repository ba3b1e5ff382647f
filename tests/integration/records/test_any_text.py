"""Whatever characters a value has, it is stored as it is or refused by name; one row's fault is no other's."""

from __future__ import annotations

import json
import random
import unicodedata
from typing import Any

import pytest

from passerelle.records import searching
from tests.integration.records.recorded import Api

FIELDS = [
    {"name": "k", "type": "text", "unique": True},
    {"name": "a", "type": "text"},
    {"name": "b", "type": "text", "indexed": True},
    {"name": "c", "type": "assignee"},
    {"name": "d", "type": "json"},
    {"name": "e", "type": "array"},
    {"name": "mail", "type": "email", "unique": True},
]
NO_WORDS = ["-", ".", "?", "   ", "👍", "—", "...", "\u200b", "\u0301", "\U000e0001"]
LINES = {"Content-Type": "application/x-ndjson"}


def some_text(random_: random.Random) -> str:
    """Characters of every plane, and often none that is a letter."""
    if random_.random() < 0.3:
        return random_.choice(NO_WORDS)
    planes = [(1, 0x7F), (0x80, 0x24F), (0x250, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]
    return "".join(chr(random_.randint(*random_.choice(planes))) for _ in range(random_.randint(0, 12)))


async def imported(api: Api, rows: list[dict[str, Any]]) -> Any:
    content = "\n".join(json.dumps(row) for row in rows)
    answer = await api.client.post("/tables/customers/import", content=content, headers=LINES)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_any_characters_in_any_two_fields_come_back(api: Api) -> None:
    await api.table(fields=FIELDS)
    random_ = random.Random(7)
    rows = []
    for number in range(1_500):
        one, other = random_.sample(["a", "b", "c", "d", "e"], 2)
        rows.append({"k": str(number)})
        for name in (one, other):
            text = some_text(random_)
            rows[-1][name] = [text] if name == "e" else {text: text} if name == "d" else text  # type: ignore[assignment]
    report = await imported(api, rows)
    assert (report["created"], report["failed"]) == (1_500, 0), report["errors"][:3]
    answer = await api.client.get("/tables/customers/export?format=jsonl")
    found = {row["k"]: row for row in map(json.loads, answer.text.split("\n")[:-1])}
    for row in rows:
        for name in ("a", "b"):
            assert (found[row["k"]][name] or "") == unicodedata.normalize("NFC", row.get(name, ""))
        for name in ("d", "e"):
            assert found[row["k"]][name] == row.get(name)


@pytest.mark.parametrize("text", NO_WORDS)
async def test_a_text_without_a_word_stands_beside_another(api: Api, text: str) -> None:
    await api.table(fields=FIELDS)
    made = await api.add({"a": "Jan", "b": text})
    assert made["a"] == "Jan"
    changed = await api.call("PATCH", f"/tables/customers/records/{made['id']}", {"a": text, "b": "Jan"})
    assert (changed["a"], changed["b"]) == (text, "Jan")


@pytest.mark.parametrize("value", ["a\0b", {"a": ["\0"]}])
async def test_what_cannot_be_stored_is_refused_by_name_and_alone(api: Api, value: Any) -> None:
    await api.table(fields=FIELDS)
    name = "a" if isinstance(value, str) else "d"
    report = await imported(api, [{"k": "1"}, {"k": "2", name: value}, {"k": "3"}])
    assert (report["created"], report["failed"]) == (2, 1)
    assert [(error["line"], error["field"], error["code"]) for error in report["errors"]] == [
        (2, name, "FIELD_INVALID")
    ]


async def test_an_error_of_the_database_about_one_row_is_no_other_rows(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else it may refuse: here a list of words that has an empty one."""
    whole = searching.search_text
    monkeypatch.setattr(
        "passerelle.records.repository.search_text",
        lambda table, values: "a  b" if "bad" in str(values) else whole(table, values),
    )
    await api.table(fields=FIELDS)
    report = await imported(api, [{"k": str(number), "a": "bad" if number == 40 else "good"} for number in range(80)])
    assert (report["created"], report["failed"]) == (79, 1)
    assert [(error["line"], error["code"]) for error in report["errors"]] == [(41, "RECORD_NOT_STORABLE")]
    answer = await api.client.post("/tables/customers/records", json={"a": "bad"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "RECORD_NOT_STORABLE")


async def test_texts_that_look_the_same_are_one_unique_value(api: Api) -> None:
    await api.table(fields=FIELDS)
    await api.add({"k": "Caf\u00e9", "mail": "Anna@Example.com"})
    for same in (
        {"k": "Cafe\u0301"},
        {"k": " Caf\u00e9\u200b"},
        {"mail": "anna@example.com"},
        {"mail": "\ufeffANNA@example.com"},
    ):
        answer = await api.client.post("/tables/customers/records", json=same)
        assert answer.status_code == 409, same
    upserted = await api.call("PUT", "/tables/customers/records/by/mail/ANNA@EXAMPLE.com", {"a": "x"})
    assert (upserted["k"], upserted["mail"]) == ("Caf\u00e9", "anna@example.com")


async def test_a_field_may_tell_mailboxes_apart_by_case(api: Api) -> None:
    fields = [{"name": "mail", "type": "email", "unique": True, "caseSensitive": True}]
    await api.table(fields=fields)
    await api.add({"mail": "Anna@Example.com"})
    assert (await api.add({"mail": "anna@EXAMPLE.com"}))["mail"] == "anna@example.com"
    table = await api.call("GET", "/tables/customers")
    assert table["fields"][0]["caseSensitive"] is True
    answer = await api.client.patch("/tables/customers", json={"fields": [fields[0] | {"caseSensitive": False}]})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "TABLE_TYPE_CHANGE")


async def test_an_extension_makes_another_number(api: Api) -> None:
    await api.table(fields=[{"name": "p", "type": "phone", "unique": True}])
    assert (await api.add({"p": "+48 22 333 45 67 ext. 12"}))["p"] == "+48223334567;ext=12"
    assert (await api.add({"p": "+48 22 333 45 67 ext. 13"}))["p"] == "+48223334567;ext=13"
    answer = await api.client.post("/tables/customers/records", json={"p": "+48 000 000 000"})
    assert answer.json()["errors"][0]["code"] == "FIELD_INVALID"
