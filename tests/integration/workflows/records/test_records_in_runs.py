"""Workflows read and write records: which record, in which transaction, and what happens when it cannot be."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

from tests.integration.workflows.records.bound import Bound

GUIDE = Path(__file__).parents[4] / "docs/guides/records-in-workflows.md"

UPDATE = """
name: approve
record: {table: customers, create: true}
parameters:
  number: {type: string, required: true}
  age: {type: number}
steps:
  - id: save
    record: {update: {number: "${parameters.number}", age: "${parameters.age}", status: approved}}
  - id: seen
    set: {status: "${record.status}", version: "${record.version}", same: "${record.id == execution.recordId}"}
result: {seen: "${steps.seen}", saved: "${steps.save.number}", record: "${record.id}"}
"""

READ = """
name: reads
record: {table: customers}
steps:
  - id: a
    set: {email: "${record.email}", has: "${has(record.number)}"}
"""


async def test_an_omitted_record_is_made_by_the_first_step_that_writes_to_it(bound: Bound) -> None:
    await bound.table()
    execution = await bound.run(UPDATE, number="1", age=30)
    (record,) = await bound.records()
    assert execution["recordId"] == record["id"]
    assert (record["number"], record["status"], record["version"]) == ("1", "approved", 1)
    result = await bound.result(execution)
    assert result["seen"] == {"status": "approved", "version": 1, "same": True}
    assert result["record"] == record["id"]
    listed = await bound.call("GET", f"/workflows?recordId={record['id']}")
    assert [one["id"] for one in listed["data"]] == [execution["id"]]


async def test_a_given_record_is_read_and_written(bound: Bound) -> None:
    await bound.table()
    record = await bound.add(number="7", email="anna@example.com")
    execution = await bound.run(UPDATE, record["id"], number="7", age=41)
    assert execution["recordId"] == record["id"]
    after = await bound.read(record["id"])
    assert (after["age"], after["status"], after["email"], after["version"]) == (41, "approved", "anna@example.com", 2)
    assert (await bound.result(await bound.run(READ, record["id"])))["a"] == {"email": "anna@example.com", "has": True}


async def test_a_record_of_another_table_or_none_is_not_found(bound: Bound) -> None:
    await bound.table()
    other = await bound.table(name="others")
    stranger = await bound.add("others", number="1")
    definition_id = await bound.push(UPDATE)
    for record_id in (str(uuid4()), stranger["id"], other["id"]):
        body = {"workflowDefinitionId": definition_id, "recordId": record_id, "parameters": {"number": "1"}}
        for path in ("/workflows/run", "/workflows"):
            assert await bound.refused("POST", path, body, 404) == [("RECORD_NOT_FOUND", "/recordId")]


async def test_a_record_of_another_workspace_is_not_found(bound: Bound) -> None:
    await bound.table()
    stranger = Bound(bound.product.__class__(**{**vars(bound.product), "api": bound.product.stranger}))
    await stranger.table()
    foreign = await stranger.add(number="1")
    body = {"workflowDefinitionId": await bound.push(READ), "recordId": foreign["id"]}
    assert await bound.refused("POST", "/workflows/run", body, 404) == [("RECORD_NOT_FOUND", "/recordId")]


async def test_without_create_the_steps_that_need_the_record_say_that_there_is_none(bound: Bound) -> None:
    await bound.table()
    code, message = await bound.failure(await bound.run(READ))
    assert (code, "no record" in message) == ("EXPRESSION_FAILED", True)
    code, message = await bound.failure(await bound.run(UPDATE.replace(", create: true", ""), number="1", age=1))
    assert (code, "recordId" in message and "create: true" in message) == ("RECORD_MISSING", True)
    assert await bound.records() == []


async def test_an_unbound_definition_takes_any_reference(bound: Bound) -> None:
    reference = str(uuid4())
    text = 'name: plain\nsteps: [{id: a, set: {it: "${execution.recordId}"}}]'
    execution = await bound.run(text, reference)
    assert (execution["recordId"], await bound.result(execution)) == (reference, {"a": {"it": reference}})
    events = (await bound.call("GET", "/events"))["data"]
    assert {event["data"]["recordId"] for event in events if event["data"]["workflowId"] == execution["id"]} == {
        reference
    }


async def test_a_value_that_the_table_refuses_fails_the_step_with_the_fields_problems(bound: Bound) -> None:
    await bound.table()
    text = """
name: wrong
record: {table: customers, create: true}
steps: [{id: save, record: {create: {age: "${'old'}", email: nobody}}}]
"""
    execution = await bound.run(text)
    code, _ = await bound.failure(execution)
    assert code == "RECORD_INVALID"
    (step,) = (await bound.timeline(execution))["steps"]
    problems = step["error"]["details"]["problems"]
    assert {(problem["code"], problem["pointer"]) for problem in problems} == {
        ("FIELD_INVALID", "/age"),
        ("FIELD_INVALID", "/email"),
        ("FIELD_REQUIRED", "/number"),
    }
    assert await bound.records() == []


async def test_a_value_that_is_taken_is_the_steps_failure_and_can_be_caught(bound: Bound) -> None:
    await bound.table()
    first = await bound.add(number="1")
    text = """
name: taken
record: {table: customers, create: true}
steps:
  - {id: save, record: {create: {number: "1"}}, onError: continue}
