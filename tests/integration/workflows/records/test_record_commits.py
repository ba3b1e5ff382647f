"""A change of a record and the result of its step become true together, whoever dies and whoever was faster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from passerelle.engine.runner import Run
from passerelle.engine.store import LoadedExecution
from passerelle.workflows.runs_here import RunsHere
from tests.integration.workflows.records.bound import Bound

TEXT = """
name: counts
record: {table: customers, create: true}
steps:
  - {id: made, record: {create: {number: "1", age: 1}}}
  - {id: more, record: {update: {age: "${record.age + 1}"}}}
  - {id: again, record: {update: {age: "${record.age + 1}"}}}
"""


class Died(OSError):  # noqa: N818 - a process ends, nothing is wrong
    """Stands for the end of the process: nothing after it runs."""


@asynccontextmanager
async def started(bound: Bound, monkeypatch: pytest.MonkeyPatch, text: str = TEXT) -> AsyncIterator[Callable[[], Any]]:
    """An execution that nobody has worked on yet; each call gives another process at work on it."""
    services = bound.product.services
    monkeypatch.setattr(RunsHere, "spawn", lambda here, run: None)
    try:
        body = {"workflowDefinitionId": await bound.push(text)}
        execution = await bound.call("POST", "/workflows", body)
    finally:
        monkeypatch.undo()

    async def run() -> Run:
        workspace_id, execution_id = bound.product.workspace_id, UUID(execution["id"])
        loaded = await services.runner._commits._store.load(workspace_id, execution_id)
        assert loaded is not None
        _, definition = await services.runner.look(workspace_id, execution_id)
        return services.runner.under_way(definition, loaded, owned=loaded.job_id)

    yield run


async def _recorded(bound: Bound) -> list[tuple[Any, ...]]:
    """Age and version of every record, after looking that each step stands once in its execution."""
    for execution in (await bound.call("GET", "/workflows"))["data"]:
        steps = [step["step"] for step in (await bound.timeline(execution))["steps"]]
        assert (execution["status"], len(steps)) == ("COMPLETED", len(set(steps)))
    return [(record["age"], record["version"]) for record in await bound.records()]


@pytest.mark.parametrize("point", ["before the work", "after the work", "before the end", "after the end"])
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_crash_at_any_point_leaves_exactly_one_change_for_each_step(
    bound: Bound, monkeypatch: pytest.MonkeyPatch, point: str, nth: int
) -> None:
    await bound.table()
    runner = bound.product.services.runner
    perform, commit, transaction = (
        runner._commits._records.perform,
        runner._commits._store.commit,
        runner._commits._store.transaction,
    )
    count = 0

    def die(here: str) -> None:
        nonlocal count
        if here == point:
            count += 1
            if count == nth:
                raise Died(point)

    async def performing(*args: Any) -> Any:
        die("before the work")
        performed = await perform(*args)
        die("after the work")
        return performed

    async def committing(*args: Any, **named: Any) -> LoadedExecution | None:
        written = await commit(*args, **named)
        die("before the end")
        return written

    @asynccontextmanager
    async def transacting(workspace_id: UUID) -> AsyncIterator[Any]:
        async with transaction(workspace_id) as connection:
            yield connection
        die("after the end")

    async with started(bound, monkeypatch) as process:
        monkeypatch.setattr(runner._commits._records, "perform", performing)
        monkeypatch.setattr(runner._commits._store, "commit", committing)
        monkeypatch.setattr(runner._commits._store, "transaction", transacting)
        with pytest.raises(Died):
            await (await process()).go_on()
        await (await process()).go_on()
    assert count >= nth
    assert await _recorded(bound) == [(3, 3)]


async def test_of_two_processes_at_one_step_one_change_stays(bound: Bound, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both do the work; whoever commits second finds the fence moved on, and its change is rolled back."""
    await bound.table()
    runner = bound.product.services.runner
    together = asyncio.Barrier(2)
    perform = runner._commits._records.perform
    met = 0

    async def meeting(*args: Any) -> Any:
        nonlocal met
        if met < 2:
            met += 1
            await together.wait()
        return await perform(*args)

    async with started(bound, monkeypatch, TEXT.replace('number: "1"', 'number: "${execution.id}"')) as process:
        monkeypatch.setattr(runner._commits._records, "perform", meeting)
        first, second = await process(), await process()
        await asyncio.gather(first.go_on(), second.go_on())
    assert met == 2
    assert await _recorded(bound) == [(3, 3)]


async def test_many_executions_add_to_one_record_and_no_sum_is_lost(bound: Bound) -> None:
    """What a step computes from the record is written to the record as it was read."""
    await bound.table()
    record = await bound.add(number="1", age=0)
    text = """
name: adds
record: {table: customers}
steps: [{id: a, record: {update: {age: "${record.age + 1}"}}}]
"""
    body = {"workflowDefinitionId": await bound.push(text), "recordId": record["id"]}
    answers = await asyncio.gather(*[bound.call("POST", "/workflows/run", body) for _ in range(12)])
    assert {answer["status"] for answer in answers} == {"COMPLETED"}
    after = await bound.read(record["id"])
    assert (after["age"], after["version"]) == (12, 13)


async def test_a_value_that_postgresql_cannot_hold_fails_the_step_and_writes_no_record(bound: Bound) -> None:
    await bound.table(name="anything", fields=[{"name": "value", "type": "json"}])
    text = """
name: nul
parameters: {value: {type: string, required: true}}
steps: [{id: a, record: {table: anything, create: {value: "${parameters.value}"}}}]
"""
    body = {"workflowDefinitionId": await bound.push(text), "parameters": {"value": "a\u0000b"}}
    answer = await bound.product.api.post("/workflows/run", json=body)
    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or answer.json()["status"] == "FAILED"
    assert await bound.records("anything") == []
