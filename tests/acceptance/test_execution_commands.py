"""Executions and duplicates by command: what the API does, an operator does without curl."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from tests.acceptance.commanding import passerelle
from tests.acceptance.running import Dev, pushed

WAITS = """
name: waits-for-word
parameters: {amount: {type: number, default: 1}}
steps:
  - id: word
    event: {name: the-word, schema: {type: object, required: [said], properties: {said: {type: string}}}}
  - id: good
    switch: [{when: "steps.word.said == 'yes'", goto: done}, {goto: bad}]
  - id: done
    end: {}
  - id: bad
    fail: {code: SAID_NO, message: They said no.}
"""


def done(dev: Dev, *arguments: str) -> str:
    result = passerelle(dev, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def started(dev: Dev, *arguments: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(done(dev, "executions", "start", "waits-for-word", *arguments))
    return shown


def test_executions_are_started_listed_answered_retried_and_cancelled_by_command(dev: Dev) -> None:
    with dev.api() as api:
        pushed(api, WAITS)
    reference = str(uuid4())
    one = started(dev, "-p", "amount=70.5", "--record", reference)["id"]
    shown = json.loads(done(dev, "executions", "show", one))
    assert (shown["parameters"], shown["recordId"]) == ({"amount": 70.5}, reference)
    listed = done(dev, "executions", "list", "--definition", "waits-for-word", "--record", reference)
    assert one in listed
    assert "event word" in listed
    assert "is FAILED" in done(dev, "executions", "event", one, "the-word", "--body", '{"said": "no"}')
    assert "SAID_NO" in done(dev, "executions", "list", "--status", "FAILED", "--record", reference)
    assert f"{one} is " in done(dev, "executions", "retry", one)
    timeline = json.loads(done(dev, "executions", "show", one, "--timeline"))
    assert {"word", "bad"} <= {step["step"] for step in timeline["steps"]}

    other = started(dev)["id"]
    assert f"{other} is CANCELLED" in done(dev, "executions", "cancel", other, "--reason", "a try")


def test_what_is_wrong_is_said(dev: Dev) -> None:
    with dev.api() as api:
        pushed(api, WAITS)
    assert "waits-for-word" in passerelle(dev, "executions", "start", "waits-for-wort").stderr
    assert "name=value" in passerelle(dev, "executions", "start", "waits-for-word", "-p", "amount").stderr
    unknown = passerelle(dev, "executions", "cancel", str(uuid4()))
    assert (unknown.returncode != 0, "no execution" in unknown.stderr.lower()) == (True, True)
    assert "not JSON" in passerelle(dev, "executions", "event", str(uuid4()), "x", "--body", "{").stderr


def test_duplicates_are_found_and_merged_by_command(dev: Dev) -> None:
    table = f"people_{uuid4().hex[:8]}"
    fields = [{"name": "name", "type": "text"}, {"name": "city", "type": "text"}]
    with dev.api() as api:
        assert api.post("/tables", json={"name": table, "fields": fields}).status_code == 201
        stays, goes, _ = (
            api.post(f"/tables/{table}/records", json=values).json()["id"]
            for values in ({"name": "Anna Kowalska"}, {"name": "Kowalska Anna", "city": "Opole"}, {"name": "Jan Lis"})
        )
        found = done(dev, "records", "duplicates", "--table", table, "--near", "name")
        assert stays in found
        assert goes in found
        assert "1 pairs among 3 records" in found
        assert "say by what" in passerelle(dev, "records", "duplicates", "--table", table).stderr
        merged = done(dev, "records", "merge", stays, goes, "--table", table)
        assert "city: Opole" in merged
        assert api.get(f"/tables/{table}/records/{goes}").json()["id"] == stays
