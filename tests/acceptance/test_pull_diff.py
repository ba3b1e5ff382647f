"""`passerelle push`, `pull` and `diff` against a running server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx

from tests.acceptance.running import PASSERELLE, Dev, pushed

TEXT = "name: pulled\nsteps:\n  - {id: a, set: {x: 1}}  # ą\n"


def passerelle(dev: Dev, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command against the server."""
    options = ("--url", dev.demo["baseUrl"], "--token", dev.demo["organizationToken"])
    return subprocess.run([PASSERELLE, *arguments, *options], capture_output=True, text=True, check=False)


def test_a_definition_comes_back_as_it_was_pushed_and_diff_tells_what_changed(dev: Dev, tmp_path: Path) -> None:
    file = tmp_path / "pulled.yaml"
    file.write_text(TEXT, encoding="utf-8")
    assert "a push makes a new definition pulled" in (new := passerelle(dev, "diff", str(file))).stdout
    assert new.returncode == 1
    assert passerelle(dev, "push", str(file)).returncode == 0
    assert passerelle(dev, "diff", str(file)).returncode == 0
    folder = tmp_path / "definitions"
    assert passerelle(dev, "pull", "pulled", "--dir", str(folder)).returncode == 0
    assert (folder / "pulled.yaml").read_bytes() == file.read_bytes()
    file.write_text(TEXT.replace("1", "2"), encoding="utf-8")
    changed = passerelle(dev, "diff", str(file))
    assert changed.returncode == 1
    assert "a push makes revision 2 of pulled" in changed.stdout
    assert "+  - {id: a, set: {x: 2}}  # ą" in changed.stdout


def test_scenarios_are_kept_with_their_definition_and_nobody_s_are_lost(
    dev: Dev, api: httpx.Client, tmp_path: Path
) -> None:
    file, beside = tmp_path / "kept.yaml", tmp_path / "kept.test.yaml"
    file.write_text("name: kept\nsteps:\n  - {id: a, set: {x: 1}}\n")
    beside.write_text("scenarios:\n  - {name: ą, expect: {status: COMPLETED}}\n", encoding="utf-8")
    assert "kept.test.yaml: a push keeps these scenarios with kept" in passerelle(dev, "diff", str(file)).stdout
    assert "kept.test.yaml: kept with kept, version 1" in passerelle(dev, "push", str(file)).stdout
    assert passerelle(dev, "diff", str(file)).returncode == 0
    assert "kept.test.yaml: kept with kept, unchanged" in passerelle(dev, "push", str(file)).stdout

    definition = next(one["id"] for one in api.get("/definitions?limit=500").json()["data"] if one["name"] == "kept")
    recorded = {"scenarios": "scenarios: []  # recorded\n", "version": 1}
    api.put(f"/definitions/{definition}/scenarios", json=recorded).raise_for_status()
    left = passerelle(dev, "push", str(file))
    assert "warning" in left.stdout
    assert "kept has other scenarios (version 2" in left.stdout
    assert api.get(f"/definitions/{definition}/scenarios").json()["scenarios"] == recorded["scenarios"]
    there = tmp_path / "there"
    assert passerelle(dev, "pull", "kept", "--dir", str(there)).returncode == 0
    assert (there / "kept.test.yaml").read_text() == recorded["scenarios"]

    assert "version 3" in passerelle(dev, "push", str(file), "--replace-scenarios").stdout
    assert api.get(f"/definitions/{definition}/scenarios").json()["scenarios"] == beside.read_text(encoding="utf-8")
    beside.write_text("definition: other.yaml\nscenarios: []\n")
    assert "its `definition` names a file" in passerelle(dev, "push", str(file)).stdout


TRIED = """
name: tried
steps:
  - {id: a, set: {x: 1}}
  - id: ask
    http: {url: "https://example.com", method: GET}
"""
SCENARIOS = """
scenarios:
  - name: goes well
    answers: {ask: {status: 200, body: {}}}
    expect: {status: COMPLETED, path: [a, ask]}
  - name: expects too much
    answers: {ask: {status: 200, body: {}}}
    expect: {outputs: {a: {x: 2}}}
"""


def test_scenarios_are_played_against_a_revision_and_read_no_file(api: httpx.Client) -> None:
    definition = pushed(api, TRIED)
    pushed(api, TRIED.replace("x: 1", "x: 2"))
    path = f"/definitions/{definition}"
    first = api.get(f"{path}/revisions/1").json()
    assert first["document"]["steps"][0] == {"id": "a", "set": {"x": 1}}
    tried = api.post(f"{path}/test", json={"scenarios": SCENARIOS, "revision": 1}).raise_for_status().json()
    good, bad = tried["scenarios"]
    assert (good["passed"], good["path"]) == (True, ["a", "ask"])
    assert (bad["passed"], [one["actual"] for one in bad["differences"]]) == (False, [1])
    newest = api.post(f"{path}/test", json={"scenarios": SCENARIOS}).json()
    assert newest["scenarios"][1]["passed"]
    for text in ("definition: /etc/passwd\nscenarios: []", "scenarios: [", "nothing: true"):
        wrong = api.post(f"{path}/test", json={"scenarios": text}).json()
        assert wrong["problems"], text
        assert not any("/tmp" in problem or "root:" in problem for problem in wrong["problems"])
    published = api.post(f"{path}/publish", json={"revision": 1, "note": "back to what worked"})
    assert published.status_code == 200
    notes = {one["revision"]: one["note"] for one in api.get(f"{path}/revisions").json()["data"]}
    assert notes == {2: None, 1: "back to what worked"}
