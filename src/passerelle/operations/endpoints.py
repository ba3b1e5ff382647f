"""`/operations`: how the workspace stands, and the installation for whoever runs it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from passerelle.kit.errors import Code
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.permissions import Requires
from passerelle.kit.mail.addresses import MailAddress
from passerelle.operations.parts import OperationsParts
from passerelle.operations.schemas import (
    MailTestAnswer,
    MailTestBody,
    OperationsAnswer,
    mail_test_answer,
    operations_answer,
)

MAIL_RECEIVER_INVALID = Code(
    "MAIL_RECEIVER_INVALID", 400, "A test e-mail needs an e-mail address; a key has none of its own."
)


def router(parts: OperationsParts) -> APIRouter:
    """Everything of this feature."""
    routes = APIRouter(tags=["Operations"], route_class=ApiRoute)

    @routes.get("/operations")
    async def read_operations(caller: Annotated[Principal, Requires("can_view_operations")]) -> OperationsAnswer:
        """How the workspace stands: executions, webhooks, e-mails.

        Whoever belongs to the organization that runs the installation sees that as well, all workspaces together:
        processes, queue, database, storage, mail server.
        """
        overview, workspace_id = parts.overview, caller.workspace_id
        standing = await overview.now() if await overview.is_operator(workspace_id) else None
        work, workers = await overview.of(workspace_id), await overview.workers()
        return operations_answer(work, workers, parts.mail.state, parts.mail_watch.refusal, standing)

    @routes.post("/operations/mail-test")
    async def test_mail(
        caller: Annotated[Principal, Requires("can_view_operations")], body: JsonBody[MailTestBody]
    ) -> MailTestAnswer:
        """Send a test e-mail now, and say what the mail server answered. A refusal is an answer, too (200)."""
        tried = await parts.mail.send(_receiver(caller, body.to), caller)
        return mail_test_answer(tried, by_operator=await parts.overview.is_operator(caller.workspace_id))

    return routes


def _receiver(caller: Principal, to: str | None) -> MailAddress:
    text = to or caller.email or ""
    try:
        return MailAddress.parse(text)
    except ValueError as error:
        message = f"this {error}" if text else "say in `to` whom the e-mail is for"
        raise MAIL_RECEIVER_INVALID.error(message, "/to") from None
