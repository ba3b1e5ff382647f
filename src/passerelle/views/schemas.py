"""Bodies and answers of the view endpoints."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field as Described

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.views.models import SavedView

_PAGE = r"/[A-Za-z0-9_/-]*"


class ViewBody(Body):
    """A new view."""

    page: str = Described(
        max_length=200,
        pattern=f"^{_PAGE}$",
        description="The page's address below `/app`",
        examples=["/records/customers"],
    )
    name: str = Described(min_length=1, max_length=100)
    """What people call it."""
    search: dict[str, Any] = Described(
        default={}, description="What the page is narrowed to, as its address has it: names and JSON values"
    )
    shared: bool = Described(default=False, description="Whether everybody of the workspace sees it")


class ViewChangeBody(Body):
    """What changes of a view."""

    name: str | None = Described(default=None, min_length=1, max_length=100)
    """Another name."""
    search: dict[str, Any] | None = Described(default=None, description="What the page is narrowed to from now on")
    shared: bool | None = Described(default=None, description="Whether everybody of the workspace sees it")


class ViewAnswer(Answer):
    """A saved view."""

    id: UUID
    """The view's id."""
    page: str
    """The page's address below `/app`."""
    name: str
    """What people call it."""
    search: dict[str, Any]
    """What the page is narrowed to, as its address has it."""
    shared: bool
    """Whether everybody of the workspace sees it."""
    mine: bool
    """Whether the caller made it."""
    owner: str
    """Who made it."""
    version: int
    """Counts its changes, from 1; also its `ETag`."""
    updated_at: Moment
    """When it last changed."""


def view_answer(view: SavedView, caller_id: UUID) -> ViewAnswer:
    """A view as the API shows it."""
    return ViewAnswer(
        id=view.id,
        page=view.page,
        name=view.name,
        search=dict(view.search),
        shared=view.shared,
        mine=view.owner_id == caller_id,
        owner=view.owner_name,
        version=view.version,
        updated_at=view.updated_at,
    )
