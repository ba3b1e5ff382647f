"""Drafts of every workspace: one's own, and those that are shared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from passerelle.definitions.revisions.service import Revisions
from passerelle.drafts.errors import (
    DRAFT_NOT_FOUND,
    DRAFT_NOT_YOURS,
    DRAFT_VERSION_CONFLICT,
    DRAFT_VERSION_MISSING,
    DRAFTS_NOT_KEPT,
    DRAFTS_TOO_MANY,
)
from passerelle.drafts.models import DefinitionDraft, DraftPresence
from passerelle.drafts.repository import DraftRepository
from passerelle.drafts.schemas import DraftBody, DraftChangeBody
from passerelle.events.models import Event
from passerelle.kit.clock import Clock
from passerelle.kit.grants import is_within
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.kit.json import JsonObject

MOST_DRAFTS: Final = 200
"""Drafts of one person, or of one key."""
PRESENT: Final = timedelta(seconds=30)
"""Whoever said so within this time has a draft open."""


class Drafts:
    """The feature's service."""

    def __init__(self, repository: DraftRepository, revisions: Revisions, clock: Clock, new_id: NewId) -> None:
        self._repository = repository
        self._revisions = revisions
        self._clock = clock
        self._new_id = new_id

    async def listed(self, caller: Principal, definition_id: UUID | None) -> list[DefinitionDraft]:
        """The caller's own drafts and those that are shared, the last changed first, without their texts."""
        found = await self._repository.listed(caller.workspace_id, caller.id, definition_id)
        return [one for one in found if _within(one)]

    async def read(self, caller: Principal, draft_id: UUID) -> DefinitionDraft:
        """A draft that the caller may see. Raises DRAFT_NOT_FOUND."""
        found = await self._repository.find(caller.workspace_id, draft_id, caller.id)
        if found is None or not _within(found):
            raise _not_found(draft_id)
        return found

    async def create(self, caller: Principal, draft_id: UUID, body: DraftBody) -> DefinitionDraft:
        """Keep a new draft; the same id again answers with what was made.

        Raises DRAFTS_NOT_KEPT, DRAFTS_TOO_MANY, WORKFLOW_DEFINITION_NOT_FOUND, REVISION_NOT_FOUND.
        """
        await self._require_kept(caller.workspace_id)
        await self._require_there(caller.workspace_id, body.definition_id, body.base_revision)
        now = self._clock()
        draft = DefinitionDraft(
            draft_id, body.name.strip(), body.text, body.scenarios, body.scenarios_version, body.definition_id,
            body.base_revision, None, body.shared, caller.id, caller.name, 1, caller.name, now, now,
        )  # fmt: skip
        if not await self._repository.insert(caller.workspace_id, draft, MOST_DRAFTS):
            raise DRAFTS_TOO_MANY.error(f"you have {MOST_DRAFTS} drafts already: delete some")
        return await self.read(caller, draft_id)

    async def change(
        self, caller: Principal, draft_id: UUID, body: DraftChangeBody, expected: Collection[int] | None
    ) -> DefinitionDraft:
        """Save a draft: one's own, or a shared one. Its text only on the version that `expected` names.

        Raises DRAFTS_NOT_KEPT, DRAFT_NOT_FOUND, DRAFT_NOT_YOURS, DRAFT_VERSION_CONFLICT, DRAFT_VERSION_MISSING.
        """
        await self._require_kept(caller.workspace_id)
        old = await self.read(caller, draft_id)
        if expected is None and (body.text is not None or body.scenarios is not None):
            raise DRAFT_VERSION_MISSING.error(f'name the version that you read: `If-Match: "{old.version}"`')
        if expected is not None and old.version not in expected:
            raise _conflict(old)
        if body.shared is not None and body.shared != old.shared:
            _require_own(caller, old)
        if body.definition_id is not None or body.base_revision is not None:
            definition_id = body.definition_id or old.definition_id
            await self._require_there(caller.workspace_id, definition_id, body.base_revision)
        new = replace(
            old,
            name=old.name if body.name is None else body.name.strip(),
            text=old.text if body.text is None else body.text,
            scenarios=old.scenarios if body.scenarios is None else body.scenarios,
            shared=old.shared if body.shared is None else body.shared,
            definition_id=body.definition_id or old.definition_id,
            base_revision=body.base_revision or old.base_revision,
            updated_by=caller.name,
            updated_at=self._clock(),
        )
        saved = self._event("saved", caller, old, old.version + 1)
        if not await self._repository.update(caller.workspace_id, new, saved, PRESENT):
            raise _conflict(old)
        return await self.read(caller, draft_id)

    async def delete(self, caller: Principal, draft_id: UUID) -> None:
        """Let a draft go. Raises DRAFT_NOT_FOUND, DRAFT_NOT_YOURS."""
        _require_own(caller, await self.read(caller, draft_id))
        await self._repository.delete(caller.workspace_id, draft_id)

    async def meet(self, caller: Principal, draft_id: UUID) -> DraftPresence:
        """Say that the caller has the draft open; who else has. Raises DRAFT_NOT_FOUND."""
        draft = await self.read(caller, draft_id)
        opened = self._event("opened", caller, draft, draft.version)
        met = await self._repository.meet(draft, caller.name, opened, PRESENT)
        if met is None:
            raise _not_found(draft_id)
        return met

    async def leave(self, caller: Principal, draft_id: UUID) -> None:
        """Say that the caller has closed the draft. Raises DRAFT_NOT_FOUND."""
        draft = await self.read(caller, draft_id)
        await self._repository.leave(draft, self._event("closed", caller, draft, draft.version))

    async def behind(self, caller: Principal, definition_id: UUID, revision: int) -> list[str]:
        """A sentence for each draft that the caller may see and that rests on an older revision than this one."""
        found = await self._repository.behind(caller.workspace_id, caller.id, definition_id, revision)
        return [_behind(one, caller) for one in found]

    async def files_only(self, workspace_id: UUID) -> bool:
        """Whether the workspace's definitions come from files only."""
        return await self._repository.files_only(workspace_id)

    async def say_files_only(self, workspace_id: UUID, files_only: bool) -> None:
        """Say it. Drafts that are there stay, and can be read and deleted."""
        await self._repository.say_files_only(workspace_id, files_only, self._clock())

    def _event(self, what: str, by: Principal, draft: DefinitionDraft, version: int) -> Event:
        data: JsonObject = {"draftId": str(draft.id), "version": version, "byId": str(by.id)}
        return Event(by.workspace_id, self._new_id(), f"draft.{what}", data, self._clock())

    async def _require_kept(self, workspace_id: UUID) -> None:
        if await self.files_only(workspace_id):
            raise DRAFTS_NOT_KEPT.error(
                "in this workspace definitions come from files only: change the file, and push it"
            )

    async def _require_there(self, workspace_id: UUID, definition_id: UUID | None, revision: int | None) -> None:
        if definition_id is None:
            return
        if revision is None:
            await self._revisions.shown(workspace_id, definition_id)
        else:
            await self._revisions.numbered(workspace_id, definition_id, revision)


def _within(draft: DefinitionDraft) -> bool:
    """Whether whoever asks may know of the definition that it changes."""
    return draft.definition_id is None or is_within("definition", draft.definition_id)


def _behind(draft: DefinitionDraft, caller: Principal) -> str:
    if draft.owner_id == caller.id:
        return f"your draft `{draft.name}` rests on revision {draft.base_revision}: take this one into it"
    return (
        f"the draft `{draft.name}` of {draft.owner_name} rests on revision {draft.base_revision}: tell them of this one"
    )


def _require_own(caller: Principal, draft: DefinitionDraft) -> None:
    if draft.owner_id != caller.id:
        raise DRAFT_NOT_YOURS.error(f"`{draft.name}` was made by {draft.owner_name}: only they share or delete it")


def _conflict(draft: DefinitionDraft) -> Exception:
    return DRAFT_VERSION_CONFLICT.error(
        f"{draft.updated_by} saved version {draft.version} meanwhile: read it again, and put both together"
    )


def _not_found(draft_id: UUID) -> Exception:
    return DRAFT_NOT_FOUND.error(f"there is no draft {draft_id}, or it is another person's own")
