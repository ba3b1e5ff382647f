"""Version 1 of everything that takes a `caseId`: given bodies, answers, refusals; and `case` in expressions."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.kit.ids import new_id
from tests.integration.v1.both import CHECK, FORM, PERSON, Both

GREETING = """
name: greeting
{record}
steps: [{{id: hello, set: {{text: "Dear ${{case.firstName}} ${{{name}.lastName}}", prefix: "${{case.phone.countryCode}}"}}}}]
result: {{text: "${{steps.hello.text}}", prefix: "${{steps.hello.prefix}}"}}
"""
UNBOUND = GREETING.format(record="", name="case")
BOUND = GREETING.format(record="record: {table: cases}", name="record")
CORRECTING = """
name: correcting
record: {table: cases}
steps:
  - {id: before, set: {name: "${case.lastName}"}}
  - {id: save, record: {update: {lastName: Kowalska}}}
  - {id: after, set: {name: "${case.lastName}"}}
result: {before: "${steps.before.name}", after: "${steps.after.name}"}
"""
CUSTOMER = "name: other\nrecord: {table: customers}\nsteps: [{id: a, set: {b: 1}}]\n"
OPENINGS = ["/token", "/link", "/link/send"]
BODIES = ["/workflows/run", *OPENINGS]


async def wanted(both: Both, text: str = FORM, **case: Any) -> dict[str, Any]:
    made = await both.case(**(PERSON | case))
    return {"caseId": made["caseId"], "workflowDefinitionId": await both.push(text)}


async def test_a_run_for_a_case_has_exactly_the_given_answers(both: Both) -> None:
    body = await wanted(both, CHECK)
    run = await both.old.call("POST", "/workflows/run", body, 200)
    assert run == {"id": run["id"], "caseId": body["caseId"], "status": "COMPLETED"}
    assert await both.old.call("GET", f"/workflows/{run['id']}") == run
    result = await both.old.call("GET", f"/workflows/{run['id']}/result")
    case = await both.old.call("GET", f"/cases/{body['caseId']}")
    assert list(result) == ["id", "createdDate", "caseId", "partyId", "partyDetails", "status", "result"]
    assert (result["caseId"], result["partyId"]) == (body["caseId"], case["partyId"])
    assert (result["partyDetails"], result["result"]) == (case["partyDetails"], {"double": 2})


async def test_stored_parameters_serve_version_one(both: Both) -> None:
    body = await wanted(both, CHECK)
    stored = {"workflowDefinitionId": body["workflowDefinitionId"], "parameters": {"amount": 21}}
    body["parametersId"] = (await both.old.call("POST", "/parameters", stored, 201))["parametersId"]
    run = await both.old.call("POST", "/workflows/run", body)
    assert (await both.old.call("GET", f"/workflows/{run['id']}/result"))["result"] == {"double": 42}


@pytest.mark.parametrize("text", [UNBOUND, BOUND])
async def test_expressions_read_the_case(both: Both, text: str) -> None:
    run = await both.old.call("POST", "/workflows/run", await wanted(both, text))
    result = await both.old.call("GET", f"/workflows/{run['id']}/result")
    assert result["result"] == {"text": "Dear Anna Nowak", "prefix": "48"}


async def test_what_a_step_writes_is_the_case_from_then_on(both: Both) -> None:
    body = await wanted(both, CORRECTING)
    run = await both.old.call("POST", "/workflows/run", body)
    result = await both.old.call("GET", f"/workflows/{run['id']}/result")
    assert result["result"] == {"before": "Nowak", "after": "Kowalska"}
    assert result["partyDetails"]["personal"]["lastName"] == "Kowalska"


async def test_a_field_that_cases_lack_is_found_when_the_definition_is_pushed(both: Both) -> None:
    pushed = await both.product.push('name: typo\nsteps: [{id: a, set: {b: "${case.lastNam}"}}]\n')
    assert pushed.status_code == 400
    assert "the table `cases` has no field `lastNam`" in pushed.text


async def test_an_execution_without_a_case_is_shown_in_full_to_everybody(both: Both) -> None:
    body = {"workflowDefinitionId": await both.push(CHECK), "recordId": str(new_id())}
    for started in (body, {"workflowDefinitionId": body["workflowDefinitionId"]}):
        run = await both.new.call("POST", "/workflows/run", started)
        shown = await both.new.call("GET", f"/workflows/{run['id']}")
        assert await both.old.call("GET", f"/workflows/{run['id']}") == shown
        assert "partyId" not in await both.old.call("GET", f"/workflows/{run['id']}/result")


async def test_the_executions_of_a_deleted_case_still_say_whose_they_are(both: Both) -> None:
    body = await wanted(both, CHECK)
    run = await both.old.call("POST", "/workflows/run", body)
    await both.new.call("DELETE", f"/tables/cases/records/{body['caseId']}")
    assert await both.old.call("GET", f"/workflows/{run['id']}") == run
    assert (await both.old.call("GET", f"/workflows/{run['id']}/result"))["partyDetails"]["personal"][
        "lastName"
    ] == "Nowak"
    assert await both.old.refused("POST", "/workflows/run", body, 404) == [("CASE_NOT_FOUND", "/caseId")]


async def test_a_token_and_a_link_for_a_case_have_exactly_the_given_answers(both: Both) -> None:
    body = await wanted(both)
    token = await both.old.call("POST", "/token", {**body, "lang": "pl"}, 201)
    assert token == {"token": token["token"], "expiryDuration": 3600, "tokenType": "Bearer"}
    for path in ("/link", "/link/send"):
        made = await both.old.call("POST", path, body, 201)
        assert list(made) == ["link"]
    shown = (await both.old.call("GET", f"/cases/{body['caseId']}"))["workflows"]
    # The newer link took the place of the one before, which nobody had opened.
    assert [one["status"] for one in shown] == ["RUNNING", "CANCELLED", "RUNNING"]


async def test_a_link_is_sent_to_the_address_of_the_case(both: Both) -> None:
    body = await wanted(both)
    await both.old.call("POST", "/link/send", body, 201)
    async with both.product.services.shared.database.workspace(both.product.workspace_id) as connection:
        assert await connection.fetchval("SELECT email FROM link WHERE superseded_at IS NULL") == "anna@example.com"


@pytest.mark.parametrize("email", [None, "", "not an address"])
async def test_a_case_without_an_address_cannot_be_sent_a_link(both: Both, email: str | None) -> None:
    body = await wanted(both, email=email)
    answer = await both.old.call("POST", "/link/send", body, 400)
    assert [(error["code"], error["pointer"]) for error in answer["errors"]] == [("CASE_HAS_NO_EMAIL", "/caseId")]
    assert body["caseId"] in answer["errors"][0]["message"]
    await both.old.call("PATCH", f"/cases/{body['caseId']}", {"email": "anna@example.com"})
    await both.old.call("POST", "/link/send", body, 201)


@pytest.mark.parametrize("path", BODIES)
async def test_the_wrong_id_for_the_version_is_explained(both: Both, path: str) -> None:
    """`caseId` under version 2, `recordId` under version 1, both at once, neither where one is required."""
    body = await wanted(both, CHECK if path == "/workflows/run" else FORM)
    case_id, definition = body["caseId"], body["workflowDefinitionId"]
    email = {"email": "anna@example.com"} if path == "/link/send" else {}
    plain = {"workflowDefinitionId": definition}
    removed, required, later = ("CASE_ID_REMOVED", "/caseId"), ("CASE_ID_REQUIRED", "/caseId"), (
        "RECORD_ID_NEEDS_VERSION_2", "/recordId"
    )  # fmt: skip
    assert await both.new.refused("POST", path, {**body, **email}) == [removed]
    assert await both.new.refused("POST", path, {**body, **email, "recordId": case_id}) == [removed]
    assert set(await both.old.refused("POST", path, {**plain, "recordId": case_id})) == {required, later}
    assert await both.old.refused("POST", path, {**body, "recordId": case_id}) == [later]
    assert await both.old.refused("POST", path, plain) == [required]
    assert await both.old.refused("POST", path, {**plain, "caseId": None}) == [required]
    assert await both.old.refused("POST", path, {**body, "caseId": "x"}) == [("FIELD_INVALID", "/caseId")]
    unknown = {**plain, "caseId": str(new_id())}
    assert await both.old.refused("POST", path, unknown, 404) == [("CASE_NOT_FOUND", "/caseId")]
    for answer in (await both.old.send("POST", path, plain), await both.new.send("POST", path, body)):
        advice = " ".join(error["message"] for error in answer.json()["errors"])
        assert "Accept: application/json;version=2" in advice or "rename it to recordId and keep its value" in advice


@pytest.mark.parametrize(
    ("path", "field"), [(path, "parameters") for path in BODIES] + [(p, "email") for p in OPENINGS]
)
async def test_what_only_version_two_takes_is_refused_with_the_header_to_send(
    both: Both, path: str, field: str
) -> None:
    """Whoever reads about version 2 and forgets the header is not told that there is no such field."""
    given: dict[str, Any] = {"parameters": {}, "email": "anna@example.com"}
    answer = await both.old.send("POST", path, {**await wanted(both), field: given[field]})
    (error,) = answer.json()["errors"]
    assert (error["code"], error["pointer"]) == ("FIELD_UNKNOWN", f"/{field}")
    assert "send `Accept: application/json;version=2`" in error["message"]


@pytest.mark.parametrize("path", BODIES)
async def test_what_an_old_client_does_not_have_may_be_null_or_an_empty_text(both: Both, path: str) -> None:
    body = await wanted(both, CHECK if path == "/workflows/run" else FORM)
    optional = ("parametersId",) if path == "/workflows/run" else ("parametersId", "lang")
    for nothing in (None, ""):
        assert (await both.old.send("POST", path, {**body, **dict.fromkeys(optional, nothing)})).is_success


async def test_a_definition_about_another_table_does_not_take_the_case(both: Both) -> None:
    await both.new.call("POST", "/tables", {"name": "customers", "fields": [{"name": "a", "type": "text"}]}, 201)
    body = await wanted(both, CUSTOMER)
    assert await both.old.refused("POST", "/workflows/run", body, 404) == [("RECORD_NOT_FOUND", "/caseId")]
