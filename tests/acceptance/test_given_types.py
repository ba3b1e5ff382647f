"""Answers of the given API as a strictly typed client reads them: models written from the contract, no nulls in them."""
# ruff: noqa: N815 - fields have the names of the contract

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import uuid4

import httpx
from pydantic import BaseModel, ConfigDict, StringConstraints

from tests.acceptance.running import Dev, pushed, until

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Time = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
Status = Literal["RUNNING", "AWAITING", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"]

BACKGROUND = """
name: strictly-typed
parameters:
  amount: {type: number, default: 1}
steps:
  - id: twice
    set: {amount: "${parameters.amount * 2}"}
result: {amount: "${steps.twice.amount}"}
"""

INTERACTIVE = """
name: strictly-asked
steps:
  - id: ask
    form: {title: Ask, schema: {type: object, properties: {name: {type: string}}}}
"""


class Strict(BaseModel):
    """Refuses what has another type; passes over what was added since."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Tokens(Strict):
    accessToken: str
    refreshToken: str
    expiryDuration: int
    tokenType: Literal["Bearer"]


class Workflow(Strict):
    id: Id
    workspaceId: Id
    workflowDefinitionId: Id
    name: str
    revision: str
    executionVersion: int
    executionType: Literal["BACKGROUND", "INTERACTIVE"]
    status: Status
    locale: str
    parameters: dict[str, Any]
    recordId: Id | None
    expiresAt: Time
    uiOptions: dict[str, Any]
    origin: str


class Started(Workflow):
    link: str
    token: str


class Run(Strict):
    id: Id
    recordId: Id | None
    status: Status


class RunOfCase(Strict):
    id: Id
    caseId: Id
    status: Status


class Result(Strict):
    id: Id
    createdDate: Time
    completedDate: Time
    workflowDefinitionId: Id
    recordId: Id | None
    status: Literal["COMPLETED"]
    result: dict[str, Any]


class PartyDetails(Strict):
    personal: dict[str, Any]
    business: dict[str, Any]
    documents: list[Any]


class ResultOfCase(Strict):
    id: Id
    createdDate: Time
    caseId: Id
    partyId: Id
    partyDetails: PartyDetails
    status: Literal["COMPLETED"]
    result: dict[str, Any]


class Case(Strict):
    createdDate: Time
    caseId: Id
    partyId: Id
    partyDetails: PartyDetails


class Token(Strict):
    token: str
    expiryDuration: int
    tokenType: Literal["Bearer"]


class TokenV2(Token):
    workflowId: Id


class Link(Strict):
    link: str


class LinkV2(Link):
    workflowId: Id
    expiresAt: Time


class Parameters(Strict):
    parametersId: Id


class Resource(Strict):
    resourceId: Id
    resourceName: str
    resourcePath: str


def read(model: type[Strict], answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return model.model_validate_json(answer.content)


def test_a_strict_client_parses_every_given_answer_of_version_2(dev: Dev, api: httpx.Client) -> None:
    credentials = {"key": dev.demo["key"], "secret": dev.demo["secret"]}
    tokens = read(Tokens, api.post("/auth/authorize", json=credentials))
    read(Tokens, api.post("/auth/refresh", json={"refreshToken": tokens.refreshToken}))
    definition, asking = pushed(api, BACKGROUND), pushed(api, INTERACTIVE)
    for sent in ({}, {"recordId": str(uuid4())}, {"parameters": {"amount": 3}}):
        run = read(Run, api.post("/workflows/run", json={"workflowDefinitionId": definition, **sent}))
        read(Workflow, api.get(f"/workflows/{run.id}"))
        read(Result, api.get(f"/workflows/{run.id}/result"))
    background = read(Workflow, api.post("/workflows", json={"workflowDefinitionId": definition}))
    assert background.uiOptions == {}
    until(api, background.id, "COMPLETED")
    for sent in ({}, {"locale": "pl"}):
        started = read(Started, api.post("/workflows", json={"workflowDefinitionId": asking, **sent}))
        assert read(Workflow, api.get(f"/workflows/{started.id}")).expiresAt == started.expiresAt
    read(TokenV2, api.post("/token", json={"workflowDefinitionId": asking}), 201)
    read(LinkV2, api.post("/link", json={"workflowDefinitionId": asking}), 201)
    read(Parameters, api.post("/parameters", json={"parameters": {"amount": 2}}), 201)
    for one in api.get("/workflows").json()["data"]:
        Workflow.model_validate(one)


def test_a_strict_client_parses_every_given_answer_of_version_1(dev: Dev) -> None:
    with dev.api(version=1) as api:
        definition, asking = pushed(api, BACKGROUND), pushed(api, INTERACTIVE)
        case = read(Case, api.post("/cases", json={"firstName": "Anna", "email": "anna@example.com"}), 201)
        read(Case, api.get(f"/cases/{case.caseId}"))
        read(Case, api.patch(f"/cases/{case.caseId}", json={"lastName": "Nowak"}))
        body = {"caseId": case.caseId, "workflowDefinitionId": definition}
        run = read(RunOfCase, api.post("/workflows/run", json=body))
        read(RunOfCase, api.get(f"/workflows/{run.id}"))
        read(ResultOfCase, api.get(f"/workflows/{run.id}/result"))
        asked = {"caseId": case.caseId, "workflowDefinitionId": asking}
        read(Token, api.post("/token", json=asked), 201)
        read(Link, api.post("/link", json=asked), 201)
        read(Link, api.post("/link/send", json=asked), 201)
        read(Resource, api.post("/resources", files={"file": ("note.txt", b"a note", "text/plain")}), 201)
