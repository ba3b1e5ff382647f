"""The engine on a real database: fences, jobs, events, races. Definitions are made without the compiler."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from passerelle.definitions.expressions import Template
from passerelle.engine.kinds import Done, StepFailure
from passerelle.engine.model import Identity, Received, Status
from passerelle.engine.signals import Cancelled, EventCame
from passerelle.engine.statements import ENTRYPOINT
from passerelle.engine.steps.each import EachConfig, EachKind
from passerelle.engine.steps.parallel import ParallelConfig, ParallelKind
from passerelle.engine.store import AlreadyStarted
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import JobRunning, Worker
from tests.integration.engine.engines import Engine
from tests.unit.engine.builders import ASK, REST, RETRY, Ask, define, give, step


@pytest.fixture
def engine(database: Database, workspace_id: UUID) -> Engine:
    return Engine(database, workspace_id)


async def test_a_run_of_pure_steps_is_one_commit_and_needs_no_job(engine: Engine) -> None:
    run = await engine.start(define(step("a"), step("b"), step("c")))
    rows = await engine.rows("SELECT *, xmin::text::bigint AS commit FROM execution")
    steps = await engine.rows("SELECT step, output, xmin::text::bigint AS commit FROM step_run ORDER BY ordinal")
    assert run.state.status is Status.COMPLETED
    assert [(row["step"], row["output"]) for row in steps] == [("a", "a"), ("b", "b"), ("c", "c")]
    assert {row["commit"] for row in rows} == {row["commit"] for row in steps}
    assert await engine.jobs() == []


async def test_an_execution_that_calls_out_has_a_job_until_it_is_over(engine: Engine) -> None:
    run = await engine.start(define(step("call", ASK, {"status": 200}), step("b")))
    (job,) = await engine.jobs()
    assert (job["status"], job["entrypoint"]) == ("queued", ENTRYPOINT)
    assert job["execute_after"] > job["created"] + timedelta(seconds=5)
    state = await run.go_on()
    assert state.status is Status.COMPLETED
    assert await engine.jobs() == []


async def test_the_events_of_a_change_stand_in_its_commit(engine: Engine) -> None:
    await (await engine.start(define(step("call", ASK, 1)))).go_on()
    events = await engine.rows("SELECT type, data FROM event ORDER BY id")
    assert [event["type"] for event in events] == [
        "workflow.started",
        "workflow.status_changed",
        "workflow.completed",
        "workflow.status_changed",
    ]
    assert events[2]["data"]["status"] == "COMPLETED"


async def test_a_worker_takes_over_what_its_process_left(engine: Engine, database_url: str) -> None:
    run = await engine.start(define(step("call", ASK, "ok"), step("b")))
    await engine.rows("UPDATE pgqueuer SET execute_after = now()")
    state = await _worked_until(engine, database_url, run.state.identity.id, Status.COMPLETED)
    assert state.outputs["call"] == "ok"


async def test_two_processes_on_one_execution_record_each_result_once(engine: Engine) -> None:
    together = asyncio.Barrier(2)

    class Meet(Ask):
        async def call(self, config: Any, scope: Any, tools: Any, idempotency_key: str) -> Any:
            await together.wait()
            return idempotency_key

    run = await engine.start(define(step("call", Meet()), step("b")))
    loaded = await engine.store.load(engine.workspace_id, run.state.identity.id)
    assert loaded is not None
    rival = engine.runner.under_way(run.definition, loaded, owned=loaded.job_id)
    first, second = await asyncio.gather(run.go_on(), rival.go_on())
    assert first.status is second.status is Status.COMPLETED
    recorded = await engine.rows("SELECT step, visit, attempt FROM step_run")
    assert Counter(row["step"] for row in recorded) == {"call": 1, "b": 1}
    assert len(await engine.rows("SELECT FROM event WHERE type = 'workflow.completed'")) == 1


async def test_an_event_during_a_call_does_not_waste_the_call(engine: Engine) -> None:
    calls: list[str] = []
    execution: list[UUID] = []

    async def event_in_between() -> None:
        event = EventCame(Received(new_id(), "paid", 5))
        await engine.runner.apply(engine.workspace_id, execution[0], event)

    class Interrupted(Ask):
        async def call(self, config: Any, scope: Any, tools: Any, idempotency_key: str) -> Any:
            calls.append(idempotency_key)
            await event_in_between()
            return "ok"

    run = await engine.start(define(step("call", Interrupted()), step("paid", REST, "paid")))
    execution.append(run.state.identity.id)
    state = await run.go_on()
    assert state.status is Status.COMPLETED
    assert state.outputs == {"call": "ok", "paid": 5}
    assert len(calls) == 1


async def test_a_timer_wakes_a_resting_execution(engine: Engine) -> None:
    run = await engine.start(define(step("pause", REST, timedelta(hours=1)), step("b")))
    (job,) = await engine.jobs()
    assert timedelta(minutes=59) < job["execute_after"] - job["created"] <= timedelta(hours=1)
    identity = run.state.identity
    engine.clock.move(timedelta(hours=1))
    await engine.runner.resume(engine.workspace_id, identity.id, job["id"])
    loaded = await engine.store.load(engine.workspace_id, identity.id)
    assert loaded is not None
    assert loaded.state.status is Status.COMPLETED


async def test_retries_rest_in_the_queue_and_not_in_memory(engine: Engine) -> None:
    answers: list[Any] = [StepFailure("HTTP_STATUS", "down", reason="503"), "ok"]
    run = await engine.start(define(step("call", ASK, lambda *_: answers.pop(0), retry=RETRY)))
    state = await run.go_on()
    assert state.status is Status.RUNNING
    (job,) = await engine.jobs()
    engine.clock.move(timedelta(seconds=1))
    await engine.runner.resume(engine.workspace_id, state.identity.id, job["id"])
    runs = await engine.rows("SELECT status, attempt FROM step_run ORDER BY ordinal")
    assert [tuple(row) for row in runs] == [("FAILED", 1), ("COMPLETED", 2)]


async def test_cancelling_during_a_call_wins_and_leaves_no_job(engine: Engine) -> None:
    class Cancelling(Ask):
        async def call(self, config: Any, scope: Any, tools: Any, idempotency_key: str) -> Any:
            await engine.runner.apply(engine.workspace_id, UUID(idempotency_key.split(":", maxsplit=1)[0]), Cancelled())
            return "too late"

    state = await (await engine.start(define(step("call", Cancelling()), step("b")))).go_on()
    assert state.status is Status.CANCELLED
    (run,) = await engine.rows("SELECT error->>'code' AS code FROM step_run")
    assert run["code"] == "OUTCOME_UNKNOWN", "the other side may have taken the call"
    assert await engine.jobs() == []


async def test_the_database_refuses_a_change_of_an_ended_status(engine: Engine) -> None:
    await engine.start(define(step("a")))
    with pytest.raises(asyncpg.PostgresError, match="has ended as COMPLETED and cannot become RUNNING"):
        await engine.rows("UPDATE execution SET status = 'RUNNING'")


async def test_a_revision_that_is_no_longer_published_starts_nothing(engine: Engine) -> None:
    definition = define(step("a"))
    definition_id, revision_id = await engine.publish(definition)
    await engine.rows("UPDATE definition SET published_revision = $1", new_id())
    identity = Identity(new_id(), engine.workspace_id, definition_id, "BACKGROUND", {}, engine.clock(), "API")
    assert await engine.runner.start(definition, identity, revision_id) is None
    assert await engine.rows("SELECT FROM execution") == []


async def test_the_same_id_starts_one_execution(engine: Engine) -> None:
    definition = define(step("a"))
    definition_id, revision_id = await engine.publish(definition)
    identity = Identity(new_id(), engine.workspace_id, definition_id, "BACKGROUND", {}, engine.clock(), "API")
    await engine.runner.start(definition, identity, revision_id)
    with pytest.raises(AlreadyStarted):
        await engine.runner.start(definition, identity, revision_id)
    assert len(await engine.rows("SELECT FROM execution")) == 1


async def test_a_value_that_cannot_be_stored_fails_the_execution_with_a_reason(engine: Engine) -> None:
    run = await engine.start(define(step("a", config=give("nul \0 inside"))))
    assert (run.state.status, (run.state.error or {})["code"]) == (Status.FAILED, "VALUE_NOT_STORABLE")
    called = await (await engine.start(define(step("call", ASK, {"x": "\0"})))).go_on()
    assert (called.status, (called.error or {})["code"]) == (Status.FAILED, "VALUE_NOT_STORABLE")


async def test_one_that_keeps_too_much_fails_with_a_code_of_its_own(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passerelle.engine.transitions.working.KEPT_BYTES", 5)
    run = await engine.start(define(step("call", ASK, "ok"), step("more", ASK, "ok")))
    state = await run.go_on()
    assert (state.status, (state.error or {})["code"]) == (Status.FAILED, "EXECUTION_TOO_LARGE")


async def test_branches_call_at_the_same_time_and_survive_a_process(engine: Engine) -> None:
    """Both calls of a `parallel` are under way together; what was not recorded is called again by the next process."""
    together = asyncio.Barrier(2)
    calls: list[str] = []

    class Meet(Ask):
        async def call(self, config: Any, scope: Any, tools: Any, idempotency_key: str) -> Any:
            calls.append(idempotency_key.split(":")[1])
            await together.wait()
            return config

    branches = ParallelConfig({"left": (step("a", Meet(), 1),), "right": (step("b", Meet(), 2),)}, "cancel")
    run = await engine.start(define(step("both", ParallelKind(), branches)))
    async with asyncio.timeout(10):
        state = await run.go_on()
    assert state.result == {"both": {"left": {"a": 1}, "right": {"b": 2}}}
    assert sorted(calls) == ["both.left.a", "both.right.b"]
    loaded = await engine.store.load(engine.workspace_id, state.identity.id)
    assert loaded is not None
    assert loaded.state.values["both.left"] == {"a": 1}


async def test_a_long_list_is_gone_through_in_few_commits_and_little_time(engine: Engine) -> None:
    double = step("double", config=lambda scope: Done(scope["item"] * 2))
    config = EachConfig(Template.compile("${parameters.list}"), "item", (double,), 100, "fail")
    run = await engine.start(define(step("all", EachKind(), config), result=None), list=list(range(3_000)))
    state = await run.go_on()
    assert state.status is Status.COMPLETED
    assert [item["double"] for item in state.outputs["all"]["items"]] == [2 * number for number in range(3_000)]
    loaded = await engine.store.load(engine.workspace_id, state.identity.id)
    assert loaded is not None
    assert loaded.seq < 20


async def test_the_sweep_finds_nothing_in_a_healthy_system_and_mends_what_lost_its_job(engine: Engine) -> None:
    run = await engine.start(define(step("call", ASK, "ok")))
    assert await engine.runner.sweep() == 0
    await engine.rows("DELETE FROM pgqueuer")
    await engine.rows("UPDATE execution SET wake_at = now() - interval '2 minutes'")
    assert await engine.runner.sweep() == 1
    (job,) = await engine.jobs()
    await engine.runner.resume(engine.workspace_id, run.state.identity.id, job["id"])
    loaded = await engine.store.load(engine.workspace_id, run.state.identity.id)
    assert loaded is not None
    assert loaded.state.status is Status.COMPLETED
    assert await engine.runner.sweep() == 0


async def _worked_until(engine: Engine, url: str, execution_id: UUID, status: Status) -> Any:
    """Let a real worker run until the execution has that status."""
    reached = asyncio.Event()

    async def go_on(job: JobRunning) -> None:
        await engine.runner.resume(UUID(job.payload["workspaceId"]), UUID(job.payload["executionId"]), job.id)
        reached.set()

    worker = Worker(url, {ENTRYPOINT: go_on}, {})
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        await reached.wait()
    await worker.stop()
    await working
    loaded = await engine.store.load(engine.workspace_id, execution_id)
    assert loaded is not None
    assert loaded.state.status is status
    return loaded.state
