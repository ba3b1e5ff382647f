"""Everything that is wrong with a file of scenarios is said at once, with its line and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.kit.errors import CommandError
from passerelle.scenarios.reading import find_files, read_file
from tests.unit.scenarios.scenario_files import kinds, problems, run

DEFINITION = """
    parameters: {nip: {type: string, required: true}}
    steps:
      - id: register
        http: {url: "https://register.example"}
      - id: pause
        wait: {for: 1d}
      - id: payment
        event: {name: paid}
      - id: risk
        set: {score: 1}
"""


def test_everything_that_does_not_fit_the_definition(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        DEFINITION,
        """\
        scenarios:
          - name: one
            parameters: {nip: 7, krs: "1"}
            answers:
              registr: {status: 200}
              risk: {output: 1}
              pause: {body: 1}
              payment: {status: 200}
              register: {output: 1}
            events: [{name: payed}]
            now: yesterday
            stopAfter: 20000d
            expect:
              path: [register, rsk]
              waitingFor: [paymnt]
              outputs: {scores: 1}
              error: {step: registre}
              requests: {risk: []}
          - name: one
            parameters: {}
            answers: {register: {fails: timeout, status: 200}}
            expect: {status: COMPLETED}
        """,
    )
    assert found == [
        "a.test.yaml:3: scenarios[0].parameters.nip: the parameter `nip` must be a text, is a number",
        "a.test.yaml:3: scenarios[0].parameters.krs: the definition declares no parameter `krs`; it declares `nip`",
        "a.test.yaml:5: scenarios[0].answers.registr: there is no step `registr`; did you mean `register`?",
        "a.test.yaml:6: scenarios[0].answers.risk: `risk` asks nobody anything, so it gets no answer; remove it",
        "a.test.yaml:7: scenarios[0].answers.pause: `pause` waits for a time only, so it gets no answer; remove it",
        "a.test.yaml:8: scenarios[0].answers.payment.status: a step that waits gets `body` and `after`; remove it",
        "a.test.yaml:9: scenarios[0].answers.register.output: a request gets `status`, `headers` and `body`, or `fails`; remove it",
        "a.test.yaml:10: scenarios[0].events[0].name: no step takes an event `payed`; did you mean `paid`?",
        "a.test.yaml:11: scenarios[0].now: must be a moment such as `2026-12-31T12:00:00Z`, is `yesterday`",
        "a.test.yaml:12: scenarios[0].stopAfter: '20000d' is longer than ten years",
        "a.test.yaml:14: scenarios[0].expect.path[1]: there is no step `rsk`; did you mean `risk`?",
        "a.test.yaml:15: scenarios[0].expect.waitingFor[0]: there is no step `paymnt`; did you mean `payment`?",
        "a.test.yaml:16: scenarios[0].expect.outputs.scores: there is no step `scores`; the steps are `register`, `pause`, `payment`, `risk`",
        "a.test.yaml:17: scenarios[0].expect.error.step: there is no step `registre`; did you mean `register`?",
        "a.test.yaml:18: scenarios[0].expect.requests.risk: `risk` makes no requests; name a step that does",
        "a.test.yaml:19: scenarios[1].name: the scenario on line 2 has this name already; use another one",
        "a.test.yaml:20: scenarios[1].parameters: the parameter `nip` is required; send a text",
        "a.test.yaml:21: scenarios[1].answers.register: is several answers in one (`fails`, `body`); keep one of them",
    ]


def test_everything_that_is_no_scenario(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        DEFINITION,
        """\
        scenarios:
          - nme: one
            expect: {statuss: COMPLETED}
          - name: two
            answers: {register: 5}
            expect: {status: DONE, error: timeout}
        """,
    )
    assert found == [
        "a.test.yaml:2: scenarios[0]: the key `name` is missing",
        "a.test.yaml:2: scenarios[0].nme: unknown key; did you mean `name`?",
        "a.test.yaml:3: scenarios[0].expect.statuss: unknown key; did you mean `status`?",
        "a.test.yaml:5: scenarios[1].answers.register: must be an answer, or a list of answers, is `5`",
        "a.test.yaml:6: scenarios[1].expect.status: must be `RUNNING`, `AWAITING`, `COMPLETED`, `FAILED`, `EXPIRED` or"
        " `CANCELLED`, is `DONE`",
        "a.test.yaml:6: scenarios[1].expect.error: must be a code in capitals, such as `HTTP_TIMEOUT`, is `timeout`",
    ]


def test_a_text_that_is_no_yaml(tmp_path: Path) -> None:
    assert problems(tmp_path, DEFINITION, "scenarios: [") != []
    assert problems(tmp_path, DEFINITION, "- a") == ["a.test.yaml:1: scenarios: must be an object, is a list"]


def test_an_empty_file_is_told_what_a_file_of_scenarios_needs(tmp_path: Path) -> None:
    first, *_ = problems(tmp_path, DEFINITION, "# nothing yet\n")
    assert first.endswith("the text is empty; a file of scenarios needs at least `scenarios`")


def test_a_definition_with_mistakes_is_told_by_its_own_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, "steps: [{id: a, set: {x: '${'}}]", "scenarios: [{name: a, expect: {path: [a]}}]")
    assert len(found) == 1
    assert found[0].startswith("a.yaml:2: steps.a.set.x: ")


def test_scenarios_without_their_definition(tmp_path: Path) -> None:
    file = tmp_path / "b.test.yaml"
    file.write_text("scenarios: [{name: a, expect: {path: []}}]")
    assert read_file(file, kinds()) == [
        f"{file}:1: definition: there is no {tmp_path}/b.yaml; name the definition's file in `definition`"
    ]
    file.write_bytes(b"\xff")
    assert read_file(file, kinds()) == [f"{file}: is not UTF-8 from byte 0 on; save it as UTF-8"]


def test_scenarios_can_name_their_definition(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("name: b\nsteps: [{id: b, set: {x: 1}}]")
    named = run(tmp_path, DEFINITION, "definition: b.yaml\nscenarios: [{name: b, expect: {path: [b]}}]")
    assert named.passed


def test_folders_are_looked_through_but_for_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.test.yaml", "a.test.yml", "deep/er/c.test.json", ".hidden/d.test.yaml", "e.yaml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = [str(file.relative_to(tmp_path)) for file in find_files([tmp_path, tmp_path / "b.test.yaml"])]
    assert found == ["a.test.yml", "b.test.yaml", "deep/er/c.test.json"]


@pytest.mark.parametrize(
    ("name", "said"), [("gone", "gone is not there"), ("", "write them beside a definition, for a.yaml in a.test.yaml")]
)
def test_nothing_to_run_is_a_mistake(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        find_files([tmp_path / name])
