"""What is wrong with running another definition is told when the definition is checked, as far as both are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.cli.check import check_files
from passerelle.definitions.calls import Callee, callee_of, calls_of
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.source import read_source
from passerelle.engine.registry import load_kinds

KINDS = load_kinds()
CALLED = """\
name: called
parameters:
  nip: {type: string, required: true}
  age: {type: number, required: true}
  note: {type: string}
steps:
  - {id: a, set: {x: 1}}
"""
ASKS = """\
name: asks
steps:
  - {id: a, form: {title: T, schema: {type: object, properties: {n: {type: string}}}}}
"""


def known(*texts: str) -> dict[str, Callee]:
    definitions = [compile_definition(text, KINDS).definition for text in texts]
    return {definition.name: callee_of(definition) for definition in definitions if definition is not None}


def caller(step: str, name: str = "caller") -> str:
    return f"name: {name}\nsteps:\n  - {{id: sub, workflow: {{{step}}}}}\n"


def told(text: str, *others: str) -> list[str]:
    facts = KnownFacts(callees=known(*others))
    return [str(problem) for problem in compile_definition(text, KINDS, workspace=facts).problems]


def test_a_definition_that_runs_itself_is_refused_without_a_workspace() -> None:
    assert [str(problem) for problem in compile_definition(caller("definition: caller"), KINDS).problems] == [
        "3: steps.sub.workflow.definition: `caller` would run itself, without end; move what is to be repeated into an `each`"
    ]


def test_a_circle_of_definitions_is_refused_with_its_way() -> None:
    assert told(
        caller("definition: b"),
        caller("definition: c", "b"),
        caller("definition: d", "c"),
        caller("definition: caller", "d"),
    ) == [
        "3: steps.sub.workflow.definition: the definitions would run each other in a circle:"
        " caller → b → c → d → caller; break it somewhere"
    ]


def test_a_definition_that_two_others_run_is_no_circle() -> None:
    assert told(caller("definition: b"), caller("definition: c", "b"), "name: c\nsteps: [{id: a, set: {x: 1}}]") == []


def test_everything_that_is_wrong_with_the_parameters_is_told_at_once() -> None:
    assert told(caller("definition: called, parameters: {nik: 1, age: old, note: 5}"), CALLED) == [
        "3: steps.sub.workflow.parameters: `called` requires `nip`; add it here",
        "3: steps.sub.workflow.parameters.nik: `called` declares no parameter `nik`; did you mean `nip`?",
        "3: steps.sub.workflow.parameters.age: `called` wants a number here, this is a text",
        "3: steps.sub.workflow.parameters.note: `called` wants a text here, this is a number",
    ]
    assert told(caller("definition: called"), CALLED) == [
        "3: steps.sub.workflow: `called` requires `nip`, `age`; add it here"
    ]
    assert (
        told(caller("definition: called, parameters: {nip: '${execution.id}', age: '${1 + 1}', note: null}"), CALLED)
        == []
    )


def test_a_definition_with_steps_for_an_end_user_cannot_be_a_step() -> None:
    assert told(caller("definition: asks"), ASKS) == [
        "3: steps.sub.workflow.definition: `asks` has steps for an end user, so no step can run it;"
        " ask the end user in this definition, and run a definition without such steps"
    ]


def test_calls_are_found_wherever_they_stand_and_in_documents_that_are_wrong() -> None:
    text = """
name: a
steps:
  - {id: both, parallel: {branches: {l: [{id: s, workflow: {definition: one}}], r: [{id: t, nonsense: 1}]}}}
  - {id: all, each: {in: [1], steps: [{id: u, workflow: {definition: two, parameters: {definition: three}}}]}}
  - {id: wrong, workflow: {definition: 5}}
"""
    assert calls_of(read_source(text).value) == {"one", "two"}


@pytest.mark.parametrize("order", [("b", "c"), ("c", "b")])
def test_files_that_are_checked_together_know_each_other(tmp_path: Path, order: tuple[str, str]) -> None:
    (tmp_path / "b.yaml").write_text(caller("definition: c", "b"))
    (tmp_path / "c.yaml").write_text(caller("definition: b", "c"))
    files = [tmp_path / f"{name}.yaml" for name in order]
    assert len(check_files(files, KINDS)[0]) == 2
    assert check_files(files[:1], KINDS)[0] == []
