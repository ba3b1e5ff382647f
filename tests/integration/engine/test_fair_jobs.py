"""Workspaces take turns at the workers, and an execution with which processes die is set aside."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from passerelle.engine.commits import EXECUTION_SET_ASIDE
from passerelle.engine.model import Status
from passerelle.engine.signals import Retried
from passerelle.kit.claiming import CEILING, FLOOD, claim
from passerelle.kit.database import Database
from passerelle.kit.jobs import NEW_JOB
from tests.integration.engine.engines import Engine
from tests.unit.engine.builders import ASK, Ask, define, step

Connection = Any
ONE, OTHER, THIRD = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture(name="engine")
def _engine(database: Database, workspace_id: UUID) -> Engine:
    return Engine(database, workspace_id)


@pytest.fixture(name="connection")
async def _connection(database_url: str) -> Any:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM pgqueuer")
    yield connection
    await connection.execute("DELETE FROM pgqueuer")
    await connection.close()


async def queue(connection: Connection, share: UUID, count: int, *, ahead: int = 0) -> None:
    await connection.execute(
        f"{NEW_JOB} SELECT nextval('pgqueuer_id_seq'), 0, 'test.fair', convert_to($1, 'UTF8'), "
        "now() - make_interval(secs => 3600 - n) + make_interval(secs => $3), 'queued' FROM generate_series(1, $2) n",
        f'{{"workspaceId":"{share}"}}',
        count,
        ahead,
    )


async def take(
    connection: Connection, batch: int = 6, *, most: int | None = None, ceiling: int = CEILING, manager: UUID = ONE
) -> list[UUID]:
    """The workspaces whose jobs are taken, in order."""
    statement, arguments = claim(batch, ["test.fair"], manager, most, timedelta(seconds=30), ceiling)
    rows = await connection.fetch(statement, *arguments)
    return sorted(row["share"] for row in rows)


@pytest.mark.parametrize("flood", [40, 4 * FLOOD])
async def test_each_gets_its_turn_however_many_another_has_written_before(connection: Connection, flood: int) -> None:
    await queue(connection, ONE, flood)
    await queue(connection, OTHER, 3, ahead=60)
    await queue(connection, THIRD, 1, ahead=120)
    assert await take(connection) == [ONE, ONE, ONE, OTHER, OTHER, THIRD]


async def test_what_a_workspace_has_under_way_counts(connection: Connection) -> None:
    await queue(connection, ONE, 20)
    assert await take(connection, 5) == [ONE] * 5
    await queue(connection, OTHER, 20)
    assert await take(connection, 5) == [OTHER] * 5
    assert await take(connection, 4) == [ONE, ONE, OTHER, OTHER]


async def test_a_workspace_has_at_most_so_many_under_way(connection: Connection) -> None:
    await queue(connection, ONE, 20)
    await queue(connection, OTHER, 1, ahead=60)
    assert await take(connection, 10, ceiling=3) == [ONE, ONE, ONE, OTHER]
    assert await take(connection, 10, ceiling=3) == []


async def say(connection: Connection, workspace: UUID, *, weight: float = 1, jobs: int | None = None) -> None:
    await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", workspace)
    await connection.execute("INSERT INTO workspace_quota VALUES ($1, '{}', $2, $3, now())", workspace, weight, jobs)


async def test_weights_give_more_turns(connection: Connection) -> None:
    await queue(connection, ONE, 20)
    await queue(connection, OTHER, 20)
    await say(connection, OTHER, weight=3)
    assert (await take(connection, 8)).count(OTHER) == 6


async def test_what_was_said_of_a_workspace_comes_before_the_setting(connection: Connection) -> None:
    await queue(connection, ONE, 20)
    await queue(connection, OTHER, 20)
    await say(connection, OTHER, jobs=5)
    assert await take(connection, 20, ceiling=2) == [ONE] * 2 + [OTHER] * 5


async def test_what_waits_for_an_answer_from_outside_holds_no_place(connection: Connection) -> None:
    await queue(connection, ONE, 20)
    assert len(await take(connection, 4, most=4, ceiling=4)) == 4
    await connection.execute("UPDATE pgqueuer SET outside = true WHERE status = 'picked'")
    assert len(await take(connection, 4, most=4, ceiling=4)) == 4
    assert await take(connection, 4, most=4) == []


async def test_a_worker_takes_no_more_than_it_has_room_for(connection: Connection) -> None:
    await queue(connection, ONE, 20)
    assert len(await take(connection, 6, most=4)) == 4
    assert await take(connection, 6, most=4) == []
    assert len(await take(connection, 6, most=4, manager=OTHER)) == 4


async def test_what_is_due_later_is_left_and_what_was_lost_is_counted(connection: Connection) -> None:
    await queue(connection, ONE, 1, ahead=7200)
    assert await take(connection) == []
    await queue(connection, ONE, 1)
    assert await take(connection) == [ONE]
    assert await take(connection) == []
    await connection.execute("UPDATE pgqueuer SET heartbeat = now() - interval '1 minute' WHERE status = 'picked'")
    assert await take(connection, manager=OTHER) == [ONE]
    assert await connection.fetchval("SELECT lost FROM pgqueuer WHERE status = 'picked'") == 1


async def lose(engine: Engine, job_id: int) -> int:
    """A process died with the job, and another takes it over: how often that was."""
    (row,) = await engine.rows("UPDATE pgqueuer SET lost = lost + 1 WHERE id = $1 RETURNING lost", job_id)
    return int(row["lost"])


async def test_an_execution_with_which_processes_die_is_set_aside_and_can_be_retried(engine: Engine) -> None:
    run = await engine.start(define(step("call", ASK, "ok")))
    execution_id = run.state.identity.id
    (job,) = await engine.jobs()
    seq = (await engine.loaded(execution_id)).seq
    assert await lose(engine, job["id"]) == 1
    assert await engine.store.lost(job["id"], seq) == 1
    await engine.runner.resume(engine.workspace_id, execution_id, job["id"], lost=await lose(engine, job["id"]))
    state = await engine.state(execution_id)
    assert (state.status, (state.error or {})["code"]) == (Status.FAILED, EXECUTION_SET_ASIDE)
    [seen] = await engine.rows("SELECT attempt, error->>'code' AS code FROM step_run")
    assert tuple(seen) == (1, "OUTCOME_UNKNOWN"), "the other side may have taken the call"
    retried = await engine.runner.apply(engine.workspace_id, execution_id, Retried(state.revision_id))
    assert (await retried.go_on()).status is Status.COMPLETED


async def test_taking_an_execution_over_is_no_progress(engine: Engine) -> None:
    """Each process that dies leaves a trace in the timeline, and the second one is the last nevertheless."""

    class Deadly(Ask):
        async def call(self, config: Any, scope: Any, tools: Any, idempotency_key: str) -> Any:
            raise asyncio.CancelledError

    run = await engine.start(define(step("call", Deadly())))
    execution_id = run.state.identity.id
    (job,) = await engine.jobs()
    with pytest.raises(asyncio.CancelledError):
        await engine.runner.resume(engine.workspace_id, execution_id, job["id"])
    with pytest.raises(asyncio.CancelledError):
        await engine.runner.resume(engine.workspace_id, execution_id, job["id"], lost=await lose(engine, job["id"]))
    await engine.runner.resume(engine.workspace_id, execution_id, job["id"], lost=await lose(engine, job["id"]))
    state = await engine.state(execution_id)
    assert (state.status, (state.error or {})["code"]) == (Status.FAILED, EXECUTION_SET_ASIDE)
    assert len(await engine.rows("SELECT FROM step_run WHERE error->>'code' = 'OUTCOME_UNKNOWN'")) == 3


async def test_one_that_gets_on_between_two_deaths_is_not_set_aside(engine: Engine) -> None:
    run = await engine.start(define(step("call", ASK, "ok")))
    (job,) = await engine.jobs()
    await lose(engine, job["id"])
    assert await engine.store.lost(job["id"], 1) == 1
    await lose(engine, job["id"])
    assert await engine.store.lost(job["id"], 2) == 1
    await engine.runner.resume(engine.workspace_id, run.state.identity.id, job["id"])
    assert (await engine.state(run.state.identity.id)).status is Status.COMPLETED
