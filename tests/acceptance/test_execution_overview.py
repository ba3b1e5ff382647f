"""What screens show of executions: filters, numbers, failures in groups, the graph behind one."""

from __future__ import annotations

import csv
import io
from itertools import product
from typing import Any

import httpx

from tests.acceptance.running import codes, pushed, until

FAILING = """
name: overview-failing
parameters:
  amount: {type: number, required: true}
steps:
  - id: large
    when: parameters.amount > 100
    fail: {code: TOO_MUCH, message: That is too much}
  - id: rest
    event: {name: go-on}
  - id: choose
    switch:
      - when: parameters.amount > 10
        goto: done
  - id: small
    set: {small: true}
  - id: done
    title: {en: Done, pl: Gotowe}
    set: {done: true}
"""


def started(api: httpx.Client, definition: str, amount: int) -> str:
    body = {"workflowDefinitionId": definition, "parameters": {"amount": amount}}
    return str(api.post("/workflows/run", json=body).raise_for_status().json()["id"])


def listed(api: httpx.Client, **filters: str) -> list[str]:
    return [one["id"] for one in api.get("/workflows", params=filters).raise_for_status().json()["data"]]


def test_executions_are_found_by_their_error_and_by_what_they_wait_for(api: httpx.Client) -> None:
    definition = pushed(api, FAILING)
    failed, waiting = started(api, definition, 1000), started(api, definition, 50)
    mine = {"workflowDefinitionId": definition}
    assert listed(api, **mine, errorCode="TOO_MUCH") == [failed]
    assert listed(api, **mine, waitingFor="event") == [waiting]
    assert listed(api, **mine, waitingFor="review") == []
    assert listed(api, **mine, step="rest") == [waiting]
    assert listed(api, **mine, step="large") == [failed]
    assert listed(api, **mine, step="small") == []
    created = api.get(f"/workflows/{failed}").json()["createdDate"]
    assert set(listed(api, **mine, createdFrom=created)) == {failed, waiting}
    assert listed(api, **mine, createdBefore=created) == []

    counts = api.get("/workflows/counts", params=mine).json()
    assert {status: count for status, count in counts["counts"].items() if count} == {"FAILED": 1, "AWAITING": 1}
    assert counts["atMost"] == 10_000
    only = api.get("/workflows/counts", params={**mine, "status": "FAILED"}).json()["counts"]
    assert only == {"FAILED": 1}

    started(api, definition, 2000)
    (group,) = [
        one for one in api.get("/workflows/failures").json()["data"] if one["workflowDefinitionId"] == definition
    ]
    assert (group["code"], group["count"], group["name"]) == ("TOO_MUCH", 2, "overview-failing")
    assert group["latestMessage"] == "That is too much"


SIDE_BY_SIDE = """
name: overview-side-by-side
parameters:
  way: {type: string, required: true}
steps:
  - id: wrong
    when: parameters.way == "fail"
    fail: {code: REFUSED, message: It was refused}
  - id: alone
    when: parameters.way == "alone"
    event: {name: go-on}
  - id: both
    when: parameters.way == "both"
    parallel:
      branches:
        left: [{id: hear, event: {name: left}}]
        right: [{id: pause, wait: {for: 1h}}]
"""


def test_whatever_executions_are_narrowed_by_each_that_fits_is_found_once(api: httpx.Client) -> None:
    """Each filter alone and with each other one, held against what the executions say of themselves."""
    definition = pushed(api, SIDE_BY_SIDE)
    for way in ("fail", "alone", "both", "done", "both"):
        body = {"workflowDefinitionId": definition, "parameters": {"way": way}}
        api.post("/workflows/run", json=body).raise_for_status()
    mine = {"workflowDefinitionId": definition}
    every = api.get("/workflows", params=mine).json()["data"]
    assert len(every) == 5

    def fits(one: dict[str, Any], status: str, step: str, kind: str) -> bool:
        waits = one["waitingFor"]
        failed_there = one["status"] == "FAILED" and one["error"]["step"] == step
        return (
            status in ("", one["status"])
            and (not step or failed_there or any(wait["step"] == step for wait in waits))
            and (not kind or any(wait["kind"] == kind for wait in waits))
        )

    statuses = ("", "AWAITING", "FAILED", "COMPLETED")
    steps = ("", "wrong", "alone", "hear", "pause", "nowhere")
    for status, step, kind in product(statuses, steps, ("", "event", "wait", "review")):
        wish = {key: value for key, value in (("status", status), ("step", step), ("waitingFor", kind)) if value}
        expected = [one["id"] for one in every if fits(one, status, step, kind)]
        assert listed(api, **mine, **wish) == expected, wish
        counts = api.get("/workflows/counts", params={**mine, **wish}).raise_for_status().json()["counts"]
        assert sum(counts.values()) == len(expected), wish

    (alone,) = listed(api, **mine, step="alone")
    api.post(f"/workflows/{alone}/events/go-on", json={}).raise_for_status()
    until(api, alone, "COMPLETED")
    assert listed(api, **mine, step="alone") == [], "who went on is not there any more"


