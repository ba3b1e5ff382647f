"""Scenarios have records of their own: a definition that writes them is tested without a database."""

from __future__ import annotations

from pathlib import Path

from tests.unit.scenarios.scenario_files import differences, problems

SAVE = """
    record: {table: customers, create: true}
    parameters: {number: {type: string, default: "1"}}
    steps:
      - id: known
        record: {find: {number: "${parameters.number}"}}
      - id: save
        record: {update: {number: "${parameters.number}", status: approved}}
        onError: continue
      - id: log
        record: {table: notes, create: {of: "${execution.recordId}", text: "${record.status}"}}
    result: {known: "${steps.known.records.size()}", failed: "${has(steps.save.error)}", email: "${record.email}"}
"""


def test_a_run_without_a_record_makes_one_in_the_scenarios_records(tmp_path: Path) -> None:
    scenario = """
        records: {customers: [{number: "2"}]}
        expect:
          status: COMPLETED
          result: {known: 0, failed: false, email: null}
          records: {customers: [{number: "2", version: 1}, {number: "1", status: approved}], notes: [{text: approved}]}
    """
    assert differences(tmp_path, SAVE, scenario) == []


def test_the_given_record_is_changed(tmp_path: Path) -> None:
    scenario = """
        record: {number: "1", email: a@example.com}
        expect:
          result: {known: 1, email: a@example.com}
          records: {customers: [{number: "1", status: approved, version: 2}]}
    """
    assert differences(tmp_path, SAVE, scenario) == []


def test_records_that_came_out_otherwise_are_shown(tmp_path: Path) -> None:
    found = differences(tmp_path, SAVE, "expect: {records: {customers: [{number: '7'}], notes: []}}")
    assert [where for where, _, _ in found] == ["records.customers[0].number", "records.notes"]


def test_the_case_of_a_run_is_given_like_a_record(tmp_path: Path) -> None:
    definition = """
        steps: [{id: a, set: {text: "Dear ${case.firstName}", email: "${case.email}"}}]
        result: {text: "${steps.a.text}", email: "${steps.a.email}"}
    """
    scenario = """
        record: {firstName: Anna}
        expect: {result: {text: Dear Anna, email: null}}
    """
    assert differences(tmp_path, definition, scenario) == []


def test_a_failure_that_only_a_real_table_has_is_told_by_the_scenario(tmp_path: Path) -> None:
    scenario = """
        record: {number: "1"}
        answers: {save: {error: {code: VALUE_TAKEN}}}
        expect: {result: {failed: true}}
    """
    assert differences(tmp_path, SAVE, scenario) == []


def test_upsert_changes_what_it_finds(tmp_path: Path) -> None:
    definition = """
        steps:
          - {id: a, record: {table: t, upsert: {number: "1", age: 2}, by: number}}
          - {id: b, record: {table: t, upsert: {number: "2"}, by: number}}
          - {id: c, record: {table: t, update: {age: 3}, id: "${steps.b.id}"}}
          - {id: d, record: {table: t, update: {age: 3}, id: "00000000-0000-0000-0000-000000000000"}}
    """
    scenario = """
        records: {t: [{number: "1"}]}
        expect:
          error: {code: RECORD_NOT_FOUND, step: d}
          status: FAILED
          records: {t: [{number: "1", age: 2}, {number: "2", age: 3}]}
    """
    assert differences(tmp_path, definition, scenario) == []


def test_a_record_for_a_definition_without_one_is_a_mistake(tmp_path: Path) -> None:
    definition = "steps: [{id: a, set: {x: 1}}]"
    found = problems(tmp_path, definition, "scenarios: [{name: one, record: {a: 1}, expect: {status: COMPLETED}}]")
    assert found == [
        "a.test.yaml:1: scenarios[0].record: the definition has no `record:` block, so a run has no record; remove it"
    ]
