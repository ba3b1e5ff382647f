"""What is worked out in another process comes out as it would here."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.model import Definition
from passerelle.engine.heavy_transitions import compile_there
from passerelle.engine.kinds import Refusal, StepFailure
from passerelle.engine.model import Identity, State, Status
from passerelle.engine.registry import load_kinds
from passerelle.engine.signals import Started
from passerelle.engine.transitions import advance
from passerelle.kit.work import KEPT_BYTES, TooHeavyError, TooMuchKeptError, WorkSpentError

KINDS = load_kinds()
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
EXAMPLES = sorted(
    path for path in Path("examples").rglob("*.yaml") if "steps:" in path.read_text() and ".test." not in path.name
)
HEAVY = "name: heavy\nparameters: {l: {type: list, required: true}}\nsteps:\n" + "".join(
    f'- id: s{at}\n  set: {{x: "${{parameters.l.map(x, x + {at}).size()}}"}}\n' for at in range(5)
)


def compiled(text: str) -> Definition:
    definition = compile_definition(text, KINDS).definition
    assert definition is not None
    return definition


def started(definition: Definition, parameters: dict[str, object]) -> State:
    identity = Identity(UUID(int=1), UUID(int=2), UUID(int=3), definition.execution_type, parameters, NOW, "API")
    return State(identity, UUID(int=4))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_can_be_compiled_in_another_process(path: Path) -> None:
    there = pickle.loads(pickle.dumps(compile_there(path.read_text(), None, False)))
    here = compile_definition(path.read_text(), KINDS)
    assert there.problems == here.problems
    if here.definition is not None:
        assert there.definition.document == here.definition.document
        assert there.definition.needs == here.definition.needs
        assert [type(step.kind) for step in there.definition.all_steps] == [
            type(step.kind) for step in here.definition.all_steps
        ]
        assert Definition.unpacked(there.definition.packed).execution_type == here.definition.execution_type


def test_a_definition_that_was_sent_runs_as_the_one_that_was_not() -> None:
    definition = compiled(HEAVY)
    state = started(definition, {"l": [1, 2, 3]})
    sent = Definition.unpacked(definition.packed)
    assert advance(sent, state, Started(), NOW) == advance(definition, state, Started(), NOW)


def test_refusals_and_failures_survive_the_way() -> None:
    failure = pickle.loads(pickle.dumps(StepFailure("A", "b", reason="timeout", after=3.0, details={"c": 1})))
    assert (failure.code, failure.message, failure.reason, failure.after, failure.details) == (
        "A",
        "b",
        "timeout",
        3.0,
        {"c": 1},
    )
    assert pickle.loads(pickle.dumps(Refusal("A", "b"))).message == "b"


def test_steps_that_are_heavy_together_are_committed_one_after_the_other() -> None:
    """Each is done here, and what has come of it is put down before the next."""
    definition = compiled(HEAVY)
    transition = advance(definition, started(definition, {"l": [0] * 1_500}), Started(), NOW, here=20_000)
    assert 0 < len(transition.runs) < 5
    assert transition.state.runnable
    assert transition.state.spent > 10_000


def test_a_step_that_is_heavy_alone_is_done_elsewhere() -> None:
    definition = compiled(HEAVY)
    state = started(definition, {"l": [0] * 30_000})
    with pytest.raises(TooHeavyError):
        advance(definition, state, Started(), NOW, here=20_000)
    assert advance(definition, state, Started(), NOW).state.spent > 20_000


def test_an_execution_may_cost_so_much_in_all() -> None:
    definition = compiled(HEAVY)
    state = started(definition, {"l": [0] * 30_000})
    with pytest.raises(WorkSpentError):
        advance(definition, State(state.identity, state.revision_id, spent=19_900_000), Started(), NOW)


def test_the_outputs_of_an_execution_are_so_many_bytes_in_all() -> None:
    definition = compiled(HEAVY)
    state = started(definition, {"l": [0] * 10})
    kept = advance(definition, state, Started(), NOW).state.kept
    assert kept > 0
    full = State(state.identity, state.revision_id, kept=KEPT_BYTES - kept)
    assert advance(definition, full, Started(), NOW).state.kept == KEPT_BYTES
    with pytest.raises(TooMuchKeptError):
        advance(definition, replace(full, kept=full.kept + 1), Started(), NOW)


def test_work_inside_of_a_transaction_is_left_for_after_it() -> None:
    definition = compiled(HEAVY)
    transition = advance(definition, started(definition, {"l": [0] * 30_000}), Started(), NOW, steps_at_once=0)
    assert transition.runs == ()
    assert transition.state.status is Status.RUNNING
    assert transition.state.runnable
