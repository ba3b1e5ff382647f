"""`/retention`: how long a workspace keeps what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.permissions import Requires
from passerelle.retention.schemas import (
    RetentionAnswer,
    RetentionBody,
    RetentionPreviewAnswer,
    kept_answer,
    would_go_answer,
)
from passerelle.retention.service import Retention

Manages = Annotated[Principal, Requires("can_manage_retention")]


def router(retention: Retention) -> APIRouter:
    """Everything of this feature."""
    routes = APIRouter(tags=["Retention"], route_class=ApiRoute)

    @routes.get("/retention")
    async def read_retention(caller: Annotated[Principal, Requires("can_view_workspace")]) -> RetentionAnswer:
        """How long each kind of data is kept, and what decides it."""
        return RetentionAnswer(data=[kept_answer(one) for one in await retention.kept(caller.workspace_id)])

    @routes.put("/retention")
    async def change_retention(caller: Manages, body: JsonBody[RetentionBody]) -> RetentionAnswer:
        """Say how long the workspace keeps what. What is over is removed by the hour, a little at a time, and for good.

        To keep something for a shorter time takes a person who has just proved who they are (`STEP_UP_REQUIRED`).
        What runs, waits, can be retried, or is under a legal hold is never removed.
        """
        found = await retention.change(caller.workspace_id, body.wanted(), caller)
        return RetentionAnswer(data=[kept_answer(one) for one in found])

    @routes.post("/retention/preview")
    @unaudited("it changes nothing")
    async def preview_retention(caller: Manages, body: JsonBody[RetentionBody]) -> RetentionPreviewAnswer:
        """What would be removed next if the workspace said this; nothing is changed."""
        found = await retention.preview(caller.workspace_id, body.wanted())
        return RetentionPreviewAnswer(data=[would_go_answer(one) for one in found])

    return routes
