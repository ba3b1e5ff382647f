"""What end users have agreed to, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from passerelle.end_user.session.consent_copies import AgreedCopy, AgreedTexts
from passerelle.end_user.session.evidence import Consent
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.permissions import Requires, require
from passerelle.resources.uploads import keepable


class ProvedAnswer(Answer):
    """Who it was, as far as it was proved."""

    proof: Literal["link", "code", "token"] | None
    """The browser had a link, a one-time code that was sent to the address, or a token of the widget."""
    link_id: UUID | None
    """The link."""
    email: str | None
    """The address that the link was made for; masked without `personal`."""
    record_id: UUID | None
    """The record that the execution concerns: the subject of a token."""


class ConsentAnswer(Answer):
    """What somebody read and decided."""

    step: str
    """The step that asked."""
    visit: int
    """Which time the step asked."""
    at: Moment
    """When it was sent."""
    accepted: bool
    """Whether the box was ticked."""
    version: str
    """The text's version."""
    language: str | None
    """The language that the page was in."""
    title: str | None
    """The page's heading, as it was read; null where the statement is gone."""
    text: str | None
    """The exact text with its values, as it was read; personal ones are masked without `personal`."""
    label: str | None
    """What stood beside the box."""
    address: str | None
    """From which address; masked without `personal`."""
    user_agent: str | None
    """What the browser says of itself; masked without `personal`."""
    by: ProvedAnswer | None
    """Who it was; null where the statement is gone."""
    hash: str
    """The SHA-256 of the statement, which the audit has as well (`giveConsent`)."""
    statement: str | None
    """With `personal`: the text that was hashed, byte for byte."""


class ConsentsAnswer(Answer):
    """Every consent of an execution."""

    data: list[ConsentAnswer]
    """The oldest first."""


def pdf_download(copy: AgreedCopy) -> Response:
    """A copy as a download."""
    name = f"attachment; filename*=UTF-8''{quote(keepable(f'{copy.title}.pdf'))}"
    headers = {"Content-Disposition": name, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(copy.pdf, headers=headers, media_type="application/pdf")


def router(sessions: EndUserSessions, agreed: AgreedTexts) -> APIRouter:
    """`GET /workflows/{workflow_id}/consents`, and each as a file."""
    routes = APIRouter(tags=["Workflows"], route_class=ApiRoute)

    @routes.get("/workflows/{workflow_id}/consents")
    async def list_consents(
        caller: Annotated[Principal, Requires("can_view_executions", of="definition")],
        workflow_id: Annotated[UUID, Path(description="The execution's id")],
        personal: Annotated[
            bool, Query(description="Show personal data as it is; requires `can_read_personal_data` as well")
        ] = False,
    ) -> ConsentsAnswer:
        """What an execution's end user has agreed to: what was read, when, from where, and who it was."""
        if personal:
            require(caller, "can_read_personal_data")
        found = await sessions.evidence.read(caller.workspace_id, workflow_id, personal=personal)
        return ConsentsAnswer(data=[_answer(one) for one in found])

    @routes.get(
        "/workflows/{workflow_id}/consents/{step}/copy",
        response_class=Response,
        responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
    )
    async def copy_consent(
        caller: Annotated[Principal, Requires("can_read_personal_data")],
        workflow_id: Annotated[UUID, Path(description="The execution's id")],
        step: Annotated[str, Path(description="The step that asked", max_length=200)],
        visit: Annotated[int, Query(description="Which time the step asked", ge=1, le=1_000_000)] = 1,
    ) -> Response:
        """What the end user has agreed to at a step, as a PDF for them to keep: the exact text, when, and its hash.

        Requires `can_view_executions` as well.
        """
        require(caller, "can_view_executions", of="definition")
        return pdf_download(await agreed.copy(caller.workspace_id, workflow_id, step, visit))

    return routes


def _answer(consent: Consent) -> ConsentAnswer:
    facts = consent.facts
    return ConsentAnswer.model_validate(
        {
            **{name: facts.get(name) for name in ("title", "text", "label", "address", "userAgent", "by")},
            "step": consent.step,
            "visit": consent.visit,
            "at": consent.at,
            "accepted": consent.accepted,
            "version": consent.version,
            "language": consent.language,
            "hash": consent.hash,
            "statement": consent.statement,
        }
    )
