"""Who still uses version 1, and how it is treated, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from passerelle.deprecations.models import Mode, Place
from passerelle.deprecations.schemas import BrownoutAnswer, ModeAnswer, ModeBody, UseAnswer, mode_answer, use_answer
from passerelle.deprecations.service import Deprecations
from passerelle.kit.clock import Clock
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.bodies import read, takes
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.timetable import present_or_next


def router(deprecations: Deprecations, cursors: Cursors, clock: Clock) -> APIRouter:
    """Everything under `/deprecations`."""
    routes = APIRouter(tags=["Deprecations"], route_class=ApiRoute)
    _mode(routes, deprecations, clock)

    @routes.get("/deprecations", response_model=Page[UseAnswer])
    async def list_deprecated_uses(
        request: Request,
        since: Annotated[date | None, Query(description="Only from this day on, such as `2026-01-05`")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """Uses of version 1 by key, endpoint and day, the latest day first. Other processes add theirs every 5 s."""
        caller = await principal(request)
        bound_to = ["deprecations", str(caller.workspace_id), str(since)]
        before = _place(cursors.decode(after, bound_to=bound_to), caller.workspace_id) if after is not None else None
        found = await deprecations.listed(caller.workspace_id, since, before, limit + 1)
        following = None
        if len(found) > limit:
            last = found[limit - 1].place
            following = cursors.encode(
                {"day": str(last.day), "key": last.key_id, "endpoint": last.endpoint, "version": last.version},
                bound_to=bound_to,
            )
        return json_answer(Page(data=[use_answer(one) for one in found[:limit]], next=following))

    return routes


def _mode(routes: APIRouter, deprecations: Deprecations, clock: Clock) -> None:
    async def answer(workspace_id: UUID) -> Response:
        policy = await deprecations.policy(workspace_id)
        span = present_or_next(policy.brownouts, clock()) if policy.mode is Mode.BROWNOUT else None
        brownout = BrownoutAnswer(begins=span[0], ends=span[1]) if span is not None else None
        return json_answer(mode_answer(policy, brownout, deprecations.guide))

    @routes.get("/deprecations/mode", response_model=ModeAnswer)
    async def read_mode(request: Request) -> Response:
        """How version 1 is treated in this workspace."""
        return await answer((await principal(request)).workspace_id)

    @routes.put("/deprecations/mode", response_model=ModeAnswer, openapi_extra=takes(ModeBody))
    async def set_mode(request: Request) -> Response:
        """End version 1 in this workspace, step by step: `warn`, `brownout`, `off`. Within five seconds everywhere.

        It can be stricter than the installation, not looser.
        """
        caller = await principal(request)
        body = await read(request, ModeBody)
        mode = Mode(body.mode) if body.mode is not None else None
        await deprecations.set_mode(caller.workspace_id, mode, body.brownouts, caller.name)
        return await answer(caller.workspace_id)


def _place(position: dict[str, str], workspace_id: UUID) -> Place:
    return Place(
        date.fromisoformat(position["day"]),
        workspace_id,
        UUID(position["key"]),
        position["endpoint"],
        int(position["version"]),
    )