result: {code: "${steps.save.error.code}"}
"""
    execution = await bound.run(text)
    assert (await bound.result(execution), execution["recordId"]) == ({"code": "VALUE_TAKEN"}, None)
    assert [record["id"] for record in await bound.records()] == [first["id"]]


async def test_any_table_can_be_written_to_and_searched(bound: Bound) -> None:
    await bound.table()
    await bound.table(name="people")
    text = """
name: everything
steps:
  - {id: made, record: {table: people, create: {number: "1", age: 20}}}
  - {id: changed, record: {table: people, update: {age: 21}, id: "${steps.made.id}"}}
  - {id: put, record: {table: people, upsert: {number: "1", owner: anna}, by: number}}
  - {id: new, record: {table: people, upsert: {number: "2", owner: anna}, by: number}}
  - {id: found, record: {table: people, find: {owner: anna}}}
result: {found: "${steps.found.records.map(r, r.number)}", age: "${steps.put.age}", version: "${steps.put.version}"}
"""
    execution = await bound.run(text)
    assert await bound.result(execution) == {"found": ["2", "1"], "age": 21, "version": 3}
    assert (execution["recordId"], await bound.records()) == (None, [])


async def test_what_others_wrote_meanwhile_is_read_after_the_wait(bound: Bound) -> None:
    await bound.table()
    record = await bound.add(number="1", age=1)
    text = """
name: waits
record: {table: customers}
steps:
  - {id: before, set: {age: "${record.age}"}}
  - {id: paid, event: {name: paid}}
  - {id: after, set: {age: "${record.age}"}}
"""
    execution = await bound.run(text, record["id"])
    assert execution["status"] == "AWAITING"
    await bound.call("PATCH", f"/tables/customers/records/{record['id']}", {"age": 2})
    await bound.call("POST", f"/workflows/{execution['id']}/events/paid", {})
    result = await bound.result(execution)
    assert (result["before"], result["after"]) == ({"age": 1}, {"age": 2})


async def test_lanes_write_side_by_side(bound: Bound) -> None:
    await bound.table()
    text = """
name: lanes
parameters: {numbers: {type: list, required: true}}
steps:
  - id: all
    each: {in: "${parameters.numbers}", steps: [{id: one, record: {table: customers, create: {number: "${item}"}}}]}
  - id: both
    parallel:
      branches:
        a: [{id: left, record: {table: customers, find: {number: "1"}}}]
        b: [{id: right, record: {table: customers, upsert: {number: "9"}, by: number}}]
result: {made: "${steps.all.items.size()}", left: "${steps.both.a.left.records.size()}"}
"""
    execution = await bound.run(text, numbers=["1", "2", "3"])
    assert await bound.result(execution) == {"made": 3, "left": 1}
    assert sorted(record["number"] for record in await bound.records()) == ["1", "2", "3", "9"]


async def test_the_history_says_which_execution_and_the_timeline_which_changes(bound: Bound) -> None:
    await bound.table()
    execution = await bound.run(UPDATE, number="1", age=30)
    history = (await bound.call("GET", f"/tables/customers/records/{execution['recordId']}/history"))["data"]
    assert [(change["by"], change["executionId"]) for change in history] == [("workflow approve", execution["id"])]


async def test_a_field_or_a_table_that_is_not_there_is_refused_when_the_definition_is_pushed(bound: Bound) -> None:
    await bound.table()
    wrong = "name: w\nrecord: {table: customers}\nsteps: [{id: a, record: {update: {nmber: x}}}]"
    answer = await bound.product.push(wrong)
    assert (answer.status_code, "did you mean `number`" in answer.text) == (400, True)
    answer = await bound.product.push("name: w\nrecord: {table: custmers}\nsteps: [{id: a, set: {x: 1}}]")
    assert (answer.status_code, "no table `custmers`" in answer.text) == (400, True)


async def test_the_guides_definition_runs(bound: Bound) -> None:
    await bound.table()
    fields = [{"name": "customer", "type": "relation", "table": "customers"}, {"name": "text", "type": "text"}]
    await bound.table(name="notes", fields=fields)
    (text,) = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    execution = await bound.run(text, number="1")
    assert await bound.result(execution) == {"customer": execution["recordId"], "seen": False}
    (note,) = await bound.records("notes")
    assert (note["customer"], note["text"]) == (execution["recordId"], "approved in version 1")


async def test_the_executions_of_a_merged_record_are_listed_with_the_other_s(bound: Bound) -> None:
    await bound.table()
    target, source = await bound.add(number="1"), await bound.add(number="2")
    of_source, of_target = await bound.run(READ, source["id"]), await bound.run(READ, target["id"])
    await bound.call("POST", f"/tables/customers/records/{target['id']}/merge", {"from": source["id"]})
    for path in (
        f"/workflows?recordId={target['id']}",
        f"/workflows?recordId={source['id']}",
        f"/tables/customers/records/{source['id']}/workflows",
    ):
        listed = await bound.call("GET", path)
        assert [one["id"] for one in listed["data"]] == [of_target["id"], of_source["id"]]
    # What ran for the old id keeps it; a new execution of it concerns the record that it was merged into.
    assert (await bound.call("GET", f"/workflows/{of_source['id']}"))["recordId"] == source["id"]
    assert (await bound.run(READ, source["id"]))["recordId"] == target["id"]
