"""A scenario runs what the engine would run, with the outside faked and a clock that moves by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.scenarios.scenario_files import differences, outcome

ASK = """
    parameters: {nip: {type: string, default: "77/4"}}
    steps:
      - id: ask
        http:
          method: POST
          url: "https://register.example/companies/${parameters.nip}"
          headers: {Authorization: "Bearer ${secrets.KEY}"}
          body: {nip: "${parameters.nip}"}
        retry: {attempts: 3, first: 1s, factor: 2}
    result: "${steps.ask.body}"
"""
WAIT = """
    steps:
      - id: pause
        wait: {for: 2d}
      - id: payment
        event:
          name: paid
          within: 5d
          schema: {type: object, required: [amount]}
    result: "${steps.payment.amount}"
"""


def test_a_request_goes_out_as_the_template_says_and_its_answer_is_read(tmp_path: Path) -> None:
    assert (
        differences(
            tmp_path,
            ASK,
            """
            secrets: {KEY: s3cret}
            answers:
              ask: {body: {active: true}}
            expect:
              status: COMPLETED
              result: {active: true}
              requests:
                ask:
                  - method: POST
                    url: https://register.example/companies/77%2F4
                    headers: {authorization: Bearer s3cret}
                    body: {nip: 77/4}
            """,
        )
        == []
    )


def test_a_secret_that_the_answer_repeats_is_masked(tmp_path: Path) -> None:
    found = differences(
        tmp_path,
        ASK,
        """
        secrets: {KEY: s3cret}
        answers: {ask: {body: {said: Bearer s3cret}}}
        expect: {result: {said: Bearer s3cret}}
        """,
    )
    assert found == [("result.said", "Bearer s3cret", "Bearer •••")]


def test_a_secret_that_is_not_given_has_its_name_as_value(tmp_path: Path) -> None:
    scenario = "answers: {ask: {}}\nexpect: {requests: {ask: [{headers: {Authorization: Bearer KEY}}]}}"
    assert differences(tmp_path, ASK, scenario) == []


def test_retries_take_one_answer_each_and_their_waits_pass_at_once(tmp_path: Path) -> None:
    found = outcome(
        tmp_path,
        ASK,
        """
        answers: {ask: [{status: 503, headers: {Retry-After: "30"}}, {fails: timeout}, {body: 1}]}
        expect: {status: COMPLETED, path: [ask], elapsed: 32s}
        """,
    )
    assert found.passed
    assert [run.status for run in found.played.runs] == ["FAILED", "FAILED", "COMPLETED"]


@pytest.mark.parametrize(
    ("fails", "code"),
    [
        ("timeout", "HTTP_TIMEOUT"),
        ("connection", "HTTP_UNREACHABLE"),
        ("refused", "EGRESS_REFUSED"),
        ("tooLarge", "HTTP_ANSWER_TOO_LARGE"),
    ],
)
def test_one_answer_serves_every_attempt_and_failures_have_the_engine_s_codes(
    tmp_path: Path, fails: str, code: str
) -> None:
    scenario = f"answers: {{ask: {{fails: {fails}}}}}\nexpect: {{status: FAILED, error: {{code: {code}, step: ask}}}}"
    assert differences(tmp_path, ASK, scenario) == []


def test_a_text_is_sent_as_it_is(tmp_path: Path) -> None:
    assert differences(tmp_path, ASK, "answers: {ask: {body: Hello}}\nexpect: {result: Hello}") == []
    found = differences(
        tmp_path,
        ASK,
        """
        answers: {ask: {headers: {Content-Type: application/json}, body: "{broken"}}
        expect: {result: "{broken"}
        """,
    )
    assert found == []


def test_waits_pass_by_themselves_and_an_answer_comes_in_its_time(tmp_path: Path) -> None:
    scenario = """
        answers: {payment: {body: {amount: 3}, after: 1d}}
        expect: {status: COMPLETED, path: [pause, payment], result: 3, elapsed: 3d}
    """
    assert differences(tmp_path, WAIT, scenario) == []


@pytest.mark.parametrize("sent", ["answers: {payment: {body: {}}}", "events: [{name: paid, body: {}}]"])
def test_what_the_api_would_refuse_is_a_mistake_of_the_scenario(tmp_path: Path, sent: str) -> None:
    found = outcome(tmp_path, WAIT, f"{sent}\nexpect: {{status: COMPLETED}}")
    assert found.played.problems == (
        "`payment` refuses what it is sent: the body of the event `paid` does not fit its schema: "
        "body: the key `amount` is missing",
    )


def test_an_answer_that_comes_too_late_is_one_that_does_not_come(tmp_path: Path) -> None:
    late = outcome(tmp_path, WAIT, "answers: {payment: {body: {amount: 3}, after: 6d}}\nexpect: {error: EVENT_TIMEOUT}")
    assert late.differences == ()
    assert late.played.problems == (
        "`payment` did not ask for its answer: remove what is not needed, or look at the path",
    )
    assert differences(tmp_path, WAIT, "expect: {status: FAILED, error: EVENT_TIMEOUT, elapsed: 7d}") == []


def test_an_event_that_comes_before_its_step_waits_for_it(tmp_path: Path) -> None:
    scenario = """
        events: [{name: paid, body: {amount: 1}, after: 1h}]
        expect: {status: COMPLETED, result: 1, elapsed: 2d}
    """
    assert differences(tmp_path, WAIT, scenario) == []


def test_an_event_after_the_end_is_a_mistake(tmp_path: Path) -> None:
    found = outcome(
        tmp_path,
        WAIT,
        "events: [{name: paid, body: {amount: 1}}, {name: paid, after: 3d}]\nexpect: {status: COMPLETED}",
    )
    assert found.played.problems == ("the event `paid` comes after the end: send it sooner",)


def test_the_clock_stops_where_the_scenario_says(tmp_path: Path) -> None:
    first = "stopAfter: 47h\nexpect: {status: AWAITING, path: [], waitingFor: [pause], elapsed: 47h}"
    assert differences(tmp_path, WAIT, first) == []
    second = "stopAfter: 2d\nexpect: {status: AWAITING, path: [pause], waitingFor: [payment], elapsed: 2d}"
    assert differences(tmp_path, WAIT, second) == []


def test_the_clock_starts_where_the_scenario_says(tmp_path: Path) -> None:
    definition = """
        steps:
          - id: day
            set: {today: "${execution.today}", locale: "${execution.locale}"}
    """
    scenario = "now: 2026-03-29T00:30:00+02:00\nlocale: pl\nexpect: {outputs: {day: {today: 2026-03-28, locale: pl}}}"
    assert differences(tmp_path, definition, scenario) == []


def test_a_step_that_needs_no_answer_in_some_scenario_finds_it_in_common(tmp_path: Path) -> None:
    from tests.unit.scenarios.scenario_files import run

    definition = """
        parameters: {on: {type: boolean, default: false}}
        steps:
          - {id: first, set: {x: 1}}
          - {id: ask, when: parameters.on, http: {url: "https://register.example"}}
    """
    file = run(
        tmp_path,
        definition,
        """
        common: {answers: {ask: {body: 1}}}
        scenarios:
          - {name: without, expect: {path: [first]}}
          - {name: with, parameters: {on: true}, expect: {path: [first, ask], outputs: {ask: {body: 1}}}}
          - {name: other, parameters: {on: true}, answers: {ask: {body: 2}}, expect: {outputs: {ask: {body: 2}}}}
        """,
    )
    assert file.passed, file


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("{}", "`ask` asks the outside, and the scenario has no answer: write one in `answers`"),
        (
            "{ask: [{status: 500}]}",
            "`ask` asks once more than the 1 answer that the scenario has: add one to its list",
        ),
        (
            "{ask: [{status: 500}, {}, {}, {}]}",
            "`ask` did not ask for 2 of its 4 answers: remove what is not needed, or look at the path",
        ),
    ],
)
def test_too_few_and_too_many_answers_are_told(tmp_path: Path, answers: str, said: str) -> None:
    found = outcome(tmp_path, ASK, f"answers: {answers}\nexpect: {{status: COMPLETED}}")
    assert found.played.problems == (said,)
    assert not found.passed


def test_loops_count_every_visit(tmp_path: Path) -> None:
    definition = """
        steps:
          - id: ask
            http: {url: "https://register.example"}
          - id: again
            switch: [{when: "steps.ask.body.more", goto: ask}]
    """
    scenario = """
        answers: {ask: [{body: {more: true}}, {body: {more: false}}]}
        expect: {path: [ask, again, ask, again]}
    """
    assert differences(tmp_path, definition, scenario) == []


def test_today_is_the_day_of_the_definition_s_zone(tmp_path: Path) -> None:
    steps = '{zone}steps:\n  - {{id: a, set: {{day: "${{execution.today}}"}}}}\n'
    midnight = 'now: 2026-07-01T00:30:00+02:00\nexpect: {{outputs: {{a: {{day: "{day}"}}}}}}'
    zoned = steps.format(zone="timeZone: Europe/Warsaw\n")
    assert differences(tmp_path, zoned, midnight.format(day="2026-07-01")) == []
    assert differences(tmp_path, steps.format(zone=""), midnight.format(day="2026-06-30")) == []
