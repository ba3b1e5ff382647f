"""Every example of the guide from cases to records, before and after, against a running Passerelle."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from passerelle.cli.cases import app as cases
from tests.acceptance.commanding import passerelle
from tests.acceptance.running import Dev, pushed

GUIDE = (Path(__file__).parents[2] / "docs/guides/from-cases-to-records.md").read_text(encoding="utf-8")
CHECK = "name: guide-check\nsteps: [{id: sum, set: {double: 2}}]\nresult: {double: 2}\n"
FORM = (
    "name: guide-form\nsteps: [{id: hello, message: {title: {en: Hello, pl: Witaj}, text: {en: Hello, pl: Witaj}}}]\n"
)


@dataclass(frozen=True)
class Example:
    """One call of the guide."""

    side: str
    method: str
    path: str
    headers: dict[str, str]
    body: str
    status: int
    keys: frozenset[str]

    def __str__(self) -> str:
        return f"{self.side} {self.method} {self.path}"


def _examples() -> Iterator[Example]:
    for side, text in re.findall(r"```http (before|after)\n(.*?)```", GUIDE, re.DOTALL):
        head, *rest, answer = text.strip().split("\n\n")
        (method, path), *headers = [line.split(" ", 1) for line in head.splitlines()]
        status, keys = answer.removeprefix("→ ").split(" ", 1)
        yield Example(
            side,
            method,
            path,
            {name.rstrip(":"): value for name, value in headers},
            rest[0] if rest else "",
            int(status),
            frozenset(keys.split(", ")),
        )


EXAMPLES = list(_examples())


@pytest.fixture(scope="module")
def known(dev: Dev) -> dict[str, str]:
    """What the examples' placeholders stand for."""
    with dev.api() as new, dev.api(version=1) as old:
        case = old.post("/cases", json={"firstName": "Anna", "email": "anna@example.com"}).json()["caseId"]
        check, form = pushed(new, CHECK), pushed(new, FORM)
        run = old.post("/workflows/run", json={"caseId": case, "workflowDefinitionId": check}).json()["id"]
    return {"caseId": case, "workflowDefinitionId": check, "formDefinitionId": form, "workflowId": run}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_of_the_guide_is_answered_as_it_says(example: Example, dev: Dev, known: dict[str, str]) -> None:
    """Status and keys of the answer; what stands under "before" is answered as version 1."""
    path, body = example.path, example.body
    for name, value in known.items():
        path, body = path.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", value)
    headers = {"Authorization": f"Bearer {dev.demo['organizationToken']}", **example.headers}
    sent: Any = json.loads(body) if body else None
    answer = httpx.request(example.method, dev.demo["baseUrl"] + path, headers=headers, json=sent, timeout=30)
    assert answer.status_code == example.status, answer.text
    assert example.keys <= answer.json().keys()
    assert ("Deprecation" in answer.headers) == (example.side == "before")


def test_every_call_of_version_1_has_an_example_before_and_after() -> None:
    """A call that is missing here would have to be found out by trying."""
    before = {(one.method, one.path) for one in EXAMPLES if one.side == "before"}
    assert before == {
        ("POST", "/cases"), ("GET", "/cases/{caseId}"), ("GET", "/case/{caseId}"), ("PATCH", "/cases/{caseId}"),
        ("POST", "/workflows/run"), ("GET", "/workflows/{workflowId}"), ("GET", "/workflows/{workflowId}/result"),
        ("POST", "/token"), ("POST", "/link"), ("POST", "/link/send"),
    }  # fmt: skip
    sections = [part for part in GUIDE.split("\n### ") if "```http before" in part]
    assert all("```http after" in part for part in sections)


def test_the_map_of_the_guide_fits_its_table(dev: Dev, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Followed to the letter, only values can be in the way: two people with one e-mail address."""
    table, text = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    for name, content in (("clients.yaml", table), ("map.yaml", text)):
        (tmp_path / name).write_text(content)
    monkeypatch.delenv("PASSERELLE_DATABASE_URL", raising=False)
    assert passerelle(dev, "push", str(tmp_path / "clients.yaml")).returncode == 0
    tried = CliRunner().invoke(
        cases,
        ["migrate", "--to", "clients", "--map", str(tmp_path / "map.yaml"), "--dry-run", "--data-dir", str(dev.folder)],
    )
    with dev.api() as api:  # the guide of records makes one of the same name
        assert api.delete("/tables/clients").status_code == 204
    *faults, _ = tried.stdout.splitlines()
    assert all("is unique, and another record has the value" in fault for fault in faults), tried.output
