"""From a file to a screened person: the command, the check in a workflow, and what explains the result."""

from __future__ import annotations

import subprocess
from pathlib import Path

import httpx

from tests.acceptance.running import PASSERELLE, Dev, pushed, until

DEFINITION = """
name: screened
parameters:
  name: {type: string, required: true}
  birthDate: {type: string}
steps:
  - id: screening
    check:
      name: sanctions
      with:
        name: "${parameters.name}"
        birthDate: "${has(parameters.birthDate) ? parameters.birthDate : null}"
        lists: [acceptance]
result:
  status: "${steps.screening.status}"
  matches: "${steps.screening.data.matches}"
  source: "${steps.screening.source}"
"""
HEADER = "id,schema,name,aliases,birth_date,countries,identifiers,sanctions,dataset\n"


def load(dev: Dev, file: Path) -> subprocess.CompletedProcess[str]:
    url, token = dev.demo["baseUrl"], dev.demo["organizationToken"]
    command = [PASSERELLE, "lists", "load", file, "--name", "acceptance", "--url", url, "--token", token]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def result(api: httpx.Client, definition: str, **parameters: str) -> dict[str, object]:
    run = api.post("/workflows/run", json={"workflowDefinitionId": definition, "parameters": parameters}).json()
    until(api, run["id"], "COMPLETED")
    found: dict[str, object] = api.get(f"/workflows/{run['id']}/result").json()["result"]
    return found


def test_a_loaded_list_is_searched_and_the_result_names_its_version(
    dev: Dev, api: httpx.Client, tmp_path: Path
) -> None:
    definition = pushed(api, DEFINITION)
    file = tmp_path / "targets.simple.csv"
    assert result(api, definition, name="Jane Fiction")["status"] == "unknown"
    file.write_text(HEADER + "NK-1,Person,Джейн Фикшн,Jane Fiction,1970-01-02,ru,,EU-1,EU\n", encoding="utf-8")
    assert load(dev, file).stdout == "acceptance version 1: 1 entry\n"
    assert load(dev, file).stdout == "acceptance version 1: 1 entry, unchanged\n"
    found = result(api, definition, name="FICTION, Jane", birthDate="1970-01-02")
    assert (found["status"], found["source"]) == ("invalid", "acceptance version 1")
    assert result(api, definition, name="FICTION, Jane", birthDate="1971-01-02")["status"] == "valid"
    assert api.get("/lists/acceptance/versions/1").text == file.read_text(encoding="utf-8")


def test_a_broken_file_is_refused_with_its_lines(dev: Dev, tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text(HEADER + "NK-1,Person,,,,,,,EU\n", encoding="utf-8")
    done = load(dev, file)
    assert (done.returncode, done.stderr) == (1, "passerelle: line 2: has no `name` with letters or digits\n")
    missing = load(dev, tmp_path / "nowhere.csv")
    assert (missing.returncode, missing.stderr) == (
        1,
        f"passerelle: {tmp_path}/nowhere.csv: No such file or directory\n",
    )
