"""Executions that steps of other executions start: their ends, failures, cancellation, and crashes in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from passerelle.definitions.expressions import Template
from passerelle.definitions.model import Definition, Parameter
from passerelle.engine.children import MOST_DEEP
from passerelle.engine.kinds import StepFailure
from passerelle.engine.model import Received, Status
from passerelle.engine.runner import Run
from passerelle.engine.signals import Cancelled, EventCame, Retried
from passerelle.engine.statements import CHILD_ENDED
from passerelle.engine.steps.each import EachConfig, EachKind
from passerelle.engine.steps.parallel import ParallelConfig, ParallelKind
from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from tests.integration.engine.engines import Engine
from tests.unit.engine.builders import ASK, COMPUTE, CONTINUE, FORM, REST, RETRY, RUN, define, step


@pytest.fixture
def engine(database: Database, workspace_id: UUID) -> Engine:
    return Engine(database, workspace_id)


CALLED = define(step("ask", ASK, "answer"), name="called", result=Template.compile({"said": "${steps.ask}"}))
RESTING = define(step("paid", REST, "paid"), name="resting", result=Template.compile("${steps.paid}"))


def parent(*after: Any, runs: str = "called", **rest: Any) -> Definition:
    return define(step("sub", RUN, (runs, {}), **rest), *after, name="parent")


async def begun(engine: Engine, definition: Definition, *others: Definition) -> UUID:
    """Start the definition and let it go on to where it waits for its children."""
    for other in others:
        await engine.publish(other)
    run = await engine.start(definition)
    await run.go_on()
    return run.state.identity.id


async def children(engine: Engine, of: UUID) -> list[Any]:
    return await engine.rows("SELECT * FROM execution WHERE parent_id = $1 ORDER BY id", of)


async def pay(engine: Engine, execution_id: UUID, body: Any = 5) -> Run:
    return await engine.runner.apply(engine.workspace_id, execution_id, EventCame(Received(new_id(), "paid", body)))


async def test_a_child_is_an_execution_of_its_own_and_its_result_is_the_steps_output(engine: Engine) -> None:
    execution = await begun(engine, parent(step("after")), CALLED)
    (child,) = await children(engine, execution)
    waiting = await engine.state(execution)
    assert (child["origin"], child["parent_step"], child["depth"]) == ("WORKFLOW", "sub", 1)
    assert child["revision_id"] == engine.names["called"].revision_id
    assert waiting.status is Status.RUNNING
    (waits,) = waiting.waiting_for(parent(step("after")))
    assert waits == {"step": "sub", "kind": "run", "workflowId": str(child["id"])}
    await engine.work()
    done = await engine.state(execution)
    assert done.status is Status.COMPLETED
    assert done.outputs["sub"] == {
        "workflowId": str(child["id"]), "status": "COMPLETED", "result": {"said": "answer"}
    }  # fmt: skip
    assert done.outputs["after"] == "after"
    assert await engine.jobs() == []
    steps = await engine.rows("SELECT step FROM step_run WHERE execution_id = $1", child["id"])
    assert [row["step"] for row in steps] == ["ask"]


async def test_a_child_of_pure_steps_is_over_before_its_parent_rests(engine: Engine) -> None:
    execution = await begun(engine, parent(runs="pure"), define(step("a"), name="pure"))
    assert (await engine.state(execution)).outputs["sub"]["result"] == {"a": "a"}


async def test_the_failure_of_a_child_is_the_failure_of_the_step(engine: Engine) -> None:
    broken = define(step("ask", ASK, StepFailure("HTTP_STATUS", "it said no")), name="called")
    execution = await begun(engine, parent(), broken)
    await engine.work()
    failed = await engine.state(execution)
    (child,) = await children(engine, execution)
    assert (failed.status, (failed.error or {})["code"], (failed.error or {})["step"]) == (
        Status.FAILED,
        "CHILD_FAILED",
        "sub",
    )
    assert "HTTP_STATUS: it said no" in (failed.error or {})["message"]
    assert (failed.error or {})["details"]["workflowId"] == str(child["id"])


async def test_on_error_continue_goes_on_without_the_child(engine: Engine) -> None:
    broken = define(step("ask", ASK, StepFailure("HTTP_STATUS", "it said no")), name="called")
    execution = await begun(engine, parent(on_error=CONTINUE), broken)
    await engine.work()
    assert (await engine.state(execution)).outputs["sub"]["error"]["code"] == "CHILD_FAILED"


async def test_a_retry_of_the_step_starts_another_child(engine: Engine) -> None:
    answers: list[Any] = [StepFailure("HTTP_STATUS", "it said no"), "fine"]
    flaky = define(step("ask", ASK, lambda *_: answers.pop(0)), name="called")
    execution = await begun(engine, parent(retry=replace(RETRY, on=("failed",))), flaky)
    await engine.work()
    engine.clock.move(timedelta(seconds=1))
    await engine.work()
    assert (await engine.state(execution)).status is Status.COMPLETED
    assert [child["status"] for child in await children(engine, execution)] == ["FAILED", "COMPLETED"]


async def test_retrying_the_parent_by_hand_goes_on_inside_the_failed_child(engine: Engine) -> None:
    answers: list[Any] = [StepFailure("HTTP_STATUS", "it said no"), "fine"]
    flaky = define(step("before"), step("ask", ASK, lambda *_: answers.pop(0)), name="called")
    execution = await begun(engine, parent(), flaky)
    await engine.work()
    state = await engine.state(execution)
    await (await engine.runner.apply(engine.workspace_id, execution, Retried(state.revision_id))).go_on()
    (job,) = await engine.rows(
        "SELECT execute_after <= now() AS due FROM pgqueuer JOIN execution e ON e.job_id = pgqueuer.id "
        "WHERE e.parent_id IS NOT NULL"
    )
    assert job["due"], "any worker takes the child at once"
    await engine.work()
    assert (await engine.state(execution)).status is Status.COMPLETED
    (child,) = await children(engine, execution)
    runs = await engine.rows("SELECT step, attempt FROM step_run WHERE execution_id = $1 ORDER BY ordinal", child["id"])
    assert [tuple(run) for run in runs] == [("before", 1), ("ask", 1), ("ask", 2)]


async def test_a_child_that_was_mended_by_itself_is_taken_when_the_parent_is_retried(engine: Engine) -> None:
    answers: list[Any] = [StepFailure("HTTP_STATUS", "it said no"), "fine"]
    flaky = define(step("ask", ASK, lambda *_: answers.pop(0)), name="called")
    execution = await begun(engine, parent(), flaky)
    await engine.work()
    (child,) = await children(engine, execution)
    await (await engine.runner.apply(engine.workspace_id, child["id"], Retried(child["revision_id"]))).go_on()
    await engine.work()
    state = await engine.state(execution)
    assert state.status is Status.FAILED
    await (await engine.runner.apply(engine.workspace_id, execution, Retried(state.revision_id))).go_on()
    assert (await engine.state(execution)).status is Status.COMPLETED
    assert await engine.jobs() == []


async def test_cancelling_reaches_every_descendant(engine: Engine) -> None:
    middle = define(step("sub", RUN, ("resting", {})), name="middle")
    execution = await begun(engine, parent(runs="middle"), middle, RESTING)
    await engine.work()
    await engine.runner.apply(engine.workspace_id, execution, Cancelled("no longer wanted"))
    await engine.work()
    rows = await engine.rows("SELECT depth, status, error FROM execution ORDER BY depth")
    assert [(row["depth"], row["status"]) for row in rows] == [(0, "CANCELLED"), (1, "CANCELLED"), (2, "CANCELLED")]
    assert str(execution) in rows[1]["error"]["message"]
    assert await engine.jobs() == []


async def test_the_job_that_cancels_a_child_stands_in_the_commit_that_cancels_the_parent(engine: Engine) -> None:
    execution = await begun(engine, parent(runs="resting"), RESTING)
    await engine.runner.apply(engine.workspace_id, execution, Cancelled())
    (row,) = await engine.rows("SELECT xmin::text AS made FROM execution WHERE id = $1", execution)
    (job,) = await engine.rows("SELECT xmin::text AS made, entrypoint FROM pgqueuer")
    assert (job["made"], job["entrypoint"]) == (row["made"], "execution.abandoned")


async def test_a_child_that_ends_writes_the_job_that_tells_its_parent_in_the_same_commit(engine: Engine) -> None:
    execution = await begun(engine, parent(runs="resting"), RESTING)
    (child,) = await children(engine, execution)
    await pay(engine, child["id"])
    (row,) = await engine.rows("SELECT xmin::text AS made, untold FROM execution WHERE id = $1", child["id"])
    (job,) = await engine.rows("SELECT xmin::text AS made, entrypoint FROM pgqueuer")
    assert (job["made"], job["entrypoint"], row["untold"]) == (row["made"], CHILD_ENDED, True)


async def test_no_child_is_written_once_its_parent_is_cancelled(engine: Engine) -> None:
    """The process that starts the child loses the race against the one that cancels the parent."""
    await engine.publish(CALLED)
    run = await engine.start(parent())
    await engine.runner.apply(engine.workspace_id, run.state.identity.id, Cancelled())
    await run.go_on()
    assert await children(engine, run.state.identity.id) == []
    assert (await engine.state(run.state.identity.id)).status is Status.CANCELLED


async def test_a_start_that_is_repeated_after_a_crash_makes_one_child(engine: Engine) -> None:
    await engine.publish(RESTING)
    run = await engine.start(parent(runs="resting"))
    loaded = await engine.loaded(run.state.identity.id)
    rival = engine.runner.under_way(run.definition, loaded, owned=loaded.job_id)
    await asyncio.gather(run.go_on(), rival.go_on())
    (child,) = await children(engine, run.state.identity.id)
    await pay(engine, child["id"], "once")
    await engine.work()
    assert (await engine.state(run.state.identity.id)).outputs["sub"]["result"] == "once"


async def test_an_end_that_comes_before_the_parent_rests_is_not_lost(engine: Engine) -> None:
    """The child is over, and its parent told, while the process that started it has not written so."""
    await engine.publish(CALLED)
    run = await engine.start(parent())
    loaded = await engine.loaded(run.state.identity.id)
    lane, position = next(iter(loaded.state.lanes.items()))
    late = await engine.runner.children.call(run.definition, loaded.state, lane, position)
    await engine.work(entrypoints=("execution.continue", CHILD_ENDED))
    assert (await engine.state(run.state.identity.id)).status is Status.COMPLETED
    await engine.runner.apply(engine.workspace_id, run.state.identity.id, late)
    assert len(await engine.rows("SELECT FROM step_run WHERE execution_id = $1", run.state.identity.id)) == 1


async def test_the_sweep_tells_a_parent_whose_job_was_lost(engine: Engine) -> None:
    execution = await begun(engine, parent(runs="resting"), RESTING)
    (child,) = await children(engine, execution)
    await pay(engine, child["id"])
    await engine.rows("DELETE FROM pgqueuer")
    await engine.rows("UPDATE execution SET updated_at = now()")
    assert await engine.runner.sweep() == 0, "a minute has to pass: the job may be under way"
    await engine.rows("UPDATE execution SET updated_at = now() - interval '2 minutes'")
    assert await engine.runner.sweep() == 1
    assert (await engine.state(execution)).status is Status.COMPLETED
    assert await engine.runner.sweep() == 0


async def test_the_sweep_ends_a_child_that_nobody_waits_for(engine: Engine) -> None:
    execution = await begun(engine, parent(runs="resting"), RESTING)
    await engine.runner.apply(engine.workspace_id, execution, Cancelled())
    await engine.rows("DELETE FROM pgqueuer")
    await engine.rows("UPDATE execution SET updated_at = now() - interval '2 minutes'")
    assert await engine.runner.sweep() == 1
    (child,) = await children(engine, execution)
    assert child["status"] == "CANCELLED"
    await engine.work()
    assert await engine.runner.sweep() == 0


async def test_the_sweep_finds_nothing_while_children_are_under_way(engine: Engine) -> None:
    await begun(engine, parent(runs="resting"), RESTING)
    await engine.rows("UPDATE execution SET updated_at = now() - interval '2 minutes'")
    assert await engine.runner.sweep() == 0


async def test_a_step_that_takes_too_long_ends_its_child(engine: Engine) -> None:
    execution = await begun(engine, parent(runs="resting", timeout=timedelta(hours=1)), RESTING)
    engine.clock.move(timedelta(hours=1))
    await engine.work()
    failed = await engine.state(execution)
    assert (failed.status, (failed.error or {})["code"]) == (Status.FAILED, "STEP_TIMEOUT")
    (child,) = await children(engine, execution)
    assert child["status"] == "CANCELLED"


async def test_a_child_that_was_cancelled_fails_the_step_and_a_retry_starts_another(engine: Engine) -> None:
    execution = await begun(engine, parent(runs="resting"), RESTING)
    (child,) = await children(engine, execution)
    await engine.runner.apply(engine.workspace_id, child["id"], Cancelled("by hand"))
    await engine.work()
    state = await engine.state(execution)
    assert (state.status, (state.error or {})["code"]) == (Status.FAILED, "CHILD_CANCELLED")
    await (await engine.runner.apply(engine.workspace_id, execution, Retried(state.revision_id))).go_on()
    assert len(await children(engine, execution)) == 2


async def test_children_run_side_by_side_in_branches_and_lists(engine: Engine) -> None:
    run = ("called", lambda scope: {"number": scope["item"]})
    number = {"number": Parameter("number", "number", required=True)}
    doubles = define(
        step("ask", ASK, lambda scope, _: scope["parameters"]["number"] * 2), name="called", parameters=number,
        result=Template.compile("${steps.ask}"),
    )  # fmt: skip
    each = step("all", EachKind(), EachConfig(Template.compile([1, 2, 3]), "item", (step("sub", RUN, run),), 2, "fail"))
    branches = {"left": (step("one", RUN, ("called", {"number": 5})),), "right": (step("two"),)}
    definition = define(each, step("both", ParallelKind(), ParallelConfig(branches, "cancel")), name="parent")
    execution = await begun(engine, definition, doubles)
    assert {child["parent_step"] for child in await children(engine, execution)} == {"all[0].sub", "all[1].sub"}
    await engine.work()
    outputs = (await engine.state(execution)).outputs
    assert [item["sub"]["result"] for item in outputs["all"]["items"]] == [2, 4, 6]
    assert outputs["both"]["left"]["one"]["result"] == 10


async def test_many_children_that_end_at_once_all_count(engine: Engine) -> None:
    each = EachConfig(Template.compile("${parameters.list}"), "item", (step("sub", RUN, ("resting", {})),), 40, "fail")
    await engine.publish(RESTING)
    run = await engine.start(define(step("all", EachKind(), each), name="parent"), list=list(range(40)))
    await run.go_on()
    waiting = await children(engine, run.state.identity.id)
    assert len(waiting) == 40
    for child in waiting:
        await pay(engine, child["id"])
    tell = engine.runner.children.tell
    await asyncio.gather(*[tell(engine.workspace_id, child["id"]) for child in waiting])
    assert (await engine.state(run.state.identity.id)).status is Status.COMPLETED


async def test_a_definition_that_calls_itself_ends_at_the_depth_limit(engine: Engine) -> None:
    execution = await begun(engine, define(step("sub", RUN, ("parent", {})), name="parent"))
    await engine.work()
    (deepest,) = await engine.rows("SELECT depth, error FROM execution ORDER BY depth DESC LIMIT 1")
    assert (deepest["depth"], deepest["error"]["code"]) == (MOST_DEEP, "CHILD_TOO_DEEP")
    assert ((await engine.state(execution)).error or {})["code"] == "CHILD_FAILED"
    assert await engine.jobs() == []


async def test_everything_that_is_wrong_with_the_parameters_is_said_at_once(engine: Engine) -> None:
    parameters = {
        "nip": Parameter("nip", "string", required=True),
        "age": Parameter("age", "number", required=True),
        "note": Parameter("note", "string"),
    }
    called = define(step("a"), name="called", parameters=parameters)
    wrong = define(step("sub", RUN, ("called", {"age": "old", "nik": 1, "note": None})), name="parent")
    state = await engine.state(await begun(engine, wrong, called))
    assert (state.error or {})["code"] == "CHILD_PARAMETERS_INVALID"
    assert [problem["code"] for problem in (state.error or {})["details"]["problems"]] == [
        "PARAMETER_UNKNOWN", "PARAMETER_REQUIRED", "PARAMETER_TYPE",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("other", "code"),
    [(None, "CHILD_NOT_FOUND"), (define(step("a", FORM, "x"), name="called"), "CHILD_NEEDS_USER")],
)
async def test_what_cannot_be_run_fails_the_step_with_a_reason(
    engine: Engine, other: Definition | None, code: str
) -> None:
    state = await engine.state(await begun(engine, parent(), *([other] if other else [])))
    assert (state.status, (state.error or {})["code"]) == (Status.FAILED, code)
    assert state.children == frozenset()


async def test_a_branch_that_fails_ends_the_children_of_the_others(engine: Engine) -> None:
    def failing(scope: Any) -> Any:
        raise StepFailure("NO", "no")

    right = (step("stop", REST, "stop"), step("no", COMPUTE, failing))
    branches = {"left": (step("sub", RUN, ("resting", {})),), "right": right}
    both = step("both", ParallelKind(), ParallelConfig(branches, "cancel"), on_error=CONTINUE)
    execution = await begun(engine, define(both, step("after"), name="parent"), RESTING)
    await engine.runner.apply(engine.workspace_id, execution, EventCame(Received(new_id(), "stop", None)))
    await engine.work()
    (child,) = await children(engine, execution)
    assert child["status"] == "CANCELLED"
    assert "after" in (await engine.state(execution)).outputs
