"""`GET /quotas`: what a workspace may have and do, and what of it is used."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.permissions import Requires
from passerelle.quotas.models import MEANINGS
from passerelle.quotas.service import WorkspaceQuotas


class QuotaAnswer(Answer):
    """One quota."""

    used: int = Field(description="How much of it is used now.")
    most: int | None = Field(description="How much there may be; null: as much as one likes.")


class QuotasAnswer(Answer):
    """Every quota of the workspace."""

    executions: QuotaAnswer = Field(description=f"{MEANINGS['executions']}.")
    records: QuotaAnswer = Field(description=f"{MEANINGS['records']}.")
    storage: QuotaAnswer = Field(description=f"{MEANINGS['storage']}.")
    requests: QuotaAnswer = Field(description=f"{MEANINGS['requests']}, and how many there were in this one.")


def router(quotas: WorkspaceQuotas) -> APIRouter:
    """The one address."""
    routes = APIRouter(tags=["Operations"], route_class=ApiRoute)

    @routes.get("/quotas")
    async def read_quotas(caller: Annotated[Principal, Requires("can_view_workspace")]) -> QuotasAnswer:
        """What the workspace may have and do, and what of it is used."""
        standing = await quotas.standing(caller.workspace_id)
        return QuotasAnswer(
            **{str(quota): QuotaAnswer(used=used, most=most) for quota, (used, most) in standing.items()}
        )

    return routes
