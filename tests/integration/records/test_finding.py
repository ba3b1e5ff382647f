"""Searches give exactly what a reading of every record would, along every index and without one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cmp_to_key
from random import Random
from typing import Any

import pytest

from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.json import KnownJson
from passerelle.records import plans
from passerelle.records.finding import RecordSearch
from passerelle.records.parts import RecordServices
from tests.integration.records.recorded import Api

RECORDS = "/tables/customers/records"
SEARCH = f"{RECORDS}/search"

FIELDS = [
    {"name": "name", "type": "text"},
    {"name": "code", "type": "text", "unique": True},
    {"name": "age", "type": "integer"},
    {"name": "score", "type": "number"},
    {"name": "active", "type": "checkbox"},
    {"name": "born", "type": "date"},
    {"name": "status", "type": "singleSelect", "options": ["new", "approved", "gone"]},
    {"name": "tags", "type": "multiselect", "options": ["a", "b", "c"]},
]
INDEXABLE = ("name", "age", "score", "active", "born", "status")
VALUES: dict[str, list[KnownJson]] = {
    "name": [None, "a", "ab", "Zoë", "żółw", "b%_", "B"],
    "age": [None, -3, 0, 1, 2, 10, 2**53 + 1, 2**53],
    "score": [None, -1.5, -1, 0, 0.1, 1e10, 3],
    "active": [None, True, False],
    "born": [None, "1999-12-31", "2000-01-01"],
    "status": [None, "new", "approved", "gone"],
    "tags": [None, ["a"], ["a", "b"], ["c"]],
}
ROWS = 120


def some_records(random: Random) -> list[dict[str, KnownJson]]:
    return [
        {name: random.choice(choices) for name, choices in VALUES.items()} | {"code": f"c{index}"}
        for index in range(ROWS)
    ]


def some_filter(random: Random, depth: int = 0) -> KnownJson:
    kind = random.choice(["and", "or", "not"] if depth == 0 else ["and", "not", "one", "one", "one", "one"])
    if depth < 3 and kind in ("and", "or"):
        return {kind: [some_filter(random, depth + 1) for _ in range(random.randint(1, 3))]}
    if depth < 3 and kind == "not":
        return {"not": some_filter(random, depth + 1)}
    name = random.choice([*VALUES, "code"])
    if name == "tags":
        return {"field": name, "op": "contains", "value": random.choice(["a", "b", "c"])}
    values = [value for value in VALUES.get(name, ["c1", "c50", "c99"]) if value is not None]
    ops = ["eq", "ne", "in", "isEmpty"]
    ops += [] if name == "active" else ["gt", "gte", "lt", "lte"]
    ops += ["contains", "startsWith"] if isinstance(values[0], str) and name != "active" else []
    op = random.choice(ops)
    value: KnownJson = random.choice(values)
    if op == "in":
        value = random.sample(values, random.randint(1, len(values)))
    if op == "isEmpty":
        value = random.choice([True, False])
    return {"field": name, "op": op, "value": value}


def holds(condition: KnownJson, record: KnownJson) -> bool:
    """What a filter means, said once more without SQL."""
    if condition is None:
        return True
    if "and" in condition:
        return all(holds(part, record) for part in condition["and"])
    if "or" in condition:
        return any(holds(part, record) for part in condition["or"])
    if "not" in condition:
        return not holds(condition["not"], record)
    value, wanted, op = record[condition["field"]], condition["value"], condition["op"]
    if op == "isEmpty":
        return (value is None) is wanted
    if op == "ne":
        return bool(value != wanted)
    if value is None:
        return False
    verdicts: dict[str, Callable[[], Any]] = {
        "eq": lambda: value == wanted,
        "in": lambda: value in wanted,
        "gt": lambda: value > wanted,
        "gte": lambda: value >= wanted,
        "lt": lambda: value < wanted,
        "lte": lambda: value <= wanted,
        "contains": lambda: wanted in value,
        "startsWith": lambda: value.startswith(wanted),
    }
    return bool(verdicts[op]())


def ordered(records: list[Any], sort: list[str]) -> list[Any]:
    keys = [(name.removeprefix("-"), name.startswith("-")) for name in sort]
    keys.append(("id", keys[-1][1] if keys else True))

    def compare(one: Any, other: Any) -> int:
        for name, descending in keys:
            a, b = one["id" if name == "createdAt" else name], other["id" if name == "createdAt" else name]
            if a != b:
                less = (a is None) or (b is not None and a < b)
                return (1 if less else -1) * (1 if descending else -1)
        return 0

    return sorted(records, key=cmp_to_key(compare))


async def pages(api: Api, body: Any) -> Any:
    found: list[Any] = []
    after = None
    while True:
        page = await api.call("POST", SEARCH, body | {"after": after})
        found += page["data"]
        assert len(found) <= ROWS, "a page came again"
        after = page["next"]
        if after is None:
            return found


def fields_with(indexed: tuple[str, ...]) -> list[Any]:
    every: Any = FIELDS
    return [{**field, **({"indexed": True} if field["name"] in indexed else {})} for field in every]


@pytest.mark.parametrize("indexed", [(), ("age", "status"), INDEXABLE], ids=["no-index", "some", "all"])
@pytest.mark.parametrize("few", [0, plans.FEW], ids=["many", "few"])
async def test_every_search_finds_what_a_reading_of_all_would(
    api: Api, indexed: tuple[str, ...], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "FEW", few)
    random = Random(f"{indexed}{few}")
    await api.table(fields=fields_with(indexed))
    records = [await api.add(values) for values in some_records(random)]
    for _ in range(60):
        condition = random.choice([None, some_filter(random), some_filter(random, 2)])
        names = random.sample([*INDEXABLE, "createdAt", "code"], random.randint(0, 3))
        sort = [random.choice(["", "-"]) + name for name in names]
        # What stands behind the time of creation decides nothing: no two records share an id.
        body = {"filter": condition, "sort": sort, "limit": random.choice([7, 50])}
        wanted = ordered([record for record in records if holds(condition, record)], _until_created(sort))
        ids = [one["id"] for one in wanted]
        assert [one["id"] for one in await pages(api, body)] == ids, body
        skip = random.randint(1, ROWS)
        jumped = await api.call("POST", SEARCH, body | {"skip": skip})
        assert [one["id"] for one in jumped["data"]] == ids[skip : skip + body["limit"]], (body, skip)
        if jumped["next"] is not None:
            on = await api.call("POST", SEARCH, body | {"after": jumped["next"], "skip": 2})
            assert [one["id"] for one in on["data"]] == ids[skip + body["limit"] + 2 :][: body["limit"]], (body, skip)
        up_to = random.randint(1, ROWS)
        counted = await api.call("POST", f"{RECORDS}/count", {"filter": condition, "upTo": up_to})
        assert counted == {"count": min(len(ids), up_to), "exact": len(ids) <= up_to}


@pytest.mark.parametrize("walked", [3, plans.WALKED])
async def test_words_find_what_a_reading_of_all_would_however_many_records_have_them(
    api: Api, walked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of many records are found among the first that an index gives, others by the index of words."""
    monkeypatch.setattr(plans, "WALKED", walked)
    monkeypatch.setattr(plans, "WALKED_BY_KEY", walked)
    random = Random(walked)
    await api.table(fields=fields_with(("age", "status")))
    records = [await api.add(values) for values in some_records(random)]
    for text, has in (("c", "c"), ("C1", "c1"), ("c11", "c11"), ("c1199", "c1199")):
        for sort in ([], ["createdAt"], ["age"], ["-status", "age"], ["name"]):
            condition = random.choice([None, {"field": "status", "op": "eq", "value": "new"}, some_filter(random)])
            body = {"text": text, "filter": condition, "sort": sort, "limit": 7}
            wanted = [one for one in records if one["code"].startswith(has) and holds(condition, one)]
            ids = [one["id"] for one in ordered(wanted, sort)]
            assert [one["id"] for one in await pages(api, body)] == ids, body
            skipped = await api.call("POST", SEARCH, body | {"skip": 4})
            assert [one["id"] for one in skipped["data"]] == ids[4:11], body
            counted = await api.call("POST", f"{RECORDS}/count", {"text": text, "filter": condition, "upTo": 2})
            assert counted == {"count": min(len(ids), 2), "exact": len(ids) <= 2}


