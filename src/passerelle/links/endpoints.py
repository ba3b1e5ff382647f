"""`/token` and `/link`: how integrators get their end users in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query

from passerelle.kit.clock import Clock
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.bounds import AnyTime
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.kit.http.versions import version
from passerelle.kit.mail.addresses import MailAddress
from passerelle.links.errors import CASE_HAS_NO_EMAIL, EMAIL_INVALID
from passerelle.links.listing import LinkFilters, LinkList
from passerelle.links.models import LinkRequest, MadeLink, Renewal
from passerelle.links.schemas import (
    LinkAnswer,
    LinkAnswerV1,
    LinkBody,
    ListedLinkAnswer,
    OpeningBodyV1,
    ResendBody,
    SendBody,
    TokenAnswer,
    TokenAnswerV1,
    TokenBody,
    listed_answer,
)
from passerelle.links.service import Links
from passerelle.links.tokens import TOKEN_LIFETIME
from passerelle.workflows.cases import Case, Cases, for_case

LinkId = Annotated[UUID, Path(description="The link's id")]

_FACTS: Final[dict[str, Any]] = {"expiry_duration": int(TOKEN_LIFETIME.total_seconds()), "token_type": "Bearer"}


def router(links: Links, listing: LinkList, cases: Cases, cursors: Cursors, clock: Clock) -> APIRouter:
    """Everything under `/link`, and `POST /token`."""
    routes = APIRouter(tags=["Links"], route_class=ApiRoute)
    _tokens(routes, links, cases)
    _links(routes, links, cases)
    _afterwards(routes, links)
    _listing(routes, listing, cursors, clock)
    return routes


def _tokens(routes: APIRouter, links: Links, cases: Cases) -> None:
    @routes.post("/token", status_code=201)
    @version(2)
    async def make_token(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[TokenBody],
        new_id: IdempotentId,
    ) -> TokenAnswer:
        """Start an execution and get the token that opens it in the widget: once, within 60 minutes."""
        made = await links.token(caller.workspace_id, _wanted(new_id, body))
        return TokenAnswer(token=made.token, workflow_id=made.execution_id, **_FACTS)

    @routes.post("/token", status_code=201)
    @version(1, successor="/token")
    async def make_token_for_case(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[OpeningBodyV1],
        new_id: IdempotentId,
    ) -> TokenAnswerV1:
        """Start an execution for a case and get the token that opens it in the widget."""
        wanted, _ = await _for_case(new_id, body, cases, caller.workspace_id)
        with for_case():
            made = await links.token(caller.workspace_id, wanted)
        return TokenAnswerV1(token=made.token, **_FACTS)


def _links(routes: APIRouter, links: Links, cases: Cases) -> None:
    @routes.post("/link", status_code=201)
    @version(2)
    async def make_link(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[LinkBody],
        new_id: IdempotentId,
    ) -> LinkAnswer:
        """Start an execution and get the link that leads to it.

        A new link for the same definition and the same record makes the one before invalid.
        """
        email = None if body.email is None else address_of(body.email)
        return _link(await links.create(caller.workspace_id, replace(_wanted(new_id, body), email=email)))

    @routes.post("/link", status_code=201)
    @version(1, successor="/link")
    async def make_link_for_case(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[OpeningBodyV1],
        new_id: IdempotentId,
    ) -> LinkAnswerV1:
        """Start an execution for a case and get the link that leads to it."""
        wanted, case = await _for_case(new_id, body, cases, caller.workspace_id)
        with for_case():
            made = await links.create(caller.workspace_id, replace(wanted, email=_usable(case.email)))
        return LinkAnswerV1(link=made.url)

    @routes.post("/link/send", status_code=201)
    @version(2)
    async def send_link(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[SendBody],
        new_id: IdempotentId,
    ) -> LinkAnswer:
        """As `POST /link`, and send the link by e-mail.

        Answers once the message is queued for good; `link.sent` or `email.failed` tells what came of it.
        """
        wanted = replace(_wanted(new_id, body), email=address_of(body.email))
        return _link(await links.send(caller.workspace_id, wanted))

    @routes.post("/link/send", status_code=201)
    @version(1, successor="/link/send")
    async def send_link_for_case(
        caller: Annotated[Principal, Requires("can_run", of="definition")],
        body: JsonBody[OpeningBodyV1],
        new_id: IdempotentId,
    ) -> LinkAnswerV1:
        """As `POST /link`, and send the link to the case's e-mail address."""
        wanted, case = await _for_case(new_id, body, cases, caller.workspace_id)
        with for_case():
            made = await links.send(caller.workspace_id, replace(wanted, email=_address_of(case)))
        return LinkAnswerV1(link=made.url)


