"""The operator's commands for webhooks, typed against a running Passerelle with a receiver beside it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from standardwebhooks import Webhook

from tests.acceptance.running import PASSERELLE, Dev, pushed, start_dev

WAIT = 20


class Receiver:
    """Answers what it is told to, and keeps what it got."""

    def __init__(self) -> None:
        receiver = self
        self.status = 204
        self.got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.status)
                self.end_headers()
                receiver.got.put(({name.lower(): value for name, value in self.headers.items()}, body))

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def open_dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """A Passerelle whose webhooks may reach this machine."""
    folder = tmp_path_factory.mktemp("dev") / "data"
    running = start_dev(folder, environment={"PASSERELLE_EGRESS_ALLOW": "127.0.0.0/8"})
    yield running
    running.stop()


def passerelle(dev: Dev, *arguments: str) -> str:
    """What `passerelle webhooks …` prints."""
    target = ["--url", dev.demo["baseUrl"], "--token", dev.demo["organizationToken"]]
    done = subprocess.run(
        [PASSERELLE, "webhooks", *arguments, *target],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "40"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def an_event(dev: Dev) -> str:
    """Something happens; the execution's id."""
    with dev.api() as api:
        definition = pushed(api, "name: webhook-commands\nsteps:\n  - id: one\n    set: {a: 1}\n")
        answer = api.post("/workflows/run", json={"workflowDefinitionId": definition})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


def test_an_endpoint_is_made_tested_paused_and_ended_by_command(open_dev: Dev, receiver: Receiver) -> None:
    made = json.loads(
        passerelle(
            open_dev, "create", receiver.url, "--event", "workflow.completed", "--contact", "it@example.com",
            "--field", "status", "--pii", "contact",
        )
    )  # fmt: skip
    endpoint = made["id"]
    assert made["secret"].startswith("whsec_")
    assert (made["contact"], made["fields"], made["piiClasses"]) == ("it@example.com", ["status"], ["contact"])
    assert f"{endpoint}  {receiver.url}" in passerelle(open_dev, "list"), "ids are whole, in a narrow window as well"
    changed = json.loads(
        passerelle(
            open_dev, "change", endpoint, "--event", "webhook.*", "--event", "workflow.completed",
            "--header", "X-Token: a:b", "--api-version", "1",
        )
    )  # fmt: skip
    assert (changed["events"], changed["headers"]) == (["webhook.*", "workflow.completed"], ["X-Token"])
    assert (changed["apiVersion"], changed["fields"]) == (1, ["status"])
    assert json.loads(passerelle(open_dev, "endpoint", endpoint)) == changed

    passerelle(open_dev, "test", endpoint)
    headers, body = receiver.got.get(timeout=WAIT)
    Webhook(made["secret"]).verify(body, headers)
    assert (json.loads(body)["type"], headers["x-token"]) == ("webhook.test", "a:b")

    assert json.loads(passerelle(open_dev, "pause", endpoint))["status"] == "PAUSED"
    an_event(open_dev)
    assert receiver.got.empty()
    assert json.loads(passerelle(open_dev, "activate", endpoint))["status"] == "ACTIVE"
    assert json.loads(receiver.got.get(timeout=WAIT)[1])["type"] == "workflow.completed"

    rotated = json.loads(passerelle(open_dev, "rotate", endpoint, "--overlap", "1h"))
    an_event(open_dev)
    headers, body = receiver.got.get(timeout=WAIT)
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(body, headers)

    passerelle(open_dev, "delete", endpoint)
    assert endpoint not in passerelle(open_dev, "list")


def test_what_failed_is_found_in_the_log_and_sent_again_by_command(open_dev: Dev, receiver: Receiver) -> None:
    endpoint = json.loads(passerelle(open_dev, "create", receiver.url, "--event", "workflow.completed"))["id"]
    before = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    receiver.status = 500
    execution = an_event(open_dev)
    receiver.got.get(timeout=WAIT)
    with open_dev.api() as api:
        delivery = _delivery(api, endpoint, attempts=1)
        shown = json.loads(passerelle(open_dev, "show", delivery["id"]))
        assert {attempt["responseStatus"] for attempt in shown["log"]} == {500}
        assert delivery["id"] in passerelle(open_dev, "log", "--endpoint", endpoint, "--workflow", execution)
        receiver.status = 204
        passerelle(open_dev, "replay", delivery["id"])
        receiver.got.get(timeout=WAIT)
        _delivery(api, endpoint, status="DELIVERED")
    assert delivery["id"] not in passerelle(open_dev, "log", "--endpoint", endpoint, "--status", "FAILED")
    since = ["replay", "--since", before, "--endpoint", endpoint]
    assert json.loads(passerelle(open_dev, *since)) == {"replayed": 0}
    assert json.loads(passerelle(open_dev, *since, "--status", "DELIVERED", "--event", "link.*")) == {"replayed": 0}
    assert json.loads(passerelle(open_dev, *since, "--status", "DELIVERED", "--event", "workflow.*")) == {"replayed": 1}
    assert json.loads(passerelle(open_dev, "recover", endpoint, "--since", before))["id"] == endpoint
    passerelle(open_dev, "delete", endpoint)


def test_a_laptop_gets_events_with_both_signatures(open_dev: Dev, receiver: Receiver) -> None:
    target = ["--url", open_dev.demo["baseUrl"], "--token", open_dev.demo["organizationToken"]]
    listening = subprocess.Popen(
        [PASSERELLE, "webhooks", "listen", "--forward-to", receiver.url, "--event", "workflow.completed", *target],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert listening.stdout is not None
        secret = listening.stdout.readline().rsplit(" ", 1)[1].strip()
        while receiver.got.empty():  # it listens from its first question on, which nothing tells
            an_event(open_dev)
            line = listening.stdout.readline() if _arrives(receiver) else None
        assert line is not None
        assert "workflow.completed" in line
        assert " 204" in line
        headers, body = receiver.got.get(timeout=WAIT)
        Webhook(secret).verify(body, headers)
        whose = {"workspace": open_dev.demo["workspaceId"]}
        keys = httpx.get(f"{open_dev.demo['baseUrl']}/.well-known/jwks.json", params=whose).json()["keys"]
        kid = json.loads(_decoded(headers["jws-signature"].split(".")[0]))["kid"]
        (key,) = [one for one in keys if one["kid"] == kid]
        jws.deserialize_compact(headers["jws-signature"], RSAKey.import_key(key), algorithms=["RS256"], payload=body)
    finally:
        listening.kill()
        listening.wait()
        if listening.stdout is not None:
            listening.stdout.close()


def _arrives(receiver: Receiver) -> bool:
    try:
        receiver.got.put(receiver.got.get(timeout=2))
    except queue.Empty:
        return False
    return True


def _decoded(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _delivery(api: httpx.Client, endpoint: str, **wanted: Any) -> dict[str, Any]:
    """The endpoint's only delivery, once it is as wanted."""
    deadline = datetime.now(UTC) + timedelta(seconds=WAIT)
    while True:
        found = api.get("/webhooks/deliveries", params={"endpointId": endpoint}).json()["data"]
        for one in found:
            if all(one[name] == value for name, value in wanted.items()):
                return dict(one)
        assert datetime.now(UTC) < deadline, found