def _until_created(sort: list[str]) -> list[str]:
    for index, name in enumerate(sort):
        if name.endswith("createdAt"):
            return sort[: index + 1]
    return sort


@pytest.mark.parametrize("indexed", [(), ("age",)], ids=["no-index", "indexed"])
async def test_pages_stay_right_while_records_come_and_go(api: Api, indexed: tuple[str, ...]) -> None:
    await api.table(fields=fields_with(indexed))
    for age in range(0, 40, 2):
        await api.add({"age": age})
    page = await api.call("POST", SEARCH, {"sort": ["age"], "limit": 10})
    for age in (1, 21):
        await api.add({"age": age})
    await api.call("DELETE", f"{RECORDS}/{page['data'][-1]['id']}")
    rest = await api.call("POST", SEARCH, {"sort": ["age"], "limit": 50, "after": page["next"]})
    assert [record["age"] for record in rest["data"]] == [20, 21, *range(22, 40, 2)]


@pytest.mark.parametrize("sort", ["updatedAt", "-updatedAt"])
async def test_records_stand_in_the_order_in_which_they_were_changed(api: Api, clock: MovedClock, sort: str) -> None:
    await api.table(fields=fields_with(("age",)))
    order = [(await api.add({"age": age, "code": f"c{age}"}))["id"] for age in range(20)]
    for place in (3, 17, 0, 3):
        record_id = order.pop(place)
        clock.move(timedelta(seconds=1))
        await api.call("PATCH", f"{RECORDS}/{record_id}", {"name": "changed"})
        order.append(record_id)
    wanted = order if sort == "updatedAt" else order[::-1]
    for narrowed in ({}, {"text": "c"}, {"filter": {"field": "age", "op": "gte", "value": 0}}):
        body: Any = narrowed | {"sort": [sort], "limit": 7}
        assert [one["id"] for one in await pages(api, body)] == wanted, body
        skipped = await api.call("POST", SEARCH, body | {"skip": 5})
        assert [one["id"] for one in skipped["data"]] == wanted[5:12], body


