"""Views of every workspace: one's own, and those that are shared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.http.authentication import Principal
from passerelle.kit.json import JsonObject, dumps
from passerelle.views.errors import (
    VIEW_NOT_FOUND,
    VIEW_NOT_YOURS,
    VIEW_TOO_LARGE,
    VIEW_VERSION_CONFLICT,
    VIEWS_TOO_MANY,
)
from passerelle.views.models import SavedView
from passerelle.views.repository import ViewRepository
from passerelle.views.schemas import ViewBody, ViewChangeBody

MOST_VIEWS: Final = 100
"""Shared views of a page; and of one person, own views of a page."""
LARGEST: Final = 20_000
"""Characters of JSON that a view may hold."""
KEEPER: Final = "can_manage_tables"
"""Who may change shared views that others made."""


class Views:
    """The feature's service."""

    def __init__(self, repository: ViewRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    async def listed(self, caller: Principal, page: str) -> list[SavedView]:
        """The caller's own views of a page and those that are shared, by name."""
        return await self._repository.listed(caller.workspace_id, page, caller.id)

    async def read(self, caller: Principal, view_id: UUID) -> SavedView:
        """A view that the caller may see. Raises VIEW_NOT_FOUND."""
        found = await self._repository.find(caller.workspace_id, view_id, caller.id)
        if found is None:
            raise VIEW_NOT_FOUND.error(f"there is no view {view_id}, or it is another person's own")
        return found

    async def create(self, caller: Principal, view_id: UUID, body: ViewBody) -> SavedView:
        """Keep a new view; the same id again answers with what was made. Raises VIEWS_TOO_MANY, VIEW_TOO_LARGE."""
        now = self._clock()
        view = SavedView(
            view_id, body.page, body.name.strip(), _bounded(body.search), body.shared,
            caller.id, caller.name, 1, now, now,
        )  # fmt: skip
        if not await self._repository.insert(caller.workspace_id, view, MOST_VIEWS):
            kind = "shared views" if body.shared else "views of your own"
            raise VIEWS_TOO_MANY.error(f"the page {body.page} has {MOST_VIEWS} {kind} already: delete some")
        return await self.read(caller, view_id)

    async def change(
        self, caller: Principal, view_id: UUID, body: ViewChangeBody, expected: Collection[int] | None
    ) -> SavedView:
        """Change a view. Raises VIEW_NOT_FOUND, VIEW_NOT_YOURS, VIEW_VERSION_CONFLICT, VIEW_TOO_LARGE."""
        old = await self._own(caller, view_id)
        if expected is not None and old.version not in expected:
            raise _conflict(old)
        if body.shared is not None and not body.shared and old.owner_id != caller.id:
            raise VIEW_NOT_YOURS.error(
                f"`{old.name}` was made by {old.owner_name}: only they can make it their own again"
            )
        new = replace(
            old,
            name=old.name if body.name is None else body.name.strip(),
            search=old.search if body.search is None else _bounded(body.search),
            shared=old.shared if body.shared is None else body.shared,
            updated_at=self._clock(),
        )
        if not await self._repository.update(caller.workspace_id, new):
            raise _conflict(old)
        return await self.read(caller, view_id)

    async def delete(self, caller: Principal, view_id: UUID) -> None:
        """Let a view go. Raises VIEW_NOT_FOUND, VIEW_NOT_YOURS."""
        await self._own(caller, view_id)
        await self._repository.delete(caller.workspace_id, view_id)

    async def _own(self, caller: Principal, view_id: UUID) -> SavedView:
        """A view that the caller may change."""
        found = await self.read(caller, view_id)
        if found.owner_id != caller.id and not caller.may(KEEPER):
            raise VIEW_NOT_YOURS.error(
                f"`{found.name}` was made by {found.owner_name}: they change it, or whoever has `{KEEPER}`"
            )
        return found


def _bounded(search: JsonObject) -> JsonObject:
    if len(dumps(search)) > LARGEST:
        raise VIEW_TOO_LARGE.error(f"`search` is longer than {LARGEST:,} characters of JSON", "/search")
    return search


def _conflict(view: SavedView) -> Exception:
    return VIEW_VERSION_CONFLICT.error(
        f"the view is at another version than {view.version} by now: read it again and repeat the change on it"
    )
