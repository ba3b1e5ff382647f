"""Publishing by two persons from the command line, and that the audit has it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.running import PASSERELLE, Dev

TEXT = "name: published-by-two\nsteps:\n  - id: keep\n    set: {said: '%s'}\n"


def run(dev: Dev, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PASSERELLE), *arguments, "--data-dir", str(dev.folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def two_persons(dev: Dev) -> Iterator[None]:
    workspace = dev.demo["workspaceId"]
    said = run(dev, "workspace", "publishing", workspace, "two")
    assert said.stdout == "publishing takes two persons (the workspace's own rule)\n", said.stderr
    yield
    said = run(dev, "workspace", "publishing", workspace, "default")
    assert said.stdout == "publishing takes one person (as the installation says)\n", said.stderr


def token_of_the_demos_person(dev: Dev) -> str:
    """An access token of a key that the demo's user makes."""
    with httpx.Client(base_url=dev.demo["baseUrl"]) as browser:
        form = re.search(r'name="_token" value="([0-9a-f]+)"', browser.get("/sign-in").text)
        assert form is not None
        signed_in = browser.post("/sign-in", data={"_token": form[1], **dev.demo["user"]})
        assert signed_in.status_code == 303
        body = {"name": "second", "permissions": ["can_view_workspace", "can_publish_definitions"]}
        made = browser.post("/keys", json=body, headers={"X-Passerelle-Client": "test"}).json()
    pair = {"key": made["key"], "secret": made["secret"]}
    token: str = httpx.post(f"{dev.demo['baseUrl']}/auth/authorize", json=pair).json()["accessToken"]
    return token


@pytest.mark.usefixtures("two_persons")
def test_a_push_proposes_and_another_persons_key_approves(dev: Dev, tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(TEXT % "one")
    pushed = run(dev, "push", str(file))
    assert pushed.returncode == 0, pushed.stderr
    found = re.search(
        r"revision 1 \(proposed\), id \S+; somebody else publishes it: passerelle publish approve (\S+)", pushed.stdout
    )
    assert found is not None, pushed.stdout
    listed = run(dev, "publish", "list")
    assert f"{found[1]}  published-by-two  1         nothing     open" in listed.stdout

    refused = run(dev, "publish", "approve", found[1])
    assert refused.returncode == 1
    assert "you proposed this, in person or with a key that you made" in refused.stderr

    approved = run(dev, "publish", "approve", found[1], "--token", token_of_the_demos_person(dev))
    assert approved.stdout == "published published-by-two revision 1\n", approved.stderr
    assert "(published, unchanged)" in run(dev, "push", str(file)).stdout

    file.write_text(TEXT % "two")
    again = re.search(r"publish approve (\S+)", run(dev, "push", str(file)).stdout)
    assert again is not None
    declined = run(dev, "publish", "decline", again[1], "--token", token_of_the_demos_person(dev), "--comment", "no")
    assert declined.stdout == "declined published-by-two revision 2\n", declined.stderr
    assert again[1] in run(dev, "publish", "list", "--all").stdout

    proposed = run(dev, "publish", "propose", "published-by-two", "2", "--note", "after all")
    third = re.search(r"\((\S+)\); somebody else", proposed.stdout)
    assert third is not None, proposed.stderr
    assert run(dev, "publish", "withdraw", third[1]).stdout == "withdrew published-by-two revision 2\n"


@pytest.mark.usefixtures("two_persons")
def test_the_audit_is_listed_exported_and_verified(dev: Dev, tmp_path: Path) -> None:
    listed = run(dev, "audit", "list", "--action", "changePublishing", "--limit", "1")
    assert listed.returncode == 0, listed.stderr
    assert re.search(r"\(operator\)  changePublishing  publishing", listed.stdout), listed.stdout

    exported = run(dev, "audit", "export")
    entries = [json.loads(line) for line in exported.stdout.splitlines()]
    [entry] = [one for one in entries if one["action"] == "changePublishing"][-1:]
    assert (entry["outcome"], entry["after"]["secondPerson"]) == ("done", True)

    file = tmp_path / "audit.jsonl"
    file.write_text(exported.stdout)
    command = [str(PASSERELLE), "audit", "verify"]
    intact = subprocess.run([*command, str(file)], check=False, capture_output=True, text=True, timeout=60)
    assert (intact.returncode, json.loads(intact.stdout)["intact"]) == (0, True), intact.stdout
    file.write_text(exported.stdout.replace('"secondPerson":true', '"secondPerson":null', 1))
    changed = subprocess.run([*command, str(file)], check=False, capture_output=True, text=True, timeout=60)
    assert (changed.returncode, json.loads(changed.stdout)["intact"]) == (1, False), changed.stdout

    whole = run(dev, "audit", "verify", "--chain", dev.demo["workspaceId"])
    assert (whole.returncode, json.loads(whole.stdout)["intact"]) == (0, True), whole.stdout
    head = json.loads(whole.stdout)["head"]
    kept = run(dev, "audit", "verify", "--chain", dev.demo["workspaceId"], "--head", head)
    assert kept.returncode == 0, kept.stdout
    gone = run(dev, "audit", "verify", "--chain", dev.demo["workspaceId"], "--head", "0" * 64)
    assert gone.returncode == 1, gone.stdout
