"""Who still uses version 1, and how it is treated, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from passerelle.kit.clock import Clock
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.bounds import Day
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires
from passerelle.kit.timetable import present_or_next
from passerelle.v1.deprecations.models import Mode, UseKey
from passerelle.v1.deprecations.schemas import BrownoutAnswer, ModeAnswer, ModeBody, UseAnswer, mode_answer, use_answer
from passerelle.v1.deprecations.service import Deprecations


def router(deprecations: Deprecations, cursors: Cursors, clock: Clock) -> APIRouter:
    """Everything under `/deprecations`."""
    routes = APIRouter(tags=["Deprecations"], route_class=ApiRoute)
    _mode(routes, deprecations, clock)

    @routes.get("/deprecations")
    async def list_deprecated_uses(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        since: Annotated[Day | None, Query(description="Only from this day on, such as `2026-01-05`")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Page[UseAnswer]:
        """Uses of version 1 by key, endpoint and day, the latest day first. Other processes add theirs every 5 s."""
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
        return Page[UseAnswer](data=[use_answer(one) for one in found[:limit]], next=following)

    return routes


def _mode(routes: APIRouter, deprecations: Deprecations, clock: Clock) -> None:
    async def answer(workspace_id: UUID) -> ModeAnswer:
        policy = await deprecations.policy(workspace_id)
        span = present_or_next(policy.brownouts, clock()) if policy.mode is Mode.BROWNOUT else None
        brownout = BrownoutAnswer(begins=span[0], ends=span[1]) if span is not None else None
        return mode_answer(policy, brownout, deprecations.guide)

    @routes.get("/deprecations/mode")
    async def read_mode(caller: Annotated[Principal, Requires("can_view_workspace")]) -> ModeAnswer:
        """How version 1 is treated in this workspace."""
        return await answer(caller.workspace_id)

    @routes.put("/deprecations/mode")
    async def set_mode(
        caller: Annotated[Principal, Requires("can_manage_keys")], body: JsonBody[ModeBody]
    ) -> ModeAnswer:
        """End version 1 in this workspace, step by step: `warn`, `brownout`, `off`. Within five seconds everywhere.

        It can be stricter than the installation, not looser.
        """
        mode = Mode(body.mode) if body.mode is not None else None
        await deprecations.set_mode(caller.workspace_id, mode, body.brownouts, caller.name)
        return await answer(caller.workspace_id)


def _place(position: dict[str, str], workspace_id: UUID) -> UseKey:
    return UseKey(
        date.fromisoformat(position["day"]),
        workspace_id,
        UUID(position["key"]),
        position["endpoint"],
        int(position["version"]),
    )
