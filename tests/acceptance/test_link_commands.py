"""Links by command, typed against a running Passerelle with its mail catcher."""

from __future__ import annotations

import json
import re
import subprocess
import time
from typing import Any
from uuid import uuid4

import httpx
from typer.testing import CliRunner, Result

from passerelle.cli.links import app
from passerelle.kit.errors import CommandError
from tests.acceptance.running import PASSERELLE, Dev, pushed

FORM = """
name: link-commands
title: Sign up
parameters: {userId: {type: string, required: true}, country: {type: string, default: PL}, amount: {type: number}}
steps:
  - id: company
    form: {title: Company, schema: {type: object, properties: {name: {type: string, title: Name}}}}
"""


def passerelle(dev: Dev, *arguments: str) -> Result:
    """What `passerelle link …` does, without the second that a process takes to start."""
    target = ["--url", dev.demo["baseUrl"], "--token", dev.demo["organizationToken"]]
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, [*arguments, *target])


def said(dev: Dev, *arguments: str) -> str:
    """Why it did not do it."""
    failed = passerelle(dev, *arguments)
    assert isinstance(failed.exception, CommandError)
    return str(failed.exception)


def shown(dev: Dev, *arguments: str) -> dict[str, Any]:
    done = passerelle(dev, *arguments)
    assert done.exit_code == 0, done.exception
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_links_are_made_sent_listed_and_deleted_by_command(dev: Dev) -> None:
    with dev.api() as api:
        definition = pushed(api, FORM)
        record = str(uuid4())
        made = shown(dev, "create", "link-commands", "-p", "userId=u 1", "-p", "amount=70.5", "--record", record)
        assert httpx.get(made["link"]).status_code == 200
        workflow = api.get(f"/workflows/{made['workflowId']}").json()
        assert (workflow["parameters"], workflow["recordId"]) == (
            {"userId": "u 1", "country": "PL", "amount": 70.5},
            record,
        )

        sent = shown(
            dev, "send", definition, "anna@example.com", "-p", "userId=u-2", "--record", record, "--lang", "pl"
        )
        deadline = time.monotonic() + 20
        while shown(dev, "show", sent["linkId"])["sending"]["status"] != "SENT":
            assert time.monotonic() < deadline, "the message was not sent"
        inbox = httpx.get(f"{dev.demo['baseUrl']}/dev/mail").text
        assert "anna@example.com" in inbox

        listed = passerelle(dev, "list", "--record", record).stdout
        states = re.findall(r"(FRESH|SUPERSEDED)", listed)
        assert states == ["FRESH", "SUPERSEDED"], "the newest first; it took the other one's place"
        assert "a•••@example.com" in listed
        assert passerelle(dev, "delete", sent["linkId"]).exit_code == 0
        assert "DELETED" in passerelle(dev, "list", "--definition", "link-commands", "--most", "1").stdout


def test_what_is_wrong_is_said_in_a_line_each(dev: Dev) -> None:
    with dev.api() as api:
        pushed(api, FORM)
    unknown = said(dev, "create", "no-such-definition")
    assert unknown.startswith("the workspace has no definition `no-such-definition`; it has ")
    assert "`company-check`" in unknown
    assert "name=value" in said(dev, "create", "link-commands", "-p", "userId")
    assert "`email`" in said(dev, "send", "link-commands", "nobody", "-p", "userId=u")
    assert "userId" in said(dev, "create", "link-commands")
    assert "this workspace has no link" in said(dev, "delete", str(uuid4()))
    target = ["--url", dev.demo["baseUrl"], "--token", dev.demo["organizationToken"]]
    done = subprocess.run(
        [PASSERELLE, "link", "show", str(uuid4()), *target], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("passerelle: this workspace has no link ")
