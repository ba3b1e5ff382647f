"""Sessions: opened for a browser, proved factor by factor, listed, ended.

The secret that names one is in the browser's cookie alone; we keep its hash. Each time that a session can do more than
before it gets a new secret, so that one which somebody planted is worth nothing.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from passerelle.accounts.credentials import digest
from passerelle.audit.models import Actor
from passerelle.audit.trail import AuditedAction, write_down
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId
from passerelle.kit.secrets import CannotDecryptError, SecretBox
from passerelle.people import repository, session_repository
from passerelle.people.errors import SESSION_NOT_FOUND, over
from passerelle.people.models import Opened, Proved, User, UserSession

SIGNING_IN: Final = timedelta(minutes=30)
"""How long a sign-in may take."""
_LONGEST_AGENT: Final = 300


class Sessions:
    """The feature's service for sessions. `idle`, `lifetime`: after how long one ends unused, and in any case."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        clock: Clock,
        new_id: NewId,
        *,
        idle: timedelta = timedelta(hours=12),
        lifetime: timedelta = timedelta(days=7),
    ) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._new_id = new_id
        self.idle = idle
        self.lifetime = lifetime

    async def open(
        self,
        address: str,
        user_agent: str,
        *,
        user: User | None = None,
        factors: Sequence[str] = (),
        complete: bool = False,
        pending: Any = None,
        proved: Sequence[Proved] = (),
        goes_on: UserSession | None = None,
        instead_of: str | None = None,
    ) -> Opened:
        """A session of nobody yet, of a user who still has to prove more, or, `complete`, of one who has proved enough.

        `pending`: any JSON that the next step of the sign-in needs. `instead_of`: the secret of the one that ends.
        `proved`: whom the password was right for as well. `goes_on`: the session of another organization that this one
        continues: it is neither fresher nor lasts longer.
        """
        now = self._clock()
        if proved:
            pending = {"proved": [one.to_json() for one in proved]}
        until = now + (self.lifetime if complete else SIGNING_IN)
        proved_at = now
        if goes_on is not None and goes_on.authenticated_at is not None:
            proved_at = goes_on.authenticated_at
            until = min(until, goes_on.expires_at)
        session = UserSession(
            self._new_id(),
            None if user is None else user.organization_id,
            None if user is None else user.id,
            tuple(dict.fromkeys(factors)),
            proved_at if complete else None,
            now,
            now,
            until,
            address,
            user_agent[:_LONGEST_AGENT],
            None if pending is None else self._box.encrypt(orjson.dumps(pending)),
        )
        secret = secrets.token_urlsafe(32)
        if user is None:
            async with self._database.shared() as connection:
                await session_repository.insert(connection, session, digest(secret))
        else:
            async with self._database.organization(user.organization_id) as connection:
                await session_repository.insert(connection, session, digest(secret))
                if complete:
                    await repository.change_user(connection, user.id, now, {"last_sign_in_at": now})
                    how = (("factors", ", ".join(session.factors)),)
                    await write_down(connection, user.organization_id, happened("signIn", user, session.id, how), now)
        if instead_of:
            await self.end(instead_of)
        return Opened(session, secret)

    async def find(self, secret: str | None) -> UserSession | None:
        """The session that a secret names, if it lasts, whoever it belongs to and however far the sign-in is."""
        if not secret:
            return None
        async with self._database.shared() as connection:
            found = await session_repository.find(connection, digest(secret))
        if found is None or not self.lasts(found):
            return None
        return found

    def lasts(self, session: UserSession) -> bool:
        """Whether it has neither run out nor been idle for too long."""
        now = self._clock()
        return session.expires_at > now and session.last_seen_at + self.idle > now

    def pending(self, session: UserSession) -> Any:
        """What the sign-in under way waits for; None where nothing."""
        if session.pending is None:
            return None
        try:
            return orjson.loads(self._box.decrypt(session.pending))
        except CannotDecryptError:
            return None

    def proved(self, session: UserSession | None) -> list[Proved]:
        """Whom the password of this session was right for as well, in other organizations."""
        pending = None if session is None else self.pending(session)
        return [Proved.from_json(one) for one in (pending or {}).get("proved", ())]

    def is_recent(self, proved: Proved) -> bool:
        """Whether a session that began then could still last: going to and fro makes nothing last longer."""
        return proved.at + self.lifetime > self._clock()

    async def end(self, secret: str) -> None:
        """End the session that a secret names, if there is one."""
        async with self._database.shared() as connection:
            await session_repository.end(connection, digest(secret))

    async def sign_out(self, secret: str) -> None:
        """The person who has the session ends it."""
        session = await self.find(secret)
        await self.end(secret)
        if session is None or session.organization_id is None or session.authenticated_at is None:
            return
        async with self._database.organization(session.organization_id) as connection:
            user = await repository.user_by_id(connection, session.user_id) if session.user_id is not None else None
        if user is not None:
            await self.signed_out(user, session)

    async def signed_out(self, user: User, session: UserSession) -> None:
        """Write down that a session is over."""
        async with self._database.organization(user.organization_id) as connection:
            what = happened("signOut", user, session.id)
            await write_down(connection, user.organization_id, what, self._clock())

    async def of_user(self, organization_id: UUID, user_id: UUID) -> list[UserSession]:
        """Where a user is signed in, the session that was seen last first."""
        async with self._database.organization(organization_id) as connection:
            found = await session_repository.of_user(connection, user_id, self._clock())
        return [one for one in found if self.lasts(one)]

    async def end_one(self, organization_id: UUID, user_id: UUID, session_id: UUID) -> None:
        """End one of a user's sessions. Raises SESSION_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            if not await session_repository.end_of_user(connection, user_id, session_id):
                raise SESSION_NOT_FOUND.error("you have no session with this id: `GET /me/sessions` lists them")

    async def end_all(self, organization_id: UUID, user_id: UUID, besides: UUID | None = None) -> None:
        """End a user's sessions, `besides` one."""
        async with self._database.organization(organization_id) as connection:
            await session_repository.end_all(connection, user_id, besides)

    async def renew(self, session: UserSession, factor: str) -> Opened:
        """The person proved once more who they are: the session gets a new secret, and counts as fresh.

        Raises SESSION_OVER, also where they have done so at the same moment elsewhere: one secret is right.
        """
        now = self._clock()
        assert session.organization_id is not None
        secret = secrets.token_urlsafe(32)
        renewed = replace(
            session, authenticated_at=now, last_seen_at=now, factors=tuple(dict.fromkeys([*session.factors, factor]))
        )
        async with self._database.organization(session.organization_id) as connection:
            if not await session_repository.renew(connection, renewed, digest(secret), session.authenticated_at):
                raise over()
        return Opened(renewed, secret)


def happened(
    action: str, user: User, session_id: UUID | None = None, within: tuple[tuple[str, str], ...] = ()
) -> AuditedAction:
    """What a user did about signing in."""
    actor = Actor("user", str(user.id), user.name, None if session_id is None else str(session_id))
    return AuditedAction(action, actor, "access", object_kind="user", object_id=str(user.id), within=within)


def network_of(address: str) -> str:
    """What one person can change at will is one: an address of IPv4, or 64 bits of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