def test_the_graph_is_that_of_the_executions_own_revision(api: httpx.Client) -> None:
    definition = pushed(api, FAILING)
    execution = started(api, definition, 50)
    pushed(api, FAILING.replace("id: small", "id: tiny"))
    graph: dict[str, Any] = api.get(f"/workflows/{execution}/graph").raise_for_status().json()
    nodes = {node["step"]: node for node in graph["nodes"] if node["step"]}
    assert list(nodes) == ["large", "rest", "choose", "small", "done"]
    assert (nodes["choose"]["shape"], nodes["choose"]["kind"]) == ("choice", "switch")
    assert nodes["done"]["title"] == {"en": "Done", "pl": "Gotowe"}
    ways = {(edge["source"], edge["target"]): edge["label"] for edge in graph["edges"]}
    assert "parameters.amount > 10" in ways[nodes["choose"]["id"], nodes["done"]["id"]]
    unknown = api.get("/workflows/0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80/graph")
    assert (unknown.status_code, codes(unknown)) == (404, ["WORKFLOW_NOT_FOUND"])


PERSONAL = """
name: overview-personal
parameters: {number: {type: string, required: true, pii: identity}}
steps:
  - id: told
    set: {text: "Number ${parameters.number}"}
"""


def test_a_timeline_shows_personal_data_only_where_it_is_asked_for(api: httpx.Client) -> None:
    body = {"workflowDefinitionId": pushed(api, PERSONAL), "parameters": {"number": "80010112345"}}
    execution = api.post("/workflows/run", json=body).json()["id"]

    def shown(**query: str) -> str:
        (step,) = api.get(f"/workflows/{execution}/timeline", params=query).raise_for_status().json()["steps"]
        return str(step["output"]["text"])

    assert "80010112345" not in shown()
    assert shown(personal="true") == "Number 80010112345"


def operated(api: httpx.Client, body: dict[str, Any], **filters: str) -> dict[str, dict[str, Any]]:
    """What the report says of each execution."""
    answer = api.post("/workflows/operations", json=body, params=filters).raise_for_status().json()
    assert answer["status"] == "DONE"
    report = api.get(f"/workflows/operations/{answer['id']}/report").raise_for_status()
    assert report.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(report.text)))
    assert len(rows) == answer["lookedAt"] == sum(one["executions"] for one in answer["outcomes"])
    return {row["execution"]: row for row in rows}


def test_many_executions_are_retried_and_cancelled_at_once_and_a_dry_run_says_what_would_come(
    api: httpx.Client,
) -> None:
    definition = pushed(api, FAILING.replace("overview-failing", "operated"))
    failed, waiting = started(api, definition, 1000), started(api, definition, 50)
    mine = {"workflowDefinitionId": definition}
    assert codes(api.post("/workflows/operations", json={"action": "cancel"})) == ["OPERATION_UNBOUND"]
    tried = operated(api, {"action": "retry", "dryRun": True}, **mine)
    assert (tried[failed]["outcome"], tried[failed]["step"]) == ("possible", "large")
    assert (tried[waiting]["outcome"], tried[waiting]["code"]) == ("refused", "WORKFLOW_NOT_FAILED")
    assert api.get(f"/workflows/{failed}").json()["status"] == "FAILED"
    assert operated(api, {"action": "retry", "workflowIds": [failed]})[failed]["outcome"] == "done"
    ended = operated(api, {"action": "cancel", "reason": "cleared"}, **mine, waitingFor="event")
    assert ended[waiting]["outcome"] == "done"
    assert api.get(f"/workflows/{waiting}").json()["error"]["message"] == "cleared"
    assert operated(api, {"action": "cancel", "workflowIds": [waiting]})[waiting]["code"] == "WORKFLOW_ENDED"


def test_a_failed_execution_goes_on_from_an_earlier_step(api: httpx.Client) -> None:
    definition = pushed(
        api,
        FAILING.replace("overview-failing", "retried").replace(
            "  - id: large", "  - id: first\n    set: {x: 1}\n  - id: large"
        ),
    )
    failed = started(api, definition, 1000)
    assert codes(api.post(f"/workflows/{failed}/retry", params={"step": "rest"})) == ["STEP_NOT_REACHED"]
    api.post(f"/workflows/{failed}/retry", params={"step": "first"}).raise_for_status()
    steps = [(one["step"], one["visit"]) for one in api.get(f"/workflows/{failed}/timeline").json()["steps"]]
    assert steps == [("first", 1), ("large", 1), ("first", 2), ("large", 2)]