def _afterwards(routes: APIRouter, links: Links) -> None:
    @routes.post("/link/{link_id}/resend")
    async def resend_link(
        caller: Annotated[Principal, Requires("can_manage_links")],
        link_id: LinkId,
        body: JsonBody[ResendBody | None] = None,
    ) -> LinkAnswer:
        """Send a link again, to another address if one is named.

        One that nobody has used stays the same. In the place of one that was used, withdrawn or replaced comes a new
        one; whoever opens it goes on where the end user was.
        """
        email = None if body is None or body.email is None else address_of(body.email)
        return _link(await links.resend(caller.workspace_id, link_id, Renewal(email)))

    @routes.delete("/link/{link_id}", status_code=204)
    async def delete_link(caller: Annotated[Principal, Requires("can_manage_links")], link_id: LinkId) -> None:
        """Make a link invalid, and with it the visit that it began. The execution is left as it is."""
        await links.delete(caller.workspace_id, link_id)


def _listing(routes: APIRouter, listing: LinkList, cursors: Cursors, clock: Clock) -> None:
    @routes.get("/link")
    async def list_links(
        caller: Annotated[Principal, Requires("can_manage_links")],
        workflow_id: Annotated[UUID | None, Query(alias="workflowId", description="Only of this execution")] = None,
        workflow_definition_id: Annotated[
            UUID | None, Query(alias="workflowDefinitionId", description="Only of this definition")
        ] = None,
        record_id: Annotated[
            UUID | None, Query(alias="recordId", description="Only those that concern this record")
        ] = None,
        ends_before: Annotated[
            AnyTime | None,
            Query(alias="endsBefore", description="Only those that nobody has begun and that end before this moment"),
        ] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[ListedLinkAnswer]:
        """Links, newest first: where each stands, and what came of sending it.

        With `endsBefore` those that end first come first.
        """
        filters = LinkFilters(workflow_id, workflow_definition_id, record_id, ends_before)
        bound_to = ["links", str(caller.workspace_id), repr(filters)]
        before = cursors.id_of(after, bound_to)
        found = await listing.page(caller.workspace_id, filters, before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.link.id})
        return Page[ListedLinkAnswer](data=[listed_answer(one, clock()) for one in shown], next=following)

    @routes.get("/link/{link_id}")
    async def read_link(
        caller: Annotated[Principal, Requires("can_manage_links")], link_id: LinkId
    ) -> ListedLinkAnswer:
        """Where a link stands, and what came of sending it."""
        return listed_answer(await listing.find(caller.workspace_id, link_id), clock())


def _wanted(new_id: UUID, body: TokenBody) -> LinkRequest:
    return LinkRequest(
        id=new_id,
        definition_id=body.workflow_definition_id,
        parameters=body.parameters,
        parameters_id=body.parameters_id,
        record_id=body.record_id,
        locale=body.lang,
    )


async def _for_case(new_id: UUID, body: OpeningBodyV1, cases: Cases, workspace_id: UUID) -> tuple[LinkRequest, Case]:
    case = await cases.require(workspace_id, body.case_id)
    wanted = LinkRequest(
        id=new_id,
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
        return MailAddress.parse(case.email).mailbox
    except ValueError as error:
        raise CASE_HAS_NO_EMAIL.error(f"the `email` of the case {case.id} {error}: change it", "/caseId") from None


def _usable(email: str | None) -> str | None:
    """A case's address, if it is one: without it there is a link all the same, but no codes."""
    try:
        return None if email is None else MailAddress.parse(email).mailbox
    except ValueError:
        return None


def address_of(given: str) -> str:
    """The address that a body names. Raises EMAIL_INVALID."""
    try:
        return MailAddress.parse(given).mailbox
    except ValueError as error:
        raise EMAIL_INVALID.error(f"`email` {error}; it looks like anna@example.com", "/email") from None


def _link(made: MadeLink) -> LinkAnswer:
    return LinkAnswer(link=made.url, link_id=made.id, workflow_id=made.execution_id, expires_at=made.expires_at)
