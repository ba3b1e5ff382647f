"""A scenario that fails shows what is different, and coverage what nobody tried."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.scenarios.scenario_files import differences, printed, run

DEFINITION = """
    parameters: {n: {type: number, default: 1}}
    steps:
      - id: route
        switch:
          - {when: "parameters.n > 5", goto: large}
          - {when: "parameters.n < 0", goto: large}
      - id: small
        set: {size: small, list: [1, {a: 1}]}
      - id: done
        end: {}
      - id: large
        set: {size: large}
"""


def test_differences_are_told_by_path_expected_and_actual(tmp_path: Path) -> None:
    file = run(
        tmp_path,
        DEFINITION,
        """\
        scenarios:
          - {name: right, expect: {status: COMPLETED, path: [route, small, done]}}
          - name: wrong
            expect:
              status: FAILED
              path: [route, large]
              result: {small: {size: large, list: [1, {a: 2}]}, large: {size: large}}
              outputs: {small: {other: null}}
        """,
    )
    assert not file.passed
    assert re.sub(r"\d+ ms", "0 ms", printed(file)).splitlines() == [
        f"{tmp_path}/a.test.yaml",
        "  ✓ right 0 ms",
        f"  ✗ wrong 0 ms  {tmp_path}/a.test.yaml:3",
        '      status: expected "FAILED"',
        '              but was  "COMPLETED"',
        "      path: route → -large → +small → +done",
        '      result.small.size: expected "large"',
        '                         but was  "small"',
        "      result.small.list[1].a: expected 2",
        "                              but was  1",
        '      result.large: expected {"size":"large"}',
        "                    but was  nothing",
        "      outputs.small.other: expected null",
        "                           but was  nothing",
        "1 passed, 1 failed",
    ]


def test_a_file_with_mistakes_fails(tmp_path: Path) -> None:
    file = run(tmp_path, DEFINITION, "scenarios: []")
    assert not file.passed
    assert printed(file).endswith("0 passed, 0 failed, 1 file with mistakes\n")


def test_an_error_that_nobody_expects_is_always_shown(tmp_path: Path) -> None:
    definition = "steps: [{id: no, fail: {code: NO, message: not today}}]"
    found = differences(tmp_path, definition, "expect: {path: [no]}")
    assert found[0][0] == "error"
    assert found[0][2] == {"code": "NO", "message": "not today", "step": "no"}
    assert differences(tmp_path, definition, "expect: {status: FAILED}") == []
    assert differences(tmp_path, definition, "expect: {error: OTHER}") == [("error.code", "OTHER", "NO")]


def test_requests_are_counted(tmp_path: Path) -> None:
    definition = "steps: [{id: ask, http: {url: 'https://register.example'}}]"
    scenario = "answers: {ask: {}}\nexpect: {requests: {ask: []}}"
    assert differences(tmp_path, definition, scenario) == [("requests.ask", "0 requests", "1 request")]


def test_coverage_tells_steps_and_branches_that_no_scenario_took(tmp_path: Path) -> None:
    file = run(tmp_path, DEFINITION, "scenarios: [{name: a, expect: {path: [route, small, done]}}]")
    assert printed(file, coverage=True).splitlines()[2:] == [
        "  coverage: 3 of 4 steps (75 %), 1 of 3 branches of `switch` (33 %)",
        "      not run: large",
        "      not taken: route → large (parameters.n > 5)",
        "      not taken: route → large (parameters.n < 0)",
        "1 passed, 0 failed",
    ]


def test_coverage_is_of_all_scenarios_together(tmp_path: Path) -> None:
    file = run(
        tmp_path,
        DEFINITION,
        """
        scenarios:
          - {name: a, expect: {path: [route, small, done]}}
          - {name: b, parameters: {n: 6}, expect: {path: [route, large]}}
          - {name: c, parameters: {n: -1}, expect: {path: [route, large]}}
        """,
    )
    assert "4 of 4 steps (100 %), 3 of 3 branches of `switch` (100 %)" in printed(file, coverage=True)
