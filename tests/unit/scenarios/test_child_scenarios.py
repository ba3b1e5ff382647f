"""A scenario says what the executions that steps start come to; they are not run."""

from __future__ import annotations

from pathlib import Path

from tests.unit.scenarios.scenario_files import differences, problems

RUNS = """
    parameters: {nip: {type: string, default: "5"}}
    steps:
      - id: sub
        workflow: {definition: other, parameters: {nip: "${parameters.nip}"}}
        onError: continue
      - id: next
        set: {passed: "${has(steps.sub.result.passed) && steps.sub.result.passed}"}
    result: "${steps.next.passed}"
"""


def test_the_result_of_the_other_definition_is_the_scenarios(tmp_path: Path) -> None:
    scenario = """
        answers:
          sub: {output: {result: {passed: true}}}
        expect: {status: COMPLETED, path: [sub, next], result: true, outputs: {sub: {status: COMPLETED}}}
    """
    assert differences(tmp_path, RUNS, scenario) == []


def test_a_failure_of_the_other_definition_is_the_scenarios(tmp_path: Path) -> None:
    scenario = """
        answers:
          sub: {error: {code: CHILD_FAILED}}
        expect: {status: COMPLETED, result: false, outputs: {sub: {error: {code: CHILD_FAILED}}}}
    """
    assert differences(tmp_path, RUNS, scenario) == []


def test_a_retry_starts_another_one(tmp_path: Path) -> None:
    retried = RUNS.replace("onError: continue", "retry: {attempts: 2, first: 1m}")
    scenario = """
        answers:
          sub: [{error: {code: CHILD_FAILED}}, {output: {result: {passed: true}}}]
        expect: {result: true, elapsed: 1m}
    """
    assert differences(tmp_path, retried, scenario) == []


def test_an_expression_in_the_parameters_that_fails_is_the_steps_failure(tmp_path: Path) -> None:
    scenario = """
        answers:
          sub: {output: {result: {passed: true}}}
        expect: {outputs: {sub: {error: {code: EXPRESSION_FAILED}}}}
    """
    wrong = RUNS.replace('nip: "${parameters.nip}"}', 'nip: "${parameters.nip.first}"}')
    assert differences(tmp_path, wrong, scenario) == []


def test_an_answer_of_another_shape_is_refused(tmp_path: Path) -> None:
    scenarios = "scenarios: [{name: one, answers: {sub: {status: 200}}, expect: {status: COMPLETED}}]"
    assert problems(tmp_path, RUNS, scenarios) == [
        "a.test.yaml:1: scenarios[0].answers.sub.status: another workflow gives"
        " `output: {result: …}` or `error`; remove it"
    ]
