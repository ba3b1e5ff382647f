"""What an execution did to records shows on both sides, and personal values show on neither."""

from __future__ import annotations

import json
from uuid import uuid4

from tests.integration.workflows.records.bound import Bound

TEXT = """
name: contacts
record: {table: customers, create: true}
parameters: {email: {type: string, required: true}}
steps:
  - {id: save, record: {upsert: {number: "1", email: "${parameters.email}"}, by: number}}
  - {id: mail, set: {text: "to ${record.email}", number: "${record.number}"}}
  - {id: found, record: {find: {email: "${parameters.email}"}}}
"""


async def test_the_timeline_shows_the_changes_of_records_without_personal_values(bound: Bound) -> None:
    await bound.table()
    execution = await bound.run(TEXT, email="anna@example.com")
    timeline = await bound.timeline(execution)
    (change,) = timeline["recordChanges"]
    assert (change["recordId"], change["table"], change["version"]) == (execution["recordId"], "customers", 1)
    assert change["action"] == "created"
    assert {"field": "number", "old": None, "new": "1"} in change["changes"]
    assert {"field": "email", "old": None, "new": "•••"} in change["changes"]
    assert "anna@example.com" not in json.dumps(timeline, ensure_ascii=False)
    assert timeline["steps"][1]["output"] == {"text": "to •••", "number": "1"}


async def test_a_value_that_a_record_had_once_is_masked_too(bound: Bound) -> None:
    """The execution read the value; since then the record has another one."""
    await bound.table()
    record = await bound.add(number="1", email="anna@example.com")
    text = 'name: r\nrecord: {table: customers}\nsteps: [{id: a, set: {to: "${record.email}"}}]'
    execution = await bound.run(text, record["id"])
    await bound.call("PATCH", f"/tables/customers/records/{record['id']}", {"email": "other@example.com"})
    assert (await bound.timeline(execution))["steps"][0]["output"] == {"to": "•••"}


async def test_a_refused_personal_value_shows_neither_in_the_error_nor_in_the_step(bound: Bound) -> None:
    await bound.table(fields=[{"name": "email", "type": "email", "unique": True, "pii": "contact"}])
    await bound.add(email="anna@example.com")
    text = 'name: t\nsteps: [{id: a, record: {table: customers, create: {email: "anna@example.com"}}}]'
    execution = await bound.run(text)
    assert execution["error"]["code"] == "VALUE_TAKEN"
    assert "anna@example.com" not in json.dumps([execution["error"], await bound.timeline(execution)])


async def test_a_record_lists_its_executions_newest_first(bound: Bound) -> None:
    await bound.table()
    first = await bound.run(TEXT, email="a@example.com")
    path = f"/tables/customers/records/{first['recordId']}/workflows"
    second = await bound.run(TEXT, first["recordId"], email="b@example.com")
    await bound.run(TEXT.replace('number: "1"', 'number: "2"'), email="c@example.com")
    page = await bound.call("GET", f"{path}?limit=1")
    rest = await bound.call("GET", f"{path}?limit=1&after={page['next']}")
    assert [one["id"] for one in page["data"] + rest["data"]] == [second["id"], first["id"]]
    assert rest["next"] is None
    missing = f"/tables/customers/records/{uuid4()}/workflows"
    assert await bound.refused("GET", missing, status=404) == [("RECORD_NOT_FOUND", None)]
    answer = await bound.product.stranger.get(path)
    assert answer.status_code == 404
