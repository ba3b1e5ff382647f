"""A running Passerelle: `passerelle dev` as a user starts it, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.passable import passable

PASSERELLE = Path(sys.executable).with_name("passerelle")


@dataclass
class Dev:
    """A `passerelle dev` that has said that it is ready."""

    process: subprocess.Popen[str]
    folder: Path
    demo: dict[str, Any]
    log: Path | None = None
    """Where it logs to, if that was asked for."""

    def api(self, token: str | None = None, version: int = 2) -> httpx.Client:
        """A client with the demo workspace's token, or another one."""
        return httpx.Client(
            base_url=self.demo["baseUrl"],
            headers={
                "Authorization": f"Bearer {token or self.demo['organizationToken']}",
                "Accept": f"application/json;version={version}",
            },
            timeout=30,
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; its exit status."""
        self.process.send_signal(number)
        status = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def start_dev(
    folder: Path,
    *options: str,
    environment: dict[str, str] | None = None,
    log: Path | None = None,
    program: Sequence[str | Path] = (PASSERELLE,),
) -> Dev:
    """Start `passerelle dev` on a free port and wait until it says that it is ready.

    log       a file to log to
    program   the command line, if it is another than the product's
    """
    passable(folder)
    with log.open("ab") if log else nullcontext() as errors:
        process = subprocess.Popen(
            [*program, "dev", "--port", "0", "--data-dir", str(folder), *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PASSERELLE_RUN_WAIT": "5s", **(environment or {})},
        )
    assert process.stdout is not None
    for line in process.stdout:
        if "Stop with" in line:
            break
    demo = json.loads((folder / "demo.json").read_text())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(demo["baseUrl"] + "/health/ready").raise_for_status()
            break
        except httpx.HTTPError:
            time.sleep(0.05)
    return Dev(process, folder, demo, log)


def push(api: httpx.Client, text: str, **query: str) -> httpx.Response:
    """Push a definition."""
    return api.post("/definitions", content=text.encode(), params=query, headers={"Content-Type": "application/yaml"})


def pushed(api: httpx.Client, text: str) -> str:
    """Push a definition that must be good; its id."""
    answer = push(api, text)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


def codes(answer: httpx.Response) -> list[str]:
    """The codes of an error answer."""
    return [error["code"] for error in answer.json()["errors"]]


def until(api: httpx.Client, workflow_id: str, *statuses: str) -> dict[str, Any]:
    """The execution, once it has one of these statuses."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer: dict[str, Any] = api.get(f"/workflows/{workflow_id}").json()
        if answer["status"] in statuses:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"the execution is still {answer['status']}")
