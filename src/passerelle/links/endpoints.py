"""`/token` and `/link`: how integrators get their end users in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from passerelle.executions.cases import Case, Cases, for_case
from passerelle.kit.clock import Clock
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.idempotency import idempotent_id
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.versions import version_of, versions
from passerelle.kit.mail.addresses import Address
from passerelle.links.errors import CASE_HAS_NO_EMAIL, EMAIL_INVALID
from passerelle.links.listing import Filters, LinkList
from passerelle.links.models import LinkRequest, MadeLink, MadeToken
from passerelle.links.schemas import (
    LinkAnswer,
    LinkAnswerV1,
    LinkBody,
    ListedLinkAnswer,
    OpeningBodyV1,
    SendBody,
    TokenAnswer,
    TokenAnswerV1,
    TokenBody,
    listed_answer,
)
from passerelle.links.service import Links
from passerelle.links.tokens import TOKEN_LIFETIME

_FACTS: Final[dict[str, Any]] = {"expiry_duration": int(TOKEN_LIFETIME.total_seconds()), "token_type": "Bearer"}


def router(links: Links, listing: LinkList, cases: Cases, cursors: Cursors, clock: Clock) -> APIRouter:
    """Everything under `/link`, and `POST /token`."""
    routes = APIRouter(tags=["Links"], route_class=ApiRoute)
    _tokens(routes, links, cases)
    _links(routes, links, cases)
    _listing(routes, listing, cursors, clock)
    return routes


def _tokens(routes: APIRouter, links: Links, cases: Cases) -> None:
    @routes.post(
        "/token",
        status_code=201,
        response_model=TokenAnswer,
        openapi_extra=takes(OpeningBodyV1, TokenBody) | versions(1, 2, successor="/token"),
    )
    async def make_token(request: Request) -> Response:
        """Start an execution and get the token that opens it in the widget: once, within 60 minutes."""
        caller = await principal(request)
        if version_of(request) == 1:
            wanted, _ = await _for_case(request, cases, caller.workspace_id)
            with for_case():
                return _token_v1(await links.token(caller.workspace_id, wanted))
        made = await links.token(caller.workspace_id, _wanted(request, await read(request, TokenBody)))
        answer = TokenAnswer(token=made.token, workflow_id=made.execution_id, **_FACTS)
        return json_answer(answer, 201)


def _links(routes: APIRouter, links: Links, cases: Cases) -> None:
    @routes.post(
        "/link",
        status_code=201,
        response_model=LinkAnswer,
        openapi_extra=takes(OpeningBodyV1, LinkBody) | versions(1, 2, successor="/link"),
    )
    async def make_link(request: Request) -> Response:
        """Start an execution and get the link that leads to it.

        A new link for the same definition and the same record makes the one before invalid.
        """
        caller = await principal(request)
        if version_of(request) == 1:
            wanted, case = await _for_case(request, cases, caller.workspace_id)
            with for_case():
                made = await links.create(caller.workspace_id, replace(wanted, email=_usable(case.email)))
            return json_answer(LinkAnswerV1(link=made.url), 201)
        body = await read(request, LinkBody)
        email = None if body.email is None else _address(body.email)
        return _link(await links.create(caller.workspace_id, replace(_wanted(request, body), email=email)))

    @routes.post(
        "/link/send",
        status_code=201,
        response_model=LinkAnswer,
        openapi_extra=takes(OpeningBodyV1, SendBody) | versions(1, 2, successor="/link/send"),
    )
    async def send_link(request: Request) -> Response:
        """As `POST /link`, and send the link by e-mail.

        Answers once the message is queued for good; `link.sent` or `email.failed` tells what came of it.
        """
        caller = await principal(request)
        if version_of(request) == 1:
            wanted, case = await _for_case(request, cases, caller.workspace_id)
            with for_case():
                made = await links.send(caller.workspace_id, replace(wanted, email=_address_of(case)))
            return json_answer(LinkAnswerV1(link=made.url), 201)
        body = await read(request, SendBody)
        wanted = replace(_wanted(request, body), email=_address(body.email))
        return _link(await links.send(caller.workspace_id, wanted))

    @routes.delete("/link/{link_id}", status_code=204)
    async def delete_link(request: Request, link_id: UUID) -> Response:
        """Make a link invalid, and with it the visit that it began. The execution is left as it is."""
        caller = await principal(request)
        await links.delete(caller.workspace_id, link_id)
        return Response(status_code=204)


def _listing(routes: APIRouter, listing: LinkList, cursors: Cursors, clock: Clock) -> None:
    @routes.get("/link", response_model=Page[ListedLinkAnswer])
    async def list_links(
        request: Request,
        workflow_id: Annotated[UUID | None, Query(alias="workflowId")] = None,
        workflow_definition_id: Annotated[UUID | None, Query(alias="workflowDefinitionId")] = None,
        record_id: Annotated[UUID | None, Query(alias="recordId")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """Links, newest first: where each stands, and what came of sending it."""
        caller = await principal(request)
        filters = Filters(workflow_id, workflow_definition_id, record_id)
        bound_to = ["links", str(caller.workspace_id), repr(filters)]
        before = UUID(cursors.decode(after, bound_to=bound_to)["id"]) if after is not None else None
        found = await listing.page(caller.workspace_id, filters, before, limit + 1)
        following = None
        if len(found) > limit:
            following = cursors.encode({"id": str(found[limit - 1].link.id)}, bound_to=bound_to)
        return json_answer(Page(data=[listed_answer(one, clock()) for one in found[:limit]], next=following))

    @routes.get("/link/{link_id}", response_model=ListedLinkAnswer)
    async def read_link(request: Request, link_id: UUID) -> Response:
        """Where a link stands, and what came of sending it."""
        caller = await principal(request)
        return json_answer(listed_answer(await listing.find(caller.workspace_id, link_id), clock()))


def _wanted(request: Request, body: TokenBody) -> LinkRequest:
    return LinkRequest(
        id=idempotent_id(request),
        definition_id=body.workflow_definition_id,
        parameters=body.parameters,
        parameters_id=body.parameters_id,
        record_id=body.record_id,
        locale=body.lang,
    )


async def _for_case(request: Request, cases: Cases, workspace_id: UUID) -> tuple[LinkRequest, Case]:
    body = await read(request, OpeningBodyV1)
    case = await cases.require(workspace_id, body.case_id)
    wanted = LinkRequest(
        id=idempotent_id(request),
        definition_id=body.workflow_definition_id,
        parameters_id=body.parameters_id,
        record_id=case.id,
        locale=body.lang,
    )
    return wanted, case


def _address_of(case: Case) -> str:
    if case.email is None:
        raise CASE_HAS_NO_EMAIL.error(
            f"the case {case.id} has no e-mail address: give it one with `PATCH /cases/{case.id}`", "/caseId"
        )
    try:
        return Address.parse(case.email).mailbox
    except ValueError as error:
        raise CASE_HAS_NO_EMAIL.error(f"the `email` of the case {case.id} {error}: change it", "/caseId") from None


def _usable(email: str | None) -> str | None:
    """A case's address, if it is one: without it there is a link all the same, but no codes."""
    try:
        return None if email is None else Address.parse(email).mailbox
    except ValueError:
        return None


def _address(given: str) -> str:
    try:
        return Address.parse(given).mailbox
    except ValueError as error:
        raise EMAIL_INVALID.error(f"`email` {error}; it looks like anna@example.com", "/email") from None


def _link(made: MadeLink) -> Response:
    answer = LinkAnswer(link=made.url, link_id=made.id, workflow_id=made.execution_id, expires_at=made.expires_at)
    return json_answer(answer, 201)


def _token_v1(made: MadeToken) -> Response:
    return json_answer(TokenAnswerV1(token=made.token, **_FACTS), 201)
