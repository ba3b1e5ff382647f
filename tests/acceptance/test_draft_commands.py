"""`passerelle draft`, and that `push` and `pull` know of drafts, against a running server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx

from tests.acceptance.running import PASSERELLE, Dev, pushed

TEXT = "name: drafted\nsteps:\n  - {id: a, set: {x: 1}}  # ą\n"
SCENARIOS = "scenarios:\n  - {name: runs, expect: {status: COMPLETED}}\n"


def passerelle(dev: Dev, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ("--url", dev.demo["baseUrl"], "--token", dev.demo["organizationToken"])
    return subprocess.run([PASSERELLE, *arguments, *options], capture_output=True, text=True, check=False)


def test_a_draft_goes_to_files_and_back_and_no_change_is_lost(dev: Dev, api: httpx.Client, tmp_path: Path) -> None:
    definition = pushed(api, TEXT)
    changed = TEXT.replace("1}", "2}")
    body = {"name": "My work", "text": changed, "scenarios": SCENARIOS, "definitionId": definition, "baseRevision": 1}
    draft = api.post("/drafts", json=body).raise_for_status().json()

    listed = passerelle(dev, "draft", "list", "drafted")
    assert f"{draft['id']}  My work  you  1        revision 1  no" in listed.stdout, listed.stderr
    differs = passerelle(dev, "draft", "diff", "My work")
    assert differs.returncode == 1
    assert "+  - {id: a, set: {x: 2}}  # ą" in differs.stdout

    folder = tmp_path / "definitions"
    assert f"passerelle draft pull {draft['id']}" in passerelle(dev, "pull", "drafted", "--dir", str(folder)).stdout
    kept = passerelle(dev, "draft", "pull", "My work", "--dir", str(folder))
    assert "drafted.yaml says something else: overwrite it with --force" in kept.stderr
    taken = passerelle(dev, "draft", "pull", "My work", "--dir", str(folder), "--force")
    assert "draft My work, version 1" in taken.stdout, taken.stderr
    assert (folder / "drafted.yaml").read_text(encoding="utf-8") == changed
    assert (folder / "drafted.test.yaml").read_text() == SCENARIOS

    file = str(folder / "drafted.yaml")
    onto = passerelle(dev, "draft", "push", file, "--onto", "My work", "--version", "1")
    assert f"version 2: {dev.demo['baseUrl']}/app/drafts/{draft['id']}" in onto.stdout, onto.stderr
    late = passerelle(dev, "draft", "push", file, "--onto", "My work", "--version", "1")
    assert "saved version 2 meanwhile" in late.stderr
    assert "draft drafted, version 1" in passerelle(dev, "draft", "push", file).stdout

    said = passerelle(dev, "push", file).stdout
    assert "your draft `My work` rests on revision 1" in said
    assert "revision 1, newest 2" in passerelle(dev, "draft", "list", "drafted").stdout
