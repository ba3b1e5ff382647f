"""Scenarios with decisions, end users, other workflows, and steps inside of `each` and `parallel`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.scenarios.scenario_files import differences, outcome, printed, problems, run

REVIEW = """
    steps:
      - id: decide
        review: {title: Check, outcomes: [approve, reject], assignTo: compliance, within: 2d, remindEvery: 1h}
        onError: continue
      - id: done
        set: {outcome: "${has(steps.decide.outcome) ? steps.decide.outcome : 'late'}"}
    result: "${steps.done.outcome}"
"""
FOUR_EYES = """
    steps: [{id: decide, review: {title: Check, outcomes: [approve, reject], fourEyes: true}}]
    result: "${steps.decide.votes.map(vote, vote.by.name)}"
"""
OWNERS = """
    parameters: {owners: {type: list, default: [Anna, Ben, Cleo]}}
    steps:
      - id: owners
        each:
          in: "${parameters.owners}"
          as: owner
          onItemError: continue
          steps:
            - id: look
              http: {url: "https://register.example/${owner}"}
              retry: {attempts: 1}
            - id: route
              switch: [{when: "steps.look.body.clean", goto: clean}, {goto: decide}]
            - id: decide
              review: {title: Owner, outcomes: [approve, reject], within: 1d}
            - id: clean
              set: {name: "${owner}"}
      - id: both
        parallel:
          branches:
            left: [{id: one, event: {name: first}}]
            right: [{id: two, event: {name: second}}]
    result: "${steps.owners.items.map(item, has(item.decide) ? item.decide.outcome : has(item.clean) ? 'clean' : 'lost')}"
