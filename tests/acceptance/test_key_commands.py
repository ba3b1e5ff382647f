"""Credentials are made by command beside a running `passerelle dev`, without any setting."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import httpx

from tests.acceptance.running import PASSERELLE, Dev


def key(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PASSERELLE, "key", *arguments], check=False, capture_output=True, text=True, timeout=60)


def test_a_key_that_pins_version_2_needs_no_header(dev: Dev) -> None:
    made = key("create", dev.demo["workspaceId"], "--api-version", "2", "--data-dir", str(dev.folder))
    assert made.returncode == 0, made.stderr
    with httpx.Client(base_url=dev.demo["baseUrl"]) as plain:
        access = plain.post("/auth/authorize", json=json.loads(made.stdout)).json()["accessToken"]
        body = {"workflowDefinitionId": dev.demo["definitions"]["company-check"], "parameters": {"nip": "7740001454"}}
        answer = plain.post("/workflows/run", json=body, headers={"Authorization": f"Bearer {access}"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json;version=2")


def test_a_new_signing_key_is_published_at_once(dev: Dev) -> None:
    made = key("rotate-signing", dev.demo["workspaceId"], "--data-dir", str(dev.folder))
    assert made.returncode == 0, made.stderr
    kid = json.loads(made.stdout)["kid"]
    assert httpx.get(f"{dev.demo['baseUrl']}/auth/webhooks/key/{kid}", params={"pem": "true"}).status_code == 200


def test_a_folder_without_a_database_is_one_clear_line(tmp_path: Path) -> None:
    refused = key("create", "01981234-0000-7000-8000-000000000000", "--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert "set PASSERELLE_DATABASE_URL, or give the --data-dir of a running `passerelle dev`" in refused.stderr
    assert "Traceback" not in refused.stderr
