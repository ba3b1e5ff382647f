"""Writing secrets, and giving their values to the steps that use them: nobody else gets a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from passerelle.engine.kinds import StepFailure
from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.memory import Memory, Remembered
from passerelle.kit.secrets import CannotDecryptError, SecretBox
from passerelle.secrets.errors import SECRET_NAME_INVALID, SECRET_NOT_FOUND, SECRET_UNREADABLE
from passerelle.secrets.repository import SecretEntry, SecretRepository

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_KEPT_WORKSPACES: Final = 256


class Secrets:
    """The secrets of every workspace."""

    def __init__(
        self,
        repository: SecretRepository,
        box: SecretBox,
        clock: Clock = system_clock,
        memory: Memory | None = None,
    ) -> None:
        self._repository = repository
        self._box = box
        self._clock = clock
        self._kept: Remembered[UUID, Mapping[str, str]] = (memory or Memory()).of(
            ("workspace_secret",), lambda workspace_id, _: workspace_id, size=_KEPT_WORKSPACES
        )

    async def put(self, workspace_id: UUID, name: str, value: str, by: str) -> None:
        """Write a secret, new or not; steps of this process use the new value at once. Raises SECRET_NAME_INVALID."""
        _require_name(name)
        await self._repository.put(workspace_id, name, self._box.encrypt(value.encode()), self._clock(), by)
        self._kept.forget(workspace_id)

    async def delete(self, workspace_id: UUID, name: str) -> None:
        """Remove a secret; steps that name it fail from now on. Raises SECRET_NAME_INVALID, SECRET_NOT_FOUND."""
        _require_name(name)
        if not await self._repository.delete(workspace_id, name):
            raise SECRET_NOT_FOUND.error(f"this workspace has no secret {name}: GET /secrets lists those that it has")
        self._kept.forget(workspace_id)

    async def page(self, workspace_id: UUID, after: str | None, limit: int) -> list[SecretEntry]:
        """Secrets by name, after the name `after`; never a value."""
        return await self._repository.listed(workspace_id, after or "", limit)

    async def names(self, workspace_id: UUID) -> frozenset[str]:
        """What definitions of this workspace may name."""
        return frozenset(entry.name for entry in await self._repository.listed(workspace_id, "", None))

    async def values(self, workspace_id: UUID) -> Mapping[str, str]:
        """Every value by name, for the engine alone. Raises `StepFailure` where one cannot be decrypted."""
        return await self._kept.get(workspace_id, lambda: self._decrypted(workspace_id))

    def seal(self, plain: str) -> str:
        """Encrypted, for what an execution keeps of a credential that it was given."""
        return self._box.encrypt(plain.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """What `seal` was given. Raises `StepFailure` where no key opens it."""
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except CannotDecryptError as error:
            message = f"A header that a step before was answered with cannot be read: {error}."
            raise StepFailure(SECRET_UNREADABLE, message) from None

    async def _decrypted(self, workspace_id: UUID) -> Mapping[str, str]:
        encrypted = await self._repository.encrypted(workspace_id)
        try:
            return {name: self._box.decrypt(value).decode() for name, value in encrypted.items()}
        except CannotDecryptError as error:
            raise StepFailure(SECRET_UNREADABLE, f"A secret of this workspace cannot be read: {error}.") from None


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SECRET_NAME_INVALID.error(
            "a secret's name has 1 to 64 capital letters, digits and `_`, and begins with a letter, "
            "such as REGISTRY_KEY"
        )