"""


def test_a_decision_and_its_time(tmp_path: Path) -> None:
    scenario = """
        answers: {decide: {outcome: reject, comment: no, after: 5h}}
        expect: {path: [decide, done], result: reject, elapsed: 5h, outputs: {decide: {comment: "no", by: {name: reviewer 1}}}}
    """
    assert differences(tmp_path, REVIEW, scenario.replace("comment: no,", 'comment: "no",')) == []


def test_without_a_decision_the_limit_comes_and_reminders_keep_nobody_busy(tmp_path: Path) -> None:
    assert differences(tmp_path, REVIEW, "expect: {result: late, elapsed: 2d}") == []
    waiting = "stopAfter: 1d\nexpect: {status: AWAITING, waitingFor: [decide]}"
    assert differences(tmp_path, REVIEW, waiting) == []


def test_under_four_eyes_one_answer_is_that_of_everybody(tmp_path: Path) -> None:
    scenario = "answers: {decide: {outcome: approve}}\nexpect: {status: COMPLETED, result: [reviewer 1, reviewer 2]}"
    assert differences(tmp_path, FOUR_EYES, scenario) == []


def test_under_four_eyes_a_list_has_the_votes(tmp_path: Path) -> None:
    votes = "[{outcome: approve, by: Anna}, {outcome: reject, by: Ben}, {outcome: approve, by: Cleo, after: 1h}]"
    assert (
        differences(tmp_path, FOUR_EYES, f"answers: {{decide: {votes}}}\nexpect: {{result: [Anna, Ben, Cleo]}}") == []
    )


def test_what_the_api_would_refuse_is_told(tmp_path: Path) -> None:
    votes = "[{outcome: approve, by: Anna}, {outcome: approve, by: Anna}]"
    found = outcome(tmp_path, FOUR_EYES, f"answers: {{decide: {votes}}}\nexpect: {{status: COMPLETED}}")
    assert found.played.problems == (
        "`decide` refuses what it is sent: you decided `approve` already: under four eyes somebody else has to decide now",
    )


def test_items_have_answers_of_their_own(tmp_path: Path) -> None:
    scenario = """
        answers:
          look: {body: {clean: true}}
          owners[1].look: {body: {clean: false}}
          owners[2].look: {fails: timeout}
          owners[1].decide: {outcome: reject}
          one: {body: 1, after: 2d}
          two: {body: 2, after: 1d}
        expect:
          status: COMPLETED
          path: [owners, both]
          result: [clean, reject, lost]
          outputs: {"owners[1].decide": {outcome: reject}, both: {left: {one: 1}}, both.right.two: 2}
          requests:
            look: [{url: https://register.example/Anna}, {}, {}]
            owners[1].look: [{url: https://register.example/Ben}]
    """
    assert differences(tmp_path, OWNERS, scenario) == []


def test_inner_steps_are_compared_where_one_is_named(tmp_path: Path) -> None:
    scenario = """
        parameters: {owners: [Anna]}
        answers: {look: {body: {clean: true}}}
        stopAfter: 1h
        expect:
          waitingFor: [one, both.right.two]
          path: ["owners[0].look", "owners[0].route", "owners[0].clean", owners]
    """
    assert differences(tmp_path, OWNERS, scenario) == []
    found = differences(tmp_path, OWNERS, scenario.replace('"owners[0].route", ', ""))
    assert found[0][2] == ["owners[0].look", "owners[0].route", "owners[0].clean", "owners"]


def test_coverage_counts_inner_steps_and_branches(tmp_path: Path) -> None:
    file = run(
        tmp_path,
        OWNERS,
        "scenarios: [{name: one, answers: {look: {body: {clean: true}}}, stopAfter: 1h, expect: {waitingFor: [one, two]}}]",
    )
    assert "coverage: 4 of 8 steps (50 %), 1 of 2 branches" in printed(file, coverage=True)
    assert "not run: decide, both, one, two" in printed(file, coverage=True)


def test_a_list_of_answers_that_is_too_short_is_told_by_the_place(tmp_path: Path) -> None:
    answers = "answers: {look: [{body: {clean: true}}]}\nexpect: {status: COMPLETED}"
    assert outcome(tmp_path, OWNERS, answers).played.problems == (
        "`owners[1].look` asks once more than the 1 answer that the scenario has: add one to its list",
    )


def test_end_users_answer_forms_and_are_refused_like_in_life(tmp_path: Path) -> None:
    definition = """
        steps:
          - id: person
            form: {title: You, schema: {type: object, required: [name], properties: {name: {type: string, title: Name}}}}
          - id: terms
            consent: {title: Terms, text: All of it, version: "1"}
          - id: bye
            message: {title: Bye, text: "Thanks, ${steps.person.name}"}
        result: "${steps.person.name}"
    """
    answers = "answers: {person: {body: {name: Anna}, after: 1h}, terms: {body: {accepted: true}}}"
    expected = "expect: {status: COMPLETED, result: Anna, elapsed: 1h, path: [person, terms, bye]}"
    assert differences(tmp_path, definition, f"{answers}\n{expected}") == []
    refused = outcome(tmp_path, definition, "answers: {person: {body: {}}}\nexpect: {status: RUNNING}")
    (problem,) = refused.played.problems
    assert problem.startswith("`person` refuses what it is sent: name")


FORM = """
    expiresAfter: 7d
    steps:
      - id: name
        form: {title: You, schema: {type: object, properties: {name: {type: string, title: Name}}}}
      - {id: later, wait: {for: 30d}}
"""


@pytest.mark.parametrize("answers", ["", "answers: {name: {body: {name: Anna}, after: 8d}}"])
def test_an_end_user_who_does_not_come_in_time_is_too_late(tmp_path: Path, answers: str) -> None:
    """And what is sent afterwards is not heard, which is no mistake of the scenario."""
    assert differences(tmp_path, FORM, f"{answers}\nexpect: {{status: EXPIRED, path: [], elapsed: 7d}}") == []


def test_background_steps_cannot_run_out_of_the_end_users_time(tmp_path: Path) -> None:
    scenario = "answers: {name: {body: {name: Anna}}}\nexpect: {status: COMPLETED, elapsed: 30d}"
    assert differences(tmp_path, FORM, scenario) == []


def test_another_workflow_is_not_started(tmp_path: Path) -> None:
    definition = """
        steps: [{id: check, workflow: {definition: company-check}, onError: continue}]
        result: "${has(steps.check.error) ? steps.check.error.code : steps.check.result.decision}"
    """
    good = "answers: {check: {output: {result: {decision: approve}}}}\nexpect: {result: approve}"
    assert differences(tmp_path, definition, good) == []
    bad = "answers: {check: {error: {code: BROKEN}}}\nexpect: {result: CHILD_FAILED}"
    assert differences(tmp_path, definition, bad) == []


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ("answers: {decide: {outcome: maybe}}", "answers.decide.outcome: the review has no outcome `maybe`; it has `approve`, `reject`"),
        ("answers: {decide: {body: 1}}", "answers.decide.body: a review gets `outcome`, `comment` and `by`; remove it"),
        ("answers: {owners.look: {}}", "answers[\"owners.look\"]: `owners.look` is no place of the step `look`; write `owners[0].look`"),
        ("answers: {'ownrs[0].look': {}}", "`ownrs[0].look` is no place of the step `look`; write `owners[0].look`"),
        ("answers: {'owners[0].lok': {}}", "there is no step `lok`; did you mean `look`?"),
        ("answers: {both.middle.one: {}}", "`both.middle.one` is no place of the step `one`; write `both.left.one`"),
        ("expect: {path: [look]}", "expect.path[0]: `look` is no place of the step `look`; write `owners[0].look`"),
        ("expect: {path: ['owners[0].']}", "must be a step's id, or its place such as `owners[0].person`"),
        ("expect: {outputs: {one: 1}}", "`one` is no place of the step `one`; write `both.left.one`"),
        ("expect: {outputs: {'both[0].one': 1}}", "`both[0].one` is no place of the step `one`; write `both.left.one`"),
    ],
)  # fmt: skip
def test_places_that_are_none_are_told(tmp_path: Path, scenario: str, says: str) -> None:
    expect = "" if "expect" in scenario else "\n    expect: {status: COMPLETED}"
    found = problems(tmp_path, OWNERS, f"scenarios:\n  - name: one\n    {scenario}{expect}\n")
    assert any(says in problem for problem in found), found
