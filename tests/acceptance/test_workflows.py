"""The given workflow API over real HTTP, as an integrator meets it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from passerelle.dev.postgres import EmbeddedPostgres
from tests.acceptance.running import PASSERELLE, Dev, codes, push, pushed, until

GOOD_NIP = "7740001454"

DECIDE = """
name: decide
parameters:
  amount: {type: number, required: true}
  country: {type: string, default: PL}
  who: {type: object}
steps:
  - id: risk
    set: {score: "${parameters.amount * 2}"}
  - id: route
    switch:
      - {when: "steps.risk.score >= 100", goto: high}
      - {goto: low}
  - id: high
    set: {level: high}
  - id: stop
    end: {}
  - id: low
    set: {level: low}
result:
  level: "${has(steps.high) ? steps.high.level : steps.low.level}"
  score: "${steps.risk.score}"
  country: "${parameters.country}"
"""

WAITS = """
name: waits-for-payment
steps:
  - id: paid
    event: {name: paid, schema: {type: object, required: [amount], properties: {amount: {type: number}}}}
  - id: total
    set: {amount: "${steps.paid.amount}"}
"""

FAILS_ONCE = """
name: fails-until-mended
parameters:
  divisor: {type: number, required: true}
steps:
  - id: fine
    set: {ok: true}
  - id: broken
    set: {value: "${10 / parameters.divisor}"}