async def test_an_address_finds_what_a_body_does(api: Api) -> None:
    await api.table()
    for age in (1, 2, 3):
        await api.add({"name": f"n{age}", "age": age})
    query = {"filter": json.dumps({"field": "age", "op": "gte", "value": 2}), "sort": "-age", "fields": "age"}
    page = await api.call("GET", RECORDS, params=query)
    assert [record["age"] for record in page["data"]] == [3, 2]
    assert set(page["data"][0]) == {"id", "version", "createdAt", "updatedAt", "age"}


async def test_words_are_found_without_accents_and_capitals(api: Api, other: Api) -> None:
    await api.table()
    await other.table()
    await other.add({"name": "Łódź"})
    first = await api.add({"name": "Fabryka Łódź", "number": "X-17"})
    await api.add({"name": "Warszawa"})
    for text in ("lodz", "LÓDZ fabryka", "fab", "x-17"):
        assert [record["id"] for record in (await api.call("POST", SEARCH, {"text": text}))["data"]] == [first["id"]]
    await api.call("PATCH", f"{RECORDS}/{first['id']}", {"name": "Kraków"})
    assert (await api.call("POST", SEARCH, {"text": "lodz"}))["data"] == []
    narrowed = {"text": "krakow", "filter": {"field": "age", "op": "isEmpty"}, "sort": ["name"]}
    assert len((await api.call("POST", SEARCH, narrowed))["data"]) == 1


async def test_related_records_come_along(api: Api) -> None:
    await api.table()
    await api.table(name="orders", fields=[{"name": "customer", "type": "relation", "table": "customers"}])
    customer = await api.add({"name": "a"})
    for target in (customer["id"], None):
        await api.add({"customer": target}, "orders")
    page = await api.call("POST", "/tables/orders/records/search", {"include": ["customer"]})
    assert [record["included"]["customer"] for record in page["data"]] == [None, customer]
    await api.call("DELETE", f"{RECORDS}/{customer['id']}")
    page = await api.call("POST", "/tables/orders/records/search", {"include": ["customer"]})
    assert [record["included"]["customer"] for record in page["data"]] == [None, None]


