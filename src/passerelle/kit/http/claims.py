"""The rows behind `Idempotency-Key`: who may answer a request, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.database import Database, DatabaseRow
from passerelle.kit.ids import NewId, new_id
from passerelle.kit.secrets import SecretBox

KEPT_FOR: Final = timedelta(hours=24)
LOCKED_FOR: Final = timedelta(seconds=30)
"""How long a request holds its key. After that its process counts as dead, and the next one may try again.

Should it live after all, both have the same id for what they create, and the answer that comes first is kept.
"""

_BATCH: Final = 5_000

# One statement takes a key that is free: new, older than a day, or left by a process that died or was told to
# let go, for the same request. The id for what is created stays the same then.
_CLAIM: Final = """
INSERT INTO idempotency_key AS held (workspace_id, key, request_hash, resource_id, created_at, locked_until)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace_id, key) DO UPDATE SET
    request_hash = excluded.request_hash,
    resource_id = CASE WHEN held.created_at < $7 THEN excluded.resource_id ELSE held.resource_id END,
    created_at = CASE WHEN held.created_at < $7 THEN excluded.created_at ELSE held.created_at END,
    locked_until = excluded.locked_until,
    status = NULL, headers = NULL, body = NULL
WHERE held.created_at < $7
   OR held.status IS NULL AND held.locked_until <= $5 AND held.request_hash = excluded.request_hash
RETURNING resource_id
"""
_READ: Final = "SELECT * FROM idempotency_key WHERE workspace_id = $1 AND key = $2"
_STORE: Final = """
UPDATE idempotency_key SET status = $3, headers = $4, body = $5
WHERE workspace_id = $1 AND key = $2 AND status IS NULL
"""
_RELEASE: Final = """
UPDATE idempotency_key SET locked_until = $3
WHERE workspace_id = $1 AND key = $2 AND status IS NULL AND locked_until = $4
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """This request may be answered, and holds its key meanwhile."""

    workspace_id: UUID
    key: str
    resource_id: UUID
    """The id for what the request creates."""
    locked_until: datetime


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer to an earlier request with the same key."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """Another request holds the key."""

    same_request: bool
    seconds_left: float


class Claims:
    """Claims, answers and releases keys. Answers are encrypted: they may hold secrets."""

    def __init__(self, database: Database, box: SecretBox, clock: Clock, new_id: NewId = new_id) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._new_id = new_id

    async def claim(self, workspace_id: UUID, key: str, request_hash: bytes) -> Claim | StoredAnswer | Held:
        """Take a key, or find out why not."""
        while True:
            now = self._clock()
            until = now + LOCKED_FOR
            async with self._database.workspace(workspace_id) as connection:
                resource_id = await connection.fetchval(
                    _CLAIM, workspace_id, key, request_hash, self._new_id(), now, until, now - KEPT_FOR
                )
                if resource_id is not None:
                    return Claim(workspace_id, key, resource_id, until)
                row = await connection.fetchrow(_READ, workspace_id, key)
            if row is not None:
                return self._held(row, request_hash, now)
            # It was deleted between the two statements: now it is free.

    async def store(self, claim: Claim, answer: StoredAnswer) -> None:
        """Keep the answer for whoever sends the request again. The first answer stays."""
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in answer.headers]
        async with self._database.workspace(claim.workspace_id) as connection:
            await connection.execute(
                _STORE,
                claim.workspace_id,
                claim.key,
                answer.status,
                headers,
                self._box.encrypt(answer.body),
            )

    async def release(self, claim: Claim) -> None:
        """Let the request be tried again at once, with the same id for what it creates."""
        async with self._database.workspace(claim.workspace_id) as connection:
            await connection.execute(_RELEASE, claim.workspace_id, claim.key, self._clock(), claim.locked_until)

    def _held(self, row: DatabaseRow, request_hash: bytes, now: datetime) -> StoredAnswer | Held:
        same_request = row["request_hash"] == request_hash
        if row["status"] is None or not same_request:
            return Held(same_request, (row["locked_until"] - now).total_seconds())
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in row["headers"]]
        return StoredAnswer(row["status"], headers, self._box.decrypt(row["body"]))


async def forget_old(database: Database, clock: Clock = system_clock) -> int:
    """Delete the keys that are older than a day, of every workspace. Returns how many."""
    total = 0
    before = clock() - KEPT_FOR
    async with database.shared() as connection:
        while gone := await connection.fetchval("SELECT forget_idempotency_keys($1, $2)", before, _BATCH):
            total += gone
    return total
