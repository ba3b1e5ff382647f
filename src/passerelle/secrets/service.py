"""Writing secrets, and giving their values to the steps that use them: nobody else gets a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from uuid import UUID

from passerelle.engine.kinds import StepFailure
from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.secrets import CannotDecryptError, SecretBox
from passerelle.secrets.errors import SECRET_NAME_INVALID, SECRET_NOT_FOUND, SECRET_UNREADABLE
from passerelle.secrets.repository import SecretEntry, SecretRepository

KEPT_SECONDS: Final = 5.0
"""How long other processes may go on with a value that was changed or deleted."""

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_KEPT_WORKSPACES: Final = 256


class Secrets:
    """The secrets of every workspace. `timer` counts seconds; tests move it by hand."""

    def __init__(
        self,
        repository: SecretRepository,
        box: SecretBox,
        clock: Clock = system_clock,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._repository = repository
        self._box = box
        self._clock = clock
        self._timer = timer
        self._kept: dict[UUID, _Kept] = {}
        self._changes = 0

    async def put(self, workspace_id: UUID, name: str, value: str, by: str) -> None:
        """Write a secret, new or not; steps of this process use the new value at once. Raises SECRET_NAME_INVALID."""
        _require_name(name)
        await self._repository.put(workspace_id, name, self._box.encrypt(value.encode()), self._clock(), by)
        self._forget(workspace_id)

    async def delete(self, workspace_id: UUID, name: str) -> None:
        """Remove a secret; steps that name it fail from now on. Raises SECRET_NAME_INVALID, SECRET_NOT_FOUND."""
        _require_name(name)
        if not await self._repository.delete(workspace_id, name):
            raise SECRET_NOT_FOUND.error(f"this workspace has no secret {name}: GET /secrets lists those that it has")
        self._forget(workspace_id)

    async def page(self, workspace_id: UUID, after: str | None, limit: int) -> list[SecretEntry]:
        """Secrets by name, after the name `after`; never a value."""
        return await self._repository.listed(workspace_id, after or "", limit)

    async def names(self, workspace_id: UUID) -> frozenset[str]:
        """What definitions of this workspace may name."""
        return frozenset(entry.name for entry in await self._repository.listed(workspace_id, "", None))

    async def values(self, workspace_id: UUID) -> Mapping[str, str]:
        """Every value by name, for the engine alone. Raises `StepFailure` where one cannot be decrypted."""
        kept = self._kept.get(workspace_id)
        if kept is not None and self._timer() < kept.until:
            return kept.values
        changes, now = self._changes, self._timer()
        values = self._decrypted(await self._repository.encrypted(workspace_id))
        if changes == self._changes:  # else they may be those from before the change
            self._keep(workspace_id, _Kept(values, now + KEPT_SECONDS))
        return values

    def _decrypted(self, encrypted: Mapping[str, bytes]) -> Mapping[str, str]:
        try:
            return {name: self._box.decrypt(value).decode() for name, value in encrypted.items()}
        except CannotDecryptError as error:
            raise StepFailure(SECRET_UNREADABLE, f"A secret of this workspace cannot be read: {error}.") from None

    def _keep(self, workspace_id: UUID, kept: _Kept) -> None:
        if len(self._kept) >= _KEPT_WORKSPACES:
            self._kept.clear()
        self._kept[workspace_id] = kept

    def _forget(self, workspace_id: UUID) -> None:
        self._changes += 1
        self._kept.pop(workspace_id, None)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Values in memory, until the timer says so."""

    values: Mapping[str, str] = field(repr=False)
    until: float


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SECRET_NAME_INVALID.error(
            "a secret's name has 1 to 64 capital letters, digits and `_`, and begins with a letter, "
            "such as REGISTRY_KEY"
        )