def wrong_searches() -> Iterator[Any]:
    deep: KnownJson = {"field": "age", "value": 1}
    for _ in range(100):
        deep = {"not": deep}
    yield {"filter": deep}, "FILTER_TOO_LARGE"
    yield {"filter": {"or": [{"field": "age", "value": 1}] * 101}}, "FILTER_TOO_LARGE"
    yield {"filter": {"field": "agee", "value": 1}}, "/filter/field"
    yield {"filter": {"field": "age", "value": "1"}}, "/filter/value"
    yield {"filter": {"field": "age", "op": "like", "value": 1}}, "/filter/op"
    yield {"filter": {"field": "age", "op": "contains", "value": "1"}}, "/filter/value"
    yield {"filter": {"field": "age", "op": "in", "value": [1, "2"]}}, "/filter/value"
    yield {"filter": {"field": "age", "op": "eq", "value": None}}, "/filter/value"
    yield {"filter": {"field": "status", "value": "none"}}, "/filter/value"
    yield {"filter": {"and": [{"field": "age", "value": 1}, {"or": []}]}}, "/filter/and/1/or"
    yield {"filter": {"and": [], "or": []}}, "/filter"
    yield {"filter": []}, "/filter"
    yield {"filter": {"field": "age", "value": 1, "else": 2}}, "/filter"
    yield {"sort": ["name", "-none"]}, "/sort/1"
    yield {"fields": ["none"]}, "/fields/0"
    yield {"include": ["name"]}, "/include/0"
    yield {"text": "!!"}, "/text"


@pytest.mark.parametrize(("body", "place"), list(wrong_searches()))
async def test_a_wrong_search_is_told_where(api: Api, body: Any, place: str) -> None:
    await api.table()
    ((code, pointer),) = await api.refused("POST", SEARCH, body)
    assert place in (code, pointer)


async def test_unknown_parameters_and_limits_are_refused(api: Api) -> None:
    await api.table()
    assert await api.refused("GET", f"{RECORDS}?status=new") == [("QUERY_INVALID", None)]
    assert await api.refused("GET", f"{RECORDS}?limit=501") == [("LIMIT_INVALID", None)]
    assert await api.refused("GET", f"{RECORDS}?filter=x") == [("QUERY_INVALID", None)]
    assert await api.refused("POST", SEARCH, {"limit": 0}) == [("LIMIT_INVALID", None)]


async def test_a_cursor_fits_only_its_own_search(api: Api, other: Api) -> None:
    for one in (api, other):
        await one.table()
        for age in range(3):
            await one.add({"name": "a", "age": age})
    cursor = (await api.call("POST", SEARCH, {"limit": 1}))["next"]
    altered = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    for client, body in (
        (api, {"after": altered}),
        (api, {"after": cursor, "sort": ["age"]}),
        (api, {"after": cursor, "filter": {"field": "age", "value": 1}}),
        (other, {"after": cursor}),
    ):
        assert await client.refused("POST", SEARCH, body) == [("CURSOR_INVALID", None)]
    assert len((await api.call("POST", SEARCH, {"after": cursor, "limit": 5}))["data"]) == 2


async def test_a_search_that_reads_too_much_names_the_index_to_add(
    api: Api, parts: RecordServices, database: Database
) -> None:
    made = await api.table(fields=[{"name": "city", "type": "text"}])
    async with database.workspace(api.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO record (workspace_id, id, table_id, version, values, created_at, updated_at) "
            "SELECT $1, uuidv7(), $2, 1, jsonb_build_object('1', n::text), now(), now() "
            "FROM generate_series(1, 20000) AS n",
            api.workspace_id,
            made["id"],
        )
    object.__setattr__(parts, "finding", _impatient(parts.finding))
    for body, pointer, advice in (
        ({"filter": {"field": "city", "op": "eq", "value": "x"}}, "/filter", "`city` with PATCH"),
        ({"sort": ["city"]}, "/sort", "`city` with PATCH"),
        # No index answers this one: to ask for one would be in vain.
        ({"filter": {"field": "city", "op": "contains", "value": "x"}}, "/filter", "narrow it by `text`"),
    ):
        [error] = (await api.call("POST", SEARCH, body, 400))["errors"]
        assert (error["code"], error["pointer"]) == ("SEARCH_TOO_SLOW", pointer)
        assert advice in error["message"]
    # The limit was the search's own: the connection goes on as before.
    assert len((await api.call("POST", SEARCH, {}))["data"]) == 25


def _impatient(finding: RecordSearch) -> RecordSearch:
    finding._time_limit = 1
    return finding
