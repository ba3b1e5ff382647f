"""The guide from version 1 to version 2, sentence by sentence, through real HTTP.

Each test is named after its sentence. `old` is a client as it was written for version 1: it sends no version.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.running import Dev, codes, push, pushed

CHECK = """
name: guide-check
parameters: {amount: {type: number, default: 1}}
steps: [{id: sum, set: {double: "${parameters.amount * 2}"}}]
result: {double: "${steps.sum.double}"}
"""
FORM = """
name: guide-form
steps: [{id: company, form: {title: {en: Company}, schema: {type: object, properties: {name: {type: string}}}}}]
"""
GREET = """
name: guide-greet
record: {table: cases}
steps: [{id: hello, set: {text: "Dear ${record.lastName}"}}]
result: {text: "${steps.hello.text}"}
"""
REGISTER = """
name: guide-register
record: {table: cases, create: true}
parameters: {name: {type: string, required: true}}
steps: [{id: save, record: {update: {lastName: "${parameters.name}"}}}]
"""


@pytest.fixture
def old(dev: Dev) -> Iterator[httpx.Client]:
    with dev.api() as client:
        del client.headers["Accept"]
        client.headers["User-Agent"] = "shop/1.0"
        yield client


@pytest.fixture
def new(api: httpx.Client) -> httpx.Client:
    return api


def done(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def a_case(old: httpx.Client, **values: Any) -> str:
    case_id: str = done(old.post("/cases", json={"lastName": "Nowak", "email": "anna@example.com"} | values), 201)[
        "caseId"
    ]
    return case_id


def run(client: httpx.Client, text: str = CHECK, **body: Any) -> Any:
    return done(client.post("/workflows/run", json={"workflowDefinitionId": pushed(client, text), **body}))


def result(client: httpx.Client, run: Any) -> Any:
    return done(client.get(f"/workflows/{run['id']}/result"))


# Key changes.


def test_previously_running_a_workflow_required_associating_it_with_a_case(old: httpx.Client) -> None:
    definition = {"workflowDefinitionId": pushed(old, CHECK)}
    refused = old.post("/workflows/run", json=definition)
    assert (refused.status_code, codes(refused)) == (400, ["CASE_ID_REQUIRED"])
    case_id = a_case(old)
    ran = done(old.post("/workflows/run", json={**definition, "caseId": case_id}))
    assert ran == {"id": ran["id"], "caseId": case_id, "status": "COMPLETED"}


def test_now_workflows_can_be_executed_without_creating_a_case(new: httpx.Client) -> None:
    ran = run(new)
    assert ran == {"id": ran["id"], "recordId": None, "status": "COMPLETED"}
    assert result(new, ran)["result"] == {"double": 2}


def test_the_api_for_creating_cases_is_marked_as_deprecated_in_favor_of_records(old: httpx.Client) -> None:
    answer = old.post("/cases", json={})
    assert answer.status_code == 201
    assert answer.headers["deprecation"].startswith("@")
    assert '</tables/cases/records>; rel="successor-version"' in answer.headers["link"]
    document = old.get("/openapi.json").json()
    assert document["paths"]["/cases"]["post"]["deprecated"] is True


def test_workflows_can_still_be_run_independently_even_without_using_records(new: httpx.Client) -> None:
    before = done(new.get("/tables/cases/records"))["data"]
    run(new)
    assert done(new.get("/tables/cases/records"))["data"] == before


def test_a_record_id_can_be_provided_to_execute_a_workflow_for_a_specific_record(new: httpx.Client) -> None:
    record_id = done(new.post("/tables/cases/records", json={"lastName": "Lis"}), 201)["id"]
    ran = run(new, GREET, recordId=record_id)
    assert ran["recordId"] == record_id
    assert result(new, ran)["result"] == {"text": "Dear Lis"}


def test_if_record_id_is_omitted_workflows_can_create_records_if_configured(new: httpx.Client) -> None:
    ran = run(new, REGISTER, parameters={"name": "Wilk"})
    record_id = done(new.get(f"/workflows/{ran['id']}"))["recordId"]
    assert done(new.get(f"/tables/cases/records/{record_id}"))["lastName"] == "Wilk"


def test_without_record_id_workflows_are_executed_and_results_retrieved_as_usual(new: httpx.Client) -> None:
    ran = run(new, parameters={"amount": 21})
    answer = result(new, ran)
    assert (answer["status"], answer["recordId"], answer["result"]) == ("COMPLETED", None, {"double": 42})


def test_references_go_from_case_to_the_result_of_the_workflow(old: httpx.Client, new: httpx.Client) -> None:
    """Both say the same of the execution, in the same structure."""
    case_id = a_case(old)
    ran = run(old, caseId=case_id)
    case = old.get(f"/case/{case_id}")
    (shown,) = case.json()["workflows"]
    first, second = result(old, ran), result(new, ran)
    assert shown == {name: second[name] for name in ("id", "status", "result")}
    assert {name: first[name] for name in shown} == shown
    assert {name: first[name] for name in ("caseId", "partyId", "partyDetails")} == {
        name: case.json()[name] for name in ("caseId", "partyId", "partyDetails")
    }
    assert not {"caseId", "partyId", "partyDetails"} & set(second)
    assert second["recordId"] == case_id
    assert f'</workflows/{ran["id"]}/result>; rel="successor-version"' in case.headers["link"]


def test_workflows_are_mapped_to_their_corresponding_workflow_id(old: httpx.Client, new: httpx.Client) -> None:
    case_id = a_case(old)
    started = [run(old, caseId=case_id)["id"], run(new, recordId=case_id)["id"]]
    shown = [one["id"] for one in done(old.get(f"/case/{case_id}"))["workflows"]]
    listed = [one["id"] for one in done(new.get("/workflows", params={"recordId": case_id}))["data"]]
    assert shown == listed == started[::-1]


# Tokens and links.


def test_old_token_uses_case_id_and_new_token_uses_record_id(old: httpx.Client, new: httpx.Client) -> None:
    case_id, definition = a_case(old), pushed(new, FORM)
    first = done(old.post("/token", json={"caseId": case_id, "workflowDefinitionId": definition}), 201)
    second = done(new.post("/token", json={"recordId": case_id, "workflowDefinitionId": definition}), 201)
    assert set(second) - set(first) == {"workflowId"}
    assert {name: first[name] for name in ("expiryDuration", "tokenType")} == {
        "expiryDuration": 3600,
        "tokenType": "Bearer",
    }
    assert done(new.get(f"/workflows/{second['workflowId']}"))["recordId"] == case_id


def test_old_link_uses_case_id_and_new_link_uses_record_id(old: httpx.Client, new: httpx.Client) -> None:
    case_id, definition = a_case(old), pushed(new, FORM)
    first = done(old.post("/link", json={"caseId": case_id, "workflowDefinitionId": definition}), 201)
    assert set(first) == {"link"}
    assert httpx.get(first["link"]).status_code == 200
    second = done(new.post("/link", json={"recordId": case_id, "workflowDefinitionId": definition}), 201)
    assert done(new.get(f"/workflows/{second['workflowId']}"))["recordId"] == case_id
    gone = httpx.get(first["link"])
    assert "newer" in gone.text.lower(), "a new link for the same definition and record makes the one before invalid"


def test_link_send_uses_record_id_and_requires_email(old: httpx.Client, new: httpx.Client) -> None:
    case_id, definition = a_case(old), pushed(new, FORM)
    body = {"recordId": case_id, "workflowDefinitionId": definition}
    refused = new.post("/link/send", json=body)
    assert (refused.status_code, codes(refused)) == (400, ["EMAIL_REQUIRED"])
    done(old.post("/link/send", json={"caseId": case_id, "workflowDefinitionId": definition}), 201)
    sent = done(new.post("/link/send", json={**body, "email": "anna@example.com"}), 201)
    assert done(new.get(f"/workflows/{sent['workflowId']}"))["recordId"] == case_id


@pytest.mark.parametrize("path", ["/token", "/link", "/link/send"])
def test_the_correct_record_id_is_passed_when_applicable(new: httpx.Client, path: str) -> None:
    """Where the definition names a table, any other record is refused; where it names none, none is needed."""
    bound = FORM.replace("guide-form", "guide-bound-form") + "record: {table: cases}\n"
    email = {"email": "anna@example.com"} if path == "/link/send" else {}
    wrong = new.post(path, json={"workflowDefinitionId": pushed(new, bound), "recordId": str(uuid4()), **email})
    assert (wrong.status_code, codes(wrong)) == (404, ["RECORD_NOT_FOUND"])
    done(new.post(path, json={"workflowDefinitionId": pushed(new, FORM), **email}), 201)


# Frequently asked.


def test_do_i_need_to_use_record_id_for_all_workflows_no(new: httpx.Client) -> None:
    for path, text in (("/workflows/run", CHECK), ("/workflows", CHECK), ("/token", FORM), ("/link", FORM)):
        answer = new.post(path, json={"workflowDefinitionId": pushed(new, text)})
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"


@pytest.mark.parametrize("path", ["/workflows/run", "/token", "/link", "/link/send", "/workflows"])
def test_can_i_still_use_case_id_no_you_must_switch_to_record_id_and_the_advice_works(
    old: httpx.Client, new: httpx.Client, path: str
) -> None:
    case_id = a_case(old)
    body: dict[str, Any] = {"workflowDefinitionId": pushed(new, CHECK if "workflows" in path else FORM)}
    if path == "/link/send":
        body["email"] = "anna@example.com"
    refused = new.post(path, json={**body, "caseId": case_id})
    assert (refused.status_code, codes(refused)) == (400, ["CASE_ID_REMOVED"])
    (error,) = refused.json()["errors"]
    assert "rename it to recordId and keep its value" in error["message"]
    advised = new.post(path, json={**body, "recordId": case_id})
    assert advised.status_code in (200, 201), advised.text


def test_what_an_integration_does_that_depends_on_case_id_is_to_replace_it(
    old: httpx.Client, new: httpx.Client
) -> None:
    """The same steps in both versions, on the same case, come to the same."""
    case_id, definition = a_case(old), pushed(new, GREET)
    body = {"workflowDefinitionId": definition}
    first = done(old.post("/workflows/run", json={**body, "caseId": case_id}))
    second = done(new.post("/workflows/run", json={**body, "recordId": case_id}))
    assert result(old, first)["result"] == result(new, second)["result"] == {"text": "Dear Nowak"}
    done(new.patch(f"/tables/cases/records/{case_id}", json={"lastName": "Sowa"}))
    assert done(old.get(f"/cases/{case_id}"))["partyDetails"]["personal"]["lastName"] == "Sowa"


def test_a_newcomer_who_sends_no_version_learns_from_the_error_what_to_send(old: httpx.Client) -> None:
    body = {"workflowDefinitionId": pushed(old, CHECK), "recordId": str(uuid4())}
    refused = old.post("/workflows/run", json=body)
    assert set(codes(refused)) == {"CASE_ID_REQUIRED", "RECORD_ID_NEEDS_VERSION_2"}
    assert all("Accept: application/json;version=2" in error["message"] for error in refused.json()["errors"])
    done(old.post("/workflows/run", json=body, headers={"Accept": "application/json;version=2"}))


def test_a_client_of_version_one_and_one_of_version_two_run_side_by_side_on_the_same_data(dev: Dev) -> None:
    """At the same time: the old one changes first names of cases that the new one changes last names of."""
    with dev.api() as setting:
        del setting.headers["Accept"]
        cases = [a_case(setting, firstName="0") for _ in range(3)]
        assert push(setting, CHECK).is_success
        definition = pushed(setting, CHECK)
    failures: list[BaseException] = []

    def old_client() -> None:
        with dev.api() as client:
            del client.headers["Accept"]
            for number in range(1, 11):
                for case_id in cases:
                    changed = done(client.patch(f"/cases/{case_id}", json={"firstName": str(number)}))
                    assert changed["partyDetails"]["personal"]["firstName"] == str(number)
                    body = {"caseId": case_id, "workflowDefinitionId": definition}
                    assert done(client.post("/workflows/run", json=body))["caseId"] == case_id

    def new_client() -> None:
        with dev.api() as client:
            for number in range(1, 11):
                for case_id in cases:
                    path = f"/tables/cases/records/{case_id}"
                    assert done(client.patch(path, json={"lastName": str(number)}))["lastName"] == str(number)
                    body = {"recordId": case_id, "workflowDefinitionId": definition}
                    assert done(client.post("/workflows/run", json=body))["recordId"] == case_id

    def noting(work: Any) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    both = [threading.Thread(target=noting, args=(work,)) for work in (old_client, new_client)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert failures == []
    with dev.api() as client:
        for case_id in cases:
            record = done(client.get(f"/tables/cases/records/{case_id}"))
            assert (record["firstName"], record["lastName"], record["version"]) == ("10", "10", 21)
            case = done(client.get(f"/case/{case_id}"))
            assert [one["status"] for one in case["workflows"]] == ["COMPLETED"] * 20