"""


def run(api: httpx.Client, definition_id: str, **body: Any) -> httpx.Response:
    return api.post("/workflows/run", json={"workflowDefinitionId": definition_id, **body})


def test_demo_json_holds_what_a_client_needs_and_nobody_else_may_read_it(dev: Dev) -> None:
    path = dev.folder / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(dev.demo) == {"baseUrl", "workspaceId", "key", "secret", "organizationToken", "definitions", "user"}
    assert "company-check" in dev.demo["definitions"]


def test_authorize_run_and_read_the_result(dev: Dev) -> None:
    with httpx.Client(base_url=dev.demo["baseUrl"]) as plain:
        tokens = plain.post("/auth/authorize", json={"key": dev.demo["key"], "secret": dev.demo["secret"]}).json()
    assert tokens["tokenType"] == "Bearer"
    assert tokens["expiryDuration"] == 3600
    with dev.api(tokens["accessToken"]) as api:
        definition_id = pushed(api, DECIDE)
        record_id = str(uuid4())
        answer = run(api, definition_id, parameters={"amount": 70.5}, recordId=record_id)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json;version=2"
        assert answer.json() == {"id": answer.json()["id"], "recordId": record_id, "status": "COMPLETED"}
        result = api.get(f"/workflows/{answer.json()['id']}/result").json()
    assert result["result"] == {"level": "high", "score": 141, "country": "PL"}
    assert result["recordId"] == record_id
    assert result["workflowDefinitionId"] == definition_id


def test_the_example_asks_its_register_and_decides(dev: Dev, api: httpx.Client) -> None:
    definition_id = dev.demo["definitions"]["company-check"]
    bad = run(api, definition_id, parameters={"nip": "525-224-84-82"}).json()
    assert api.get(f"/workflows/{bad['id']}/result").json()["result"]["decision"] == "reject"
    good = run(api, definition_id, parameters={"nip": GOOD_NIP}).json()
    until(api, good["id"], "COMPLETED")
    result = api.get(f"/workflows/{good['id']}/result").json()["result"]
    assert result["decision"] == "approve"
    assert result["company"]["nip"] == GOOD_NIP
    steps = {step["step"]: step for step in api.get(f"/workflows/{good['id']}/timeline").json()["steps"]}
    assert steps["register"]["output"]["status"] == 200
    assert steps["regon"]["status"] == "SKIPPED"


def test_every_wrong_parameter_is_listed(api: httpx.Client) -> None:
    answer = run(api, pushed(api, DECIDE), parameters={"country": 5, "who": "x", "contry": "PL"})
    assert answer.status_code == 400
    assert sorted((error["code"], error["pointer"]) for error in answer.json()["errors"]) == [
        ("PARAMETER_REQUIRED", "/parameters/amount"),
        ("PARAMETER_TYPE", "/parameters/country"),
        ("PARAMETER_TYPE", "/parameters/who"),
        ("PARAMETER_UNKNOWN", "/parameters/contry"),
    ]


def test_parameters_may_be_stored_first(api: httpx.Client) -> None:
    definition_id = pushed(api, DECIDE)
    kept = api.post("/parameters", json={"workflowDefinitionId": definition_id, "parameters": {"amount": 1}})
    assert kept.status_code == 201
    answer = run(api, definition_id, parametersId=kept.json()["parametersId"])
    assert answer.json()["status"] == "COMPLETED"
    assert codes(run(api, definition_id, parametersId=str(uuid4()))) == ["PARAMETERS_NOT_FOUND"]
    wrong = api.post("/parameters", json={"workflowDefinitionId": definition_id, "parameters": {}})
    assert codes(wrong) == ["PARAMETER_REQUIRED"]


def test_an_event_wakes_a_resting_execution_and_an_unfitting_one_does_not(api: httpx.Client) -> None:
    started = run(api, pushed(api, WAITS)).json()
    assert started["status"] == "AWAITING"
    waiting = api.get(f"/workflows/{started['id']}").json()
    assert waiting["waitingFor"][0]["event"] == "paid"
    assert codes(api.get(f"/workflows/{started['id']}/result")) == ["WORKFLOW_NOT_COMPLETED"]
    events = f"/workflows/{started['id']}/events"
    assert codes(api.post(f"{events}/payed", json={})) == ["EVENT_UNKNOWN"]
    assert codes(api.post(f"{events}/paid", json={"amount": "much"})) == ["EVENT_BODY_INVALID"]
    done = api.post(f"{events}/paid", json={"amount": 12.5})
    assert done.json()["status"] == "COMPLETED"
    assert codes(api.post(f"{events}/paid", json={"amount": 1})) == ["WORKFLOW_ENDED"]
    assert api.get(f"/workflows/{started['id']}/result").json()["result"]["total"] == {"amount": 12.5}


def test_cancel_ends_and_cannot_be_repeated(api: httpx.Client) -> None:
    started = run(api, pushed(api, WAITS)).json()
    cancelled = api.post(f"/workflows/{started['id']}/cancel", json={"reason": "wrong customer"})
    assert cancelled.json()["status"] == "CANCELLED"
    assert codes(api.post(f"/workflows/{started['id']}/cancel")) == ["WORKFLOW_ENDED"]


def test_a_failed_execution_shows_why_and_goes_on_with_a_mended_definition(api: httpx.Client) -> None:
    definition_id = pushed(api, FAILS_ONCE)
    failed = run(api, definition_id, parameters={"divisor": 0}).json()
    assert failed["status"] == "FAILED"
    timeline = api.get(f"/workflows/{failed['id']}/timeline").json()["steps"]
    assert timeline[-1]["error"]["code"] == "EXPRESSION_FAILED"
    assert timeline[-1]["error"]["details"]["expression"] == "10 / parameters.divisor"
    assert "zero" in timeline[-1]["error"]["message"]
    again = api.post(f"/workflows/{failed['id']}/retry").json()
    assert again["status"] == "FAILED"
    pushed(api, FAILS_ONCE.replace("10 / parameters.divisor", "parameters.divisor"))
    mended = api.post(f"/workflows/{failed['id']}/retry", params={"definition": "latest"}).json()
    assert mended["status"] == "COMPLETED"
    assert codes(api.post(f"/workflows/{failed['id']}/retry")) == ["WORKFLOW_NOT_FAILED"]


def test_running_executions_stay_on_their_revision(api: httpx.Client) -> None:
    definition_id = pushed(api, WAITS)
    old = run(api, definition_id).json()
    newer = push(api, WAITS.replace('{amount: "${steps.paid.amount}"}', '{amount: "${steps.paid.amount * 100}"}'))
    assert newer.json()["id"] == definition_id
    new = run(api, definition_id).json()
    for started, amount in ((old, 3), (new, 300)):
        api.post(f"/workflows/{started['id']}/events/paid", json={"amount": 3})
        assert api.get(f"/workflows/{started['id']}/result").json()["result"]["total"] == {"amount": amount}
    pushed(api, WAITS)


def test_the_same_text_makes_no_revision_and_an_older_one_can_be_published_again(api: httpx.Client) -> None:
    name = f"twice-{uuid4().hex[:8]}"
    text = DECIDE.replace("name: decide", f"name: {name}")
    first, again = push(api, text), push(api, text)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["revision"] == 1
    draft = push(api, text.replace("* 2", "* 3"), publish="false")
    assert (draft.json()["revision"], draft.json()["published"]) == (2, False)
    definition_id = first.json()["id"]
    published = api.post(f"/definitions/{definition_id}/publish", json={"revision": 2})
    assert published.json()["published"] is True
    assert api.get(f"/definitions/{definition_id}").json()["revision"] == 2
    assert codes(api.post(f"/definitions/{definition_id}/publish", json={"revision": 9})) == ["REVISION_NOT_FOUND"]
    entries = api.get(f"/definitions/{definition_id}/revisions").json()["data"]
    assert [(entry["revision"], entry["current"]) for entry in entries] == [(2, True), (1, False)]
    yaml = api.get(f"/definitions/{definition_id}", headers={"Accept": "application/yaml"})
    assert yaml.headers["content-type"].startswith("application/yaml")
    assert "* 3" in yaml.text


def test_a_wrong_definition_lists_all_that_is_wrong_with_its_place(api: httpx.Client) -> None:
    answer = push(api, "name: wrong\nsteps:\n  - id: a\n    sett: {x: 1}\n  - id: b\n    switch: [{goto: nowhere}]\n")
    assert answer.status_code == 400
    assert set(codes(answer)) == {"DEFINITION_INVALID"}
    assert len(answer.json()["errors"]) >= 2
    assert all(error["message"][0].isdigit() for error in answer.json()["errors"])


def test_a_definition_with_an_end_user_waits_for_them_and_is_not_run_without(api: httpx.Client) -> None:
    form = pushed(api, "name: asks\nsteps:\n  - id: ask\n    consent: {title: Terms, text: I agree., version: '1'}\n")
    assert codes(run(api, form)) == ["WORKFLOW_NEEDS_USER"]
    started = api.post("/workflows", json={"workflowDefinitionId": form}).json()
    assert (started["executionType"], started["status"]) == ("INTERACTIVE", "RUNNING")
    assert started["link"].startswith(str(api.base_url))
    assert started["token"]


def test_post_workflows_gives_the_whole_object(api: httpx.Client) -> None:
    body = {"workflowDefinitionId": pushed(api, DECIDE), "parameters": {"amount": 1}, "uiMode": "modal", "locale": "pl"}
    answer = api.post("/workflows", json=body).json()
    assert {
        "id", "workspaceId", "workflowDefinitionId", "name", "revision", "executionVersion", "executionType",
        "status", "locale", "parameters", "recordId", "expiresAt", "uiOptions", "origin",
    } <= set(answer)  # fmt: skip
    assert (answer["executionType"], answer["locale"]) == ("BACKGROUND", "pl")
    assert answer["parameters"] == {"amount": 1, "country": "PL"}
    early = api.post("/workflows", json={**body, "expiresAt": "2026-01-01T00:00:00Z"})
    assert codes(early) == ["EXPIRES_AT_INVALID"]


def test_a_wrong_expiry_and_wrong_parameters_are_told_at_once(api: httpx.Client) -> None:
    body = {
        "workflowDefinitionId": pushed(api, DECIDE),
        "parameters": {"amont": 1},
        "expiresAt": "2026-01-01T00:00:00Z",
    }
    assert codes(api.post("/workflows", json=body)) == ["EXPIRES_AT_INVALID", "PARAMETER_UNKNOWN", "PARAMETER_REQUIRED"]


def test_an_address_tells_every_method_that_it_takes(api: httpx.Client) -> None:
    answer = api.delete("/workflows")
    assert (codes(answer), answer.headers["allow"]) == (["METHOD_NOT_ALLOWED"], "GET, POST")


def test_a_misspelt_filter_does_not_find_everything(api: httpx.Client) -> None:
    assert codes(api.get("/workflows", params={"statsu": "FAILED"})) == ["QUERY_INVALID"]


def test_lists_are_paged_and_filtered(api: httpx.Client) -> None:
    definition_id = pushed(api, DECIDE.replace("name: decide", f"name: list-{uuid4().hex[:8]}"))
    started = [run(api, definition_id, parameters={"amount": number}).json()["id"] for number in range(5)]
    query = {"workflowDefinitionId": definition_id, "limit": "2"}
    seen: list[str] = []
    page = api.get("/workflows", params=query).json()
    while True:
        seen += [item["id"] for item in page["data"]]
        if page["next"] is None:
            break
        page = api.get("/workflows", params={**query, "after": page["next"]}).json()
    assert seen == started[::-1]
    other = api.get("/workflows", params={"limit": "2", "after": api.get("/workflows", params=query).json()["next"]})
    assert codes(other) == ["CURSOR_INVALID"]
    assert codes(api.get("/workflows", params={"limit": "501"})) == ["LIMIT_INVALID"]
    assert api.get("/workflows", params={**query, "status": "FAILED"}).json()["data"] == []


# Versions.


def test_a_newcomer_without_the_header_learns_it_from_the_error(dev: Dev) -> None:
    with dev.api() as api:
        definition_id = pushed(api, DECIDE)
    with httpx.Client(base_url=dev.demo["baseUrl"]) as plain:
        plain.headers["Authorization"] = dev.demo["organizationToken"]  # raw, without Bearer
        body = {"workflowDefinitionId": definition_id, "parameters": {"amount": 1}}
        missing = plain.post("/workflows/run", json={"workflowDefinitionId": definition_id})
        assert codes(missing) == ["CASE_ID_REQUIRED"]
        assert "version=2" in missing.json()["errors"][0]["message"]
        assert missing.headers["deprecation"].startswith("@")
        assert 'rel="successor-version"' in missing.headers["link"]
        record = plain.post("/workflows/run", json={**body, "recordId": str(uuid4())})
        assert "RECORD_ID_NEEDS_VERSION_2" in codes(record)
        header = {"Accept": "application/json;version=2"}
        removed = plain.post("/workflows/run", json={**body, "caseId": str(uuid4())}, headers=header)
        assert "CASE_ID_REMOVED" in codes(removed)
        assert "recordId" in removed.json()["errors"][0]["message"]
        unsupported = plain.post("/workflows/run", json=body, headers={"Accept": "application/json;version=3"})
        assert unsupported.status_code == 406
        assert codes(unsupported) == ["UNSUPPORTED_VERSION"]
        done = plain.post("/workflows/run", json=body, headers=header).json()
        old = plain.get(f"/workflows/{done['id']}")
        assert old.json()["status"] == "COMPLETED"
        assert old.headers["content-type"] == "application/json;version=1"


# Sending again.


def test_an_idempotency_key_has_one_effect(api: httpx.Client) -> None:
    body = {"workflowDefinitionId": pushed(api, DECIDE), "parameters": {"amount": 1}}
    header = {"Idempotency-Key": uuid4().hex}
    first = api.post("/workflows/run", json=body, headers=header)
    again = api.post("/workflows/run", json=body, headers=header)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = api.post("/workflows/run", json={**body, "parameters": {"amount": 2}}, headers=header)
    assert codes(other) == ["IDEMPOTENCY_KEY_REUSED"]


# Other workspaces.


def test_nothing_of_another_workspace_can_be_seen(api: httpx.Client, stranger: httpx.Client) -> None:
    definition_id = pushed(api, WAITS)
    execution = run(api, definition_id).json()["id"]
    kept = api.post("/parameters", json={"parameters": {"amount": 1}}).json()["parametersId"]
    own = pushed(stranger, DECIDE)
    for method, path, body in (
        ("GET", f"/workflows/{execution}", None),
        ("GET", f"/workflows/{execution}/result", None),
        ("GET", f"/workflows/{execution}/timeline", None),
        ("POST", f"/workflows/{execution}/cancel", {}),
        ("POST", f"/workflows/{execution}/retry", None),
        ("POST", f"/workflows/{execution}/events/paid", {"amount": 1}),
        ("POST", "/workflows/run", {"workflowDefinitionId": definition_id}),
        ("POST", "/workflows", {"workflowDefinitionId": definition_id}),
        ("POST", "/workflows/run", {"workflowDefinitionId": own, "parametersId": kept}),
        ("POST", "/parameters", {"workflowDefinitionId": definition_id, "parameters": {}}),
        ("GET", f"/definitions/{definition_id}", None),
        ("GET", f"/definitions/{definition_id}/revisions", None),
        ("POST", f"/definitions/{definition_id}/publish", {"revision": 1}),
    ):
        answer = stranger.request(method, path, json=body)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
    assert api.get(f"/workflows/{execution}").json()["status"] == "AWAITING"
    listed = stranger.get("/workflows").json()["data"]
    assert execution not in [item["id"] for item in listed]
    assert [item["name"] for item in stranger.get("/definitions").json()["data"]] == ["decide"]


@pytest.fixture
def stranger(dev: Dev) -> Iterator[httpx.Client]:
    """A client of another workspace of the same Passerelle, made by the command line."""
    environment = {
        **os.environ,
        "PASSERELLE_DATABASE_URL": EmbeddedPostgres.address_of(dev.folder),
        "PASSERELLE_SECRET_KEY": (dev.folder / "secret-key").read_text(),
    }

    def command(*arguments: str) -> str:
        return subprocess.run(
            [PASSERELLE, *arguments], env=environment, capture_output=True, text=True, check=True
        ).stdout

    workspace = command("workspace", "create", "stranger").strip()
    made = json.loads(command("key", "create", workspace, "--token", "--api-version", "2"))
    with dev.api(made["organizationToken"]) as client:
        yield client


# Fifty at once.


def test_fifty_runs_at_once_all_complete(api: httpx.Client) -> None:
    body = {"workflowDefinitionId": pushed(api, DECIDE), "parameters": {"amount": 1}}
    statuses: list[str] = []

    def one() -> None:
        statuses.append(api.post("/workflows/run", json=body).json()["status"])

    threads = [threading.Thread(target=one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == ["COMPLETED"] * 50
