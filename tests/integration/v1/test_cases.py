"""The case API: the given bodies, answers and status codes; and that a case is a record."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from passerelle.kit.ids import new_id
from tests.integration.v1.both import CHECK, FORM, PERSON, Both

NOBODY = {
    "personal": {"firstName": None, "lastName": None, "personalNumber": None, "email": None, "phone": None},
    "business": {"companyNumber": None, "companyName": None, "companyAddress": None},
    "documents": [],
}
ANNA = {
    "personal": {
        "firstName": "Anna",
        "lastName": "Nowak",
        "personalNumber": "44051401359",
        "email": "anna@example.com",
        "phone": {"countryCode": "48", "number": "600100200"},
    },
    "business": {
        "companyNumber": "5252248481",
        "companyName": "Nowak sp. z o.o.",
        "companyAddress": "Prosta 1, Warszawa",
    },
    "documents": [],
}


async def test_a_case_is_made_with_exactly_the_given_answer(both: Both) -> None:
    made = await both.old.call("POST", "/cases", PERSON, 201)
    assert list(made) == ["createdDate", "caseId", "partyId", "partyDetails"]
    assert made["partyDetails"] == ANNA
    assert made["partyId"] != made["caseId"]
    assert await both.old.call("GET", f"/cases/{made['caseId']}") == {**made, "workflows": []}


@pytest.mark.parametrize("body", [None, {}, {"firstName": None, "phone": None, "documents": None}, {"firstName": ""}])
async def test_everything_about_a_case_is_optional(both: Both, body: Any) -> None:
    assert (await both.old.call("POST", "/cases", body, 201))["partyDetails"] == NOBODY


async def test_numbers_are_accepted_and_kept_as_text(both: Both) -> None:
    made = await both.case(personalNumber=44051401359, phone={"countryCode": 48, "number": 600100200})
    personal = made["partyDetails"]["personal"]
    assert (personal["personalNumber"], personal["phone"]) == (
        "44051401359", {"countryCode": "48", "number": "600100200"}
    )  # fmt: skip
    texts = await both.case(personalNumber="044", phone={"countryCode": "+48", "number": "0600"})
    assert texts["partyDetails"]["personal"]["phone"] == {"countryCode": "+48", "number": "0600"}
    assert texts["partyDetails"]["personal"]["personalNumber"] == "044"


async def test_a_change_names_what_changes_and_null_empties(both: Both) -> None:
    case_id = (await both.case(**PERSON))["caseId"]
    changed = await both.old.call("PATCH", f"/cases/{case_id}", {"lastName": "Kowalska", "phone": {"number": 7}}, 200)
    assert list(changed) == ["createdDate", "caseId", "partyId", "partyDetails"]
    personal = changed["partyDetails"]["personal"]
    assert (personal["firstName"], personal["lastName"]) == ("Anna", "Kowalska")
    assert personal["phone"] == {"countryCode": "48", "number": "7"}, "the part that was not named stays"
    emptied = await both.old.call("PATCH", f"/cases/{case_id}", {"phone": None, "email": None, "companyName": ""})
    personal, business = emptied["partyDetails"]["personal"], emptied["partyDetails"]["business"]
    assert (personal["phone"], personal["email"], business["companyName"]) == (None, None, None)
    assert business["companyNumber"] == "5252248481"


async def test_a_case_is_a_record_and_what_one_side_writes_the_other_reads_at_once(both: Both) -> None:
    case_id = (await both.case(**PERSON))["caseId"]
    path = f"/tables/cases/records/{case_id}"
    record = await both.new.call("GET", path)
    assert record["id"] == case_id
    assert (record["lastName"], record["phone"]) == ("Nowak", {"countryCode": "48", "number": "600100200"})
    await both.new.call("PATCH", path, {"lastName": "Kowalska", "phone": {"countryCode": "48", "number": 5}})
    personal = (await both.old.call("GET", f"/case/{case_id}"))["partyDetails"]["personal"]
    assert (personal["lastName"], personal["phone"]["number"]) == ("Kowalska", "5")
    await both.old.call("PATCH", f"/cases/{case_id}", {"lastName": "Zielińska"})
    assert (await both.new.call("GET", path))["lastName"] == "Zielińska"


async def test_a_record_of_the_table_is_a_case(both: Both) -> None:
    body = {**PERSON, "personalNumber": "44051401359"}
    record = await both.new.call("POST", "/tables/cases/records", body, 201)
    case = await both.old.call("GET", f"/cases/{record['id']}")
    assert (case["caseId"], case["createdDate"], case["partyDetails"]) == (record["id"], record["createdAt"], ANNA)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("+48 600", {"countryCode": None, "number": "+48 600"}),
        (600, {"countryCode": None, "number": "600"}),
        ({"number": 600, "extra": [1]}, {"countryCode": None, "number": "600"}),
        ({"countryCode": None, "number": True}, None),
        ([1, 2], None),
    ],
)
async def test_whatever_the_other_view_writes_as_a_phone_the_case_can_be_read(
    both: Both, written: Any, shown: Any
) -> None:
    record = await both.new.call("POST", "/tables/cases/records", {"phone": written}, 201)
    case = await both.old.call("GET", f"/cases/{record['id']}")
    assert case["partyDetails"]["personal"]["phone"] == shown


async def test_both_sides_write_one_history(both: Both) -> None:
    case_id = (await both.case(lastName="Nowak"))["caseId"]
    await both.old.call("PATCH", f"/cases/{case_id}", {"lastName": "Kowalska"})
    await both.new.call("PATCH", f"/tables/cases/records/{case_id}", {"email": "a@example.com"})
    history = (await both.new.call("GET", f"/tables/cases/records/{case_id}/history"))["data"]
    assert [(line["version"], line["action"]) for line in history] == [(3, "updated"), (2, "updated"), (1, "created")]
    assert history[1]["changes"] == [{"field": "lastName", "old": "Nowak", "new": "Kowalska"}]


async def test_the_documents_of_a_case_are_the_attachments_of_its_record(both: Both) -> None:
    one, two = await both.file("one.txt"), await both.file("two.txt")
    case_id = (await both.case(documents=[one, two, one]))["caseId"]
    assert (await both.old.call("GET", f"/cases/{case_id}"))["partyDetails"]["documents"] == [one, two]
    attached = (await both.new.call("GET", f"/tables/cases/records/{case_id}/attachments"))["data"]
    assert {file["name"] for file in attached} == {"one.txt", "two.txt"}
    await both.product.api.post(f"/tables/cases/records/{case_id}/attachments", files={"file": ("3.txt", b"three")})
    case = await both.old.call("GET", f"/cases/{case_id}")
    assert [file["resourceName"] for file in case["partyDetails"]["documents"]] == ["one.txt", "two.txt", "3.txt"]


async def test_a_change_says_which_documents_a_case_has_and_keeps_the_files_of_the_others(both: Both) -> None:
    one, two = await both.file("one.txt"), await both.file("two.txt")
    case_id = (await both.case(documents=[one]))["caseId"]
    changed = await both.old.call("PATCH", f"/cases/{case_id}", {"documents": [{"resourceId": two["resourceId"]}]})
    assert changed["partyDetails"]["documents"] == [two]
    assert (await both.product.api.get(f"/resources/{one['resourceId']}")).content == b"plain text"
    unchanged = await both.old.call("PATCH", f"/cases/{case_id}", {"firstName": "Anna"})
    assert unchanged["partyDetails"]["documents"] == [two]
    assert (await both.old.call("PATCH", f"/cases/{case_id}", {"documents": []}))["partyDetails"]["documents"] == []


async def test_of_two_who_say_at_once_which_documents_a_case_has_one_is_right(both: Both) -> None:
    one, two = await both.file("one.txt"), await both.file("two.txt")
    for _ in range(8):
        case_id = (await both.case())["caseId"]
        await asyncio.gather(
            *(
                both.old.call("PATCH", f"/cases/{case_id}", {"documents": [{"resourceId": file["resourceId"]}]})
                for file in (one, two, one, two)
            )
        )
        documents = (await both.old.call("GET", f"/cases/{case_id}"))["partyDetails"]["documents"]
        assert documents in ([one], [two])


async def test_a_document_that_is_no_file_here_is_named_and_nothing_is_written(both: Both) -> None:
    good = await both.file()
    documents = [{"resourceId": str(new_id())}, good, {"resourceId": str(new_id())}]
    refused = await both.old.refused("POST", "/cases", {"documents": documents}, 404)
    assert refused == [
        ("RESOURCE_NOT_FOUND", "/documents/0/resourceId"), ("RESOURCE_NOT_FOUND", "/documents/2/resourceId")
    ]  # fmt: skip
    assert (await both.new.call("GET", "/tables/cases/records"))["data"] == []


async def test_a_case_shows_its_executions_with_their_results(both: Both) -> None:
    case_id = (await both.case())["caseId"]
    first, second = await both.run(case_id), await both.run(case_id)
    link = {"caseId": case_id, "workflowDefinitionId": await both.push(FORM)}
    await both.old.call("POST", "/link", link, 201)
    shown = (await both.old.call("GET", f"/case/{case_id}"))["workflows"]
    assert [(one["id"], one["status"], one["result"]) for one in shown[1:]] == [
        (second["id"], "COMPLETED", {"double": 2}), (first["id"], "COMPLETED", {"double": 2})
    ]  # fmt: skip
    assert (shown[0]["status"], shown[0]["result"]) == ("RUNNING", None)


async def test_the_same_key_makes_one_case(both: Both) -> None:
    headers = {"Idempotency-Key": str(new_id())}
    first = await both.old.call("POST", "/cases", PERSON, 201, headers=headers)
    assert await both.old.call("POST", "/cases", PERSON, 201, headers=headers) == first
    assert len((await both.new.call("GET", "/tables/cases/records"))["data"]) == 1


async def test_a_case_of_another_workspace_is_nowhere(both: Both) -> None:
    case_id = (await both.case(**PERSON))["caseId"]
    stranger = both.product.stranger
    headers = {"Accept": "application/json;version=1"}
    definition = await both.push(CHECK)
    for method, path, body in (
        ("GET", f"/cases/{case_id}", None),
        ("GET", f"/case/{case_id}", None),
        ("PATCH", f"/cases/{case_id}", {"firstName": "x"}),
        ("POST", "/workflows/run", {"caseId": case_id, "workflowDefinitionId": definition}),
        ("POST", "/link", {"caseId": case_id, "workflowDefinitionId": definition}),
        ("POST", "/link/send", {"caseId": case_id, "workflowDefinitionId": definition}),
        ("POST", "/token", {"caseId": case_id, "workflowDefinitionId": definition}),
    ):
        answer = await stranger.request(method, path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "CASE_NOT_FOUND"), path
    file = await both.file()
    theirs = await stranger.post("/cases", json={"documents": [file]}, headers=headers)
    assert theirs.json()["errors"][0]["code"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"firstname": "a"}, [("FIELD_UNKNOWN", "/firstname")]),
        ({"firstName": 1, "email": []}, [("FIELD_TYPE", "/firstName"), ("FIELD_TYPE", "/email")]),
        ({"personalNumber": True}, [("FIELD_TYPE", "/personalNumber")]),
        ({"personalNumber": 1.5}, [("FIELD_TYPE", "/personalNumber")]),
        ({"phone": "600"}, [("FIELD_TYPE", "/phone")]),
        ({"phone": {"number": {}, "extension": 1}}, [("FIELD_TYPE", "/phone/number"), ("FIELD_UNKNOWN", "/phone/extension")]),
        ({"documents": ["x"]}, [("FIELD_TYPE", "/documents/0")]),
        ({"documents": [{"resourceId": "x"}]}, [("FIELD_INVALID", "/documents/0/resourceId")]),
        ({"recordId": "x"}, [("FIELD_UNKNOWN", "/recordId")]),
        ([], [("BODY_NOT_OBJECT", None)]),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_explained_field_by_field(both: Both, body: Any, problems: list[Any]) -> None:
    assert await both.old.refused("POST", "/cases", body, 400) == problems
    case_id = (await both.case())["caseId"]
    assert await both.old.refused("PATCH", f"/cases/{case_id}", body, 400) == problems


async def test_a_case_that_is_not_there(both: Both) -> None:
    unknown = new_id()
    for method, path in (("GET", "/cases"), ("GET", "/case"), ("PATCH", "/cases")):
        body: Any = {} if method == "PATCH" else None
        assert await both.old.refused(method, f"{path}/{unknown}", body, 404) == [("CASE_NOT_FOUND", None)]
        assert await both.old.refused(method, f"{path}/x", body, 404) == [("NOT_FOUND", None)]


async def test_the_table_of_cases_keeps_what_cases_need(both: Both) -> None:
    """A company may add fields of its own; it cannot take away what version 1 shows."""
    table = await both.new.call("GET", "/tables/cases")
    assert table["builtIn"]
    fields = [{"name": field["name"], "type": field["type"], "pii": field["pii"]} for field in table["fields"]]
    more = await both.new.call("PATCH", "/tables/cases", {"fields": [*fields, {"name": "score", "type": "number"}]})
    assert [field["name"] for field in more["fields"]][-1] == "score"
    await both.case(**PERSON)
    renamed = [{**fields[0], "name": "givenName", "renamedFrom": "firstName"}, *fields[1:]]
    for body in ({"fields": fields[1:]}, {"fields": renamed}, {"name": "clients"}):
        assert (await both.new.refused("PATCH", "/tables/cases", body, 409))[0][0] == "TABLE_BUILT_IN"
    assert (await both.new.refused("DELETE", "/tables/cases", None, 409))[0][0] == "TABLE_BUILT_IN"
