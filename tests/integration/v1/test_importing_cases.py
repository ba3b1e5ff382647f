"""`passerelle cases import`: cases of another installation, under their own ids."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from passerelle.kit.ids import new_id
from passerelle.v1.cases.import_command import bring
from passerelle.v1.cases.migrate_command import Said
from tests.integration.v1.both import PERSON, Both
from tests.integration.v1.migrating import Company

CASE: dict[str, Any] = {
    "createdDate": "2024-03-01T08:15:00.000Z",
    "caseId": "6f1c1d0e-6a0e-4d52-9c3a-0c8b7f0f7a11",
    "partyId": "1b671a64-40d5-491e-99b0-da01ff1f3341",
    "partyDetails": {
        "personal": {
            "firstName": "Anna",
            "lastName": "Nowak",
            "personalNumber": "44051401359",
            "email": "anna@example.com",
            "phone": {"countryCode": "48", "number": "600100200"},
        },
        "business": {"companyNumber": "5252248481", "companyName": None, "companyAddress": "Prosta 1"},
        "documents": [],
    },
    "workflows": [{"id": "0b1b1a64-40d5-491e-99b0-da01ff1f3341", "status": "COMPLETED", "result": {"decision": "ok"}}],
}


@pytest.fixture
async def company(both: Both, tmp_path: Path) -> Company:
    return Company(both, tmp_path)


async def _bring(company: Company, *lines: Any, files: Path | None = None) -> Said:
    file = company.folder / "cases.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return await bring(company.place, file, files, Console(quiet=True))


async def test_a_case_comes_in_as_it_was(company: Company) -> None:
    """Id, time, party and every value; executions stay with the service that ran them, and that is said."""
    said = await _bring(company, CASE)
    assert said.lines == (
        "1 case made, 0 there already, files attached: 0",
        "executions that stay with the service that ran them: 1",
    )
    assert await company.both.old.call("GET", f"/cases/{CASE['caseId']}") == CASE | {"workflows": []}


async def test_what_this_installation_answers_can_be_imported_elsewhere(company: Company) -> None:
    """The way back: an answer of `GET /cases/{caseId}` is a line, documents included."""
    made = await company.both.case(**PERSON, documents=[await company.both.file()])
    await company.both.run(made["caseId"])
    case = await company.both.old.call("GET", f"/cases/{made['caseId']}")
    kept = await company.both.product.stranger.post("/resources", files={"file": ("a.txt", b"text")})
    workspace_id = kept.json()["resourcePath"].split("/")[1]
    place = replace(company.place, workspace_id=UUID(workspace_id), files_url=str(company.folder / "elsewhere"))
    file = company.folder / "cases.jsonl"
    file.write_text(json.dumps(case))
    folder = company.folder / "files"
    document = case["partyDetails"]["documents"][0]
    (folder / document["resourcePath"]).parent.mkdir(parents=True)
    (folder / document["resourcePath"]).write_text("plain text")
    said = await bring(place, file, folder, Console(quiet=True))
    assert said.good, said.lines
    headers = {"Accept": "application/json;version=1"}
    answer = await company.both.product.stranger.get(f"/cases/{case['caseId']}", headers=headers)
    there = answer.json()
    expected = json.loads(json.dumps(case).replace(str(company.both.product.workspace_id), workspace_id))
    assert there == expected | {"workflows": []}


async def test_broken_lines_are_reported_and_the_rest_is_taken(company: Company) -> None:
    """No JSON, no case, unknown fields, a time without zone, numbers and ids that are none: each by its line."""
    second = CASE | {"caseId": str(new_id())}
    said = await _bring(
        company,
        CASE,
        '{"caseId": ',
        "[1, 2]",
        "",
        {"createdDate": CASE["createdDate"]},
        CASE | {"caseId": "C-1"},
        CASE | {"caseId": str(new_id()), "createdDate": "2024-03-01T08:15:00"},
        CASE | {"caseId": str(new_id()), "colour": "blue"},
        CASE | {"caseId": str(new_id()), "partyDetails": {"personal": {"firstName": 7}}},
        "x" * 2_000_100,
        second,
    )
    assert not said.good
    assert said.lines[-2].startswith("2 cases made, 0 there already")
    problems = said.lines[:-2]
    for number, words in {
        2: "JSON", 3: "object", 5: "`caseId` is required", 6: "caseId", 7: "a time with its zone", 8: "`colour`",
        9: "firstName", 10: "longer than 2,000,000",
    }.items():  # fmt: skip
        assert any(one.startswith(f"line {number}: ") and words in one for one in problems), (number, problems)
    assert not [one for one in problems if one.startswith(("line 1:", "line 4:", "line 11:"))]


async def test_a_file_that_is_read_again_changes_nothing(company: Company) -> None:
    """A case that is there with other values is reported, and left as it is."""
    document = {"resourceId": str(new_id()), "resourceName": "id.txt", "resourcePath": "id.txt"}
    (company.folder / "id.txt").write_text("a file")
    case = CASE | {"partyDetails": CASE["partyDetails"] | {"documents": [document]}}
    said = await _bring(company, case, files=company.folder)
    assert said.lines[0] == "1 case made, 0 there already, files attached: 1"
    rows = await company.rows()
    said = await _bring(company, case, files=company.folder)
    assert said.lines[0] == "0 cases made, 1 there already, files attached: 0"
    other = json.loads(json.dumps(CASE).replace("Nowak", "Kowalska"))
    said = await _bring(company, other)
    assert said.lines[0].endswith("is there already, with other values in `lastName`: nothing was changed")
    assert await company.rows() == rows


async def test_a_case_that_has_moved_on_is_there_already(company: Company) -> None:
    """An import that was cut may be started again after the move of what it had brought."""
    await _bring(company, CASE)
    await company.table()
    assert (await company.move()).good
    rows = await company.rows()
    assert (await _bring(company, CASE)).lines[0].startswith("0 cases made, 1 there already")
    assert await company.rows() == rows


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "missing.txt"])
async def test_a_document_is_taken_from_the_folder_of_files_only(company: Company, path: str) -> None:
    """A line must not name files outside of it; what is not there is said, and the case is taken all the same."""
    files = company.folder / "documents"
    files.mkdir()
    (company.folder / "secret.txt").write_text("secret")
    document = {"resourceId": str(new_id()), "resourceName": "extract.txt", "resourcePath": path}
    case = json.loads(json.dumps(CASE))
    case["partyDetails"]["documents"] = [document]
    said = await _bring(company, case, files=files)
    assert said.lines[0] == f"line 1: the case is taken; its file extract.txt is not in {files}"
    assert said.lines[1].startswith("1 case made")
