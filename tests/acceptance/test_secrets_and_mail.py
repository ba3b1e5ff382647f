"""Secrets by command and e-mails in the catcher: what somebody does on a laptop on the first day."""

from __future__ import annotations

import re
import subprocess
from typing import Any
from uuid import uuid4

import httpx

from tests.acceptance.running import PASSERELLE, Dev, codes, push, pushed, until

USES = """
name: uses-a-secret
steps:
  - id: ask
    http: {url: "OTHER_SIDE/companies/x", headers: {X-Key: "${secrets.FIRST_DAY_KEY}"}, expect: [2xx, 4xx]}
"""
WELCOME = """
name: welcome-by-mail
parameters: {email: {type: string, required: true}}
steps:
  - id: welcome
    email: {to: "${parameters.email}", subject: {en: Welcome, pl: Witaj}, body: {en: Ready., pl: Gotowe.}}
"""


def secret(dev: Dev, *arguments: str, value: str = "") -> subprocess.CompletedProcess[str]:
    where = ["--url", dev.demo["baseUrl"], "--data-dir", str(dev.folder)]
    return subprocess.run(
        [PASSERELLE, "secret", *arguments, *where], check=False, capture_output=True, text=True, input=value, timeout=60
    )


def test_a_secret_is_set_by_command_used_by_a_step_and_shown_nowhere(dev: Dev, api: httpx.Client) -> None:
    # The server itself: the register of the examples may be another one's, where several run.
    uses = USES.replace("OTHER_SIDE", dev.demo["baseUrl"])
    refused = push(api, uses)
    assert codes(refused) == ["DEFINITION_INVALID"]
    assert "the workspace has no secret `FIRST_DAY_KEY`" in refused.text
    written = secret(dev, "set", "FIRST_DAY_KEY", value="f1rst-day-value\n")
    assert (written.returncode, written.stdout, written.stderr) == (0, "FIRST_DAY_KEY is set\n", "")
    listed = secret(dev, "list")
    assert re.search(r"^FIRST_DAY_KEY  version 1  \S+Z  demo token$", listed.stdout, re.MULTILINE), listed.stdout
    started = api.post("/workflows/run", json={"workflowDefinitionId": pushed(api, uses)}).json()
    until(api, started["id"], "COMPLETED")
    timeline = api.get(f"/workflows/{started['id']}/timeline").text
    assert '"X-Key":"•••"' in timeline
    assert "f1rst-day-value" not in timeline + listed.stdout
    assert secret(dev, "delete", "FIRST_DAY_KEY").returncode == 0
    again = secret(dev, "delete", "FIRST_DAY_KEY")
    assert again.returncode == 1
    assert again.stderr.startswith("passerelle: this workspace has no secret FIRST_DAY_KEY")


def test_an_email_is_caught_and_shown(dev: Dev, api: httpx.Client) -> None:
    receiver = f"{uuid4().hex}@example.com"
    body: dict[str, Any] = {
        "workflowDefinitionId": pushed(api, WELCOME),
        "parameters": {"email": receiver},
        "locale": "pl-PL",
    }
    started = api.post("/workflows", json=body).json()
    until(api, started["id"], "COMPLETED")
    output = api.get(f"/workflows/{started['id']}/result").json()["result"]["welcome"]
    caught = httpx.get(dev.demo["baseUrl"] + "/dev/mail.json").json()["data"]
    (message,) = [message for message in caught if receiver in message["receivers"]]
    assert (message["subject"], message["text"], message["messageId"]) == ("Witaj", "Gotowe.\n", output["messageId"])
    page = httpx.get(f"{dev.demo['baseUrl']}/dev/mail/{message['id']}")
    assert "Gotowe." in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
