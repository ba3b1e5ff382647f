"""Whatever is sent: a clear error, and nothing is lost or left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.acceptance.running import Dev, codes, pushed, until

ECHO = """
name: echo
parameters: {value: {type: object}}
steps:
  - id: same
    set: {value: "${parameters.value}"}
"""


def calls(url: str, name: str = "calls") -> str:
    return (
        f'name: {name}\nsteps:\n  - id: call\n    http: {{url: "{url}"}}\n    timeout: 2s\n    retry: {{attempts: 1}}\n'
    )


@pytest.fixture
def definition_id(api: httpx.Client) -> str:
    return pushed(api, ECHO)


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"", "BODY_NOT_JSON", "empty"),
        (b"{", "BODY_NOT_JSON", "line 1"),
        (b"[]", "BODY_NOT_OBJECT", "object"),
        (b'"x"', "BODY_NOT_OBJECT", "object"),
        (b"\xff\xfe", "BODY_NOT_JSON", ""),
        (b"[" * 10_000 + b"]" * 10_000, "BODY_TOO_DEEP", "deep"),
        (b'{"workflowDefinitionId": ' + b"9" * 400 + b"}", "BODY_NOT_JSON", "too large"),
        (b'{"workflowDefinitionId": 5}', "FIELD_TYPE", "workflowDefinitionId"),
        (b'{"workflowDefinitionId": "x"}', "FIELD_INVALID", "UUID"),
        (b"{}", "FIELD_REQUIRED", "workflowDefinitionId"),
    ],
)
def test_a_body_that_is_not_right(api: httpx.Client, body: bytes, code: str, says: str) -> None:
    answer = api.post("/workflows/run", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert code in codes(answer)
    assert any(says in error["message"] for error in answer.json()["errors"])
    assert len(answer.json()["fingerprint"]) == 36


def test_all_that_is_wrong_is_listed_at_once(api: httpx.Client) -> None:
    answer = api.post("/workflows/run", json={"recordId": 7, "parameter": {}, "parametersId": []})
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/recordId", "/parameter", "/parametersId", "/workflowDefinitionId",
    }  # fmt: skip
    unknown = next(error for error in answer.json()["errors"] if error["pointer"] == "/parameter")
    assert unknown["code"] == "FIELD_UNKNOWN"
    assert "parameters" in unknown["message"]


def test_nul_and_numbers_beyond_64_bits_are_refused_with_their_place(api: httpx.Client, definition_id: str) -> None:
    body = {"workflowDefinitionId": definition_id, "parameters": {"value": {"a": ["x\0y"], "n": 2**70}}}
    answer = api.post("/workflows/run", json=body)
    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/parameters/value/a/0", "/parameters/value/n"}


def test_a_body_of_50_mb_is_refused_before_it_is_read(api: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(50):
            yield b" " * 1_000_000

    declared = api.post("/workflows/run", content=b" " * 50_000_000, headers={"Content-Type": "application/json"})
    assert declared.status_code == 413
    assert codes(declared) == ["BODY_TOO_LARGE"]
    began = time.monotonic()
    try:
        streamed = api.post("/workflows/run", content=endless(), headers={"Content-Type": "application/json"})
        assert streamed.status_code == 413
    except httpx.TransportError:
        pass  # the server may close the connection while we still send
    assert time.monotonic() - began < 10


def test_unknown_things_are_404_and_unknown_methods_405(api: httpx.Client) -> None:
    assert codes(api.get("/nowhere")) == ["NOT_FOUND"]
    wrong = api.put("/workflows/run", json={})
    assert (wrong.status_code, codes(wrong)) == (405, ["METHOD_NOT_ALLOWED"])
    unknown = api.post("/workflows/run", json={"workflowDefinitionId": str(uuid4())})
    assert (unknown.status_code, codes(unknown)) == (404, ["WORKFLOW_DEFINITION_NOT_FOUND"])
    assert codes(api.get(f"/workflows/{uuid4()}")) == ["WORKFLOW_NOT_FOUND"]
    assert api.get("/workflows/not-an-id").status_code in (400, 404)


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5", "pso_" + "x" * 43])
def test_credentials_that_are_none(dev: Dev, token: str) -> None:
    answer = httpx.get(dev.demo["baseUrl"] + "/workflows", headers={"Authorization": token} if token else {})
    assert answer.status_code == 401
    assert codes(answer)[0] in ("CREDENTIALS_MISSING", "TOKEN_INVALID")
    assert "www-authenticate" in answer.headers


def test_a_forged_token_and_a_foreign_one(dev: Dev) -> None:
    claims = {"iss": "passerelle", "sub": str(uuid4()), "wid": dev.demo["workspaceId"], "exp": int(time.time()) + 600}
    forged = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("another key of thirty-two bytes!!"))
    unsigned = "eyJhbGciOiJub25lIn0." + forged.split(".")[1] + "."
    for token in (forged, unsigned):
        answer = httpx.get(dev.demo["baseUrl"] + "/workflows", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, codes(answer)) == (401, ["TOKEN_INVALID"])


def test_wrong_credentials_are_refused_the_same_whatever_is_wrong(dev: Dev) -> None:
    answers = [
        httpx.post(dev.demo["baseUrl"] + "/auth/authorize", json=body)
        for body in ({"key": dev.demo["key"], "secret": "wrong"}, {"key": "psk_unknown", "secret": "wrong"})
    ]
    assert [(answer.status_code, codes(answer)) for answer in answers] == [(401, ["INVALID_CREDENTIALS"])] * 2
    assert answers[0].json()["errors"] == answers[1].json()["errors"]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0.0.0.0/",
    ],
)
def test_steps_cannot_reach_private_addresses(api: httpx.Client, url: str) -> None:
    """Loopback is another matter: `dev` lets steps reach it, for whoever tries them."""
    started = api.post("/workflows/run", json={"workflowDefinitionId": pushed(api, calls(url))}).json()
    failed = until(api, started["id"], "FAILED")
    assert failed["error"]["code"] == "EGRESS_REFUSED"
    assert any(hint in failed["error"]["message"] for hint in ("PASSERELLE_EGRESS_ALLOW", "odd way to write"))


def test_an_expression_that_fails_says_which_where_and_why(api: httpx.Client) -> None:
    text = (
        'name: missing\nparameters: {a: {type: object}}\nsteps:\n  - id: x\n    set: {v: {w: "${parameters.a.b.c}"}}\n'
    )
    started = api.post(
        "/workflows/run", json={"workflowDefinitionId": pushed(api, text), "parameters": {"a": {"z": "secret"}}}
    ).json()
    assert started["status"] == "FAILED"
    error: dict[str, Any] = api.get(f"/workflows/{started['id']}/timeline").json()["steps"][-1]["error"]
    assert error["code"] == "EXPRESSION_FAILED"
    assert error["details"]["expression"] == "parameters.a.b.c"
    assert error["details"]["path"] == "steps.x.set.v.w"
    assert "secret" not in json.dumps(error)


def test_on_a_laptop_a_step_reaches_what_runs_there(api: httpx.Client, dev: Dev) -> None:
    url = dev.demo["baseUrl"] + "/health/live"
    ran = api.post("/workflows/run", json={"workflowDefinitionId": pushed(api, calls(url))}).json()
    assert ran["status"] == "COMPLETED"
