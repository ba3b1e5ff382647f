"""Signing in: a session is opened, and collects factors until they are enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from passerelle.accounts.errors import unauthorized
from passerelle.audit.models import Actor
from passerelle.audit.trail import AuditedAction, AuditTrail, present_origin
from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.rates import Limit
from passerelle.people import repository
from passerelle.people.attempts import PER_NETWORK, PER_PERSON, AttemptCounter
from passerelle.people.errors import ORGANIZATION_NOT_FOUND, SIGN_IN_FAILED, SINGLE_SIGN_ON_FAILED
from passerelle.people.models import Opened, Proved, User, UserSession
from passerelle.people.passwords import Passwords
from passerelle.people.sessions import Sessions, happened, network_of
from passerelle.people.values import email_key


@dataclass(frozen=True, slots=True)
class Browser:
    """Who asks: an address, what the browser says of itself, and the secret of the session it has, if any."""

    address: str
    user_agent: str
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class SignInStep:
    """What came of a step: the session, and what it still needs."""

    opened: Opened
    needs: Literal["nothing", "code", "organization"]


class SigningIn:
    """What the pages of sign-in and `POST /me/authenticate` call."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        passwords: Passwords,
        attempts: AttemptCounter,
        trail: AuditTrail | None = None,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._attempts = attempts
        self._trail = trail

    async def with_password(self, browser: Browser, email: str, password: str) -> SignInStep:
        """Sign in. Raises SIGN_IN_FAILED, the same for nobody, a wrong password and who is deactivated; or
        TOO_MANY_ATTEMPTS."""
        counters = _counters(email_key(email), browser.address)
        await self._attempts.count(*counters)
        async with self._database.shared() as connection:
            found = await repository.find_users(connection, email)
        users = await self._matching(found, password)
        if not users:
            await self.refused(found[0][0] if found else None, "password")
            raise failed()
        await self._attempts.forgive(*counters)
        if len(users) == 1:
            return await self.proved(browser, users[0], "password")
        pending = {"users": [[str(user.organization_id), str(user.id)] for user in users]}
        opened = await self._sessions.open(
            browser.address, browser.user_agent, pending=pending, instead_of=browser.secret
        )
        return SignInStep(opened, "organization")

    async def choices(self, session: UserSession | None) -> list[tuple[User, str]]:
        """Whom the password was right for, each with the name of the organization: one address may be in several."""
        pending = None if session is None else self._sessions.pending(session)
        found = []
        for organization_id, user_id in (pending or {}).get("users", ()):
            async with self._database.organization(UUID(organization_id)) as connection:
                user = await repository.user_by_id(connection, UUID(user_id))
                organization = await repository.organization(connection)
            if user is not None and user.state == "active" and organization is not None:
                found.append((user, organization.name))
        return found

    async def chosen(self, browser: Browser, user: User) -> SignInStep:
        """Of those whom the password was right for, this one is meant; the others can be switched to."""
        session = await self._sessions.find(browser.secret)
        others = [one for one, _ in await self.choices(session) if one.id != user.id]
        assert session is not None, "there is a session that has the choices"
        kept = [Proved(one.organization_id, one.id, session.created_at) for one in others]
        return await self.proved(browser, user, "password", kept)

    async def others(self, session: UserSession | None) -> list[tuple[Proved, User, str]]:
        """The users of other organizations whom a session can be switched to, each with the organization's name.

        They are those whom the password was right for: an address alone proves nothing to another organization. No
        longer where their sessions were ended since, as by a new password, or they were deactivated.
        """
        found = []
        for one in self._sessions.proved(session):
            if not self._sessions.is_recent(one):
                continue
            async with self._database.organization(one.organization_id) as connection:
                user = await repository.user_by_id(connection, one.user_id)
                organization = await repository.organization(connection)
            if user is None or user.state != "active" or organization is None:
                continue
            if user.sessions_ended_at is None or user.sessions_ended_at < one.at:
                found.append((one, user, organization.name))
        return found

    async def switch(self, browser: Browser, session: UserSession, by: User, organization_id: UUID) -> SignInStep:
        """Go on in another organization: another session, with its own rights, takes the place of this one.

        It is as fresh as this one was, lasts no longer, and waits for the second factor where the user there has one.
        Raises ORGANIZATION_NOT_FOUND.
        """
        others = await self.others(session)
        meant = next(((one, user) for one, user, _ in others if user.organization_id == organization_id), None)
        if meant is None:
            raise ORGANIZATION_NOT_FOUND.error(
                "you have not proved who you are in an organization with this id: sign in there at `/sign-in`"
            )
        proved, user = meant
        left = Proved(by.organization_id, by.id, session.authenticated_at or proved.at)
        kept = [left, *(one for one, other, _ in others if other.id != user.id)]
        step = await self.proved(browser, user, "password", kept, goes_on=session)
        await self._sessions.signed_out(by, session)
        return step

    async def proved(
        self,
        browser: Browser,
        user: User,
        factor: str,
        others: Sequence[Proved] = (),
        goes_on: UserSession | None = None,
    ) -> SignInStep:
        """A first factor is right: a session that is complete, or one that waits for the second."""
        # A provider asks for the factors that its organization wants.
        enough = factor in ("passkey", "oidc") or not user.has_totp
        opened = await self._sessions.open(
            browser.address,
            browser.user_agent,
            user=user,
            factors=[factor],
            complete=enough,
            proved=others,
            goes_on=goes_on,
            instead_of=browser.secret,
        )
        return SignInStep(opened, "nothing" if enough else "code")

    async def completed(self, browser: Browser, session: UserSession, user: User, factor: str) -> Opened:
        """The second factor is right."""
        return await self._sessions.open(
            browser.address,
            browser.user_agent,
            user=user,
            factors=[*session.factors, factor],
            complete=True,
            proved=self._sessions.proved(session),
            instead_of=browser.secret,
        )

    async def again(self, user: User, address: str, password: str) -> None:
        """The person who is signed in proves once more who they are. Raises SIGN_IN_FAILED or TOO_MANY_ATTEMPTS."""
        counters = _counters(email_key(user.email), address)
        await self._attempts.count(*counters)
        async with self._database.organization(user.organization_id) as connection:
            kept = await repository.password_hash_of(connection, user.id)
        if not await self._passwords.matches(kept, password):
            await self.refused(user, "password")
            raise failed()
        await self._attempts.forgive(*counters)

    async def refused(self, user: User | None, factor: str) -> None:
        """Write down that a proof was wrong, if it was a user's: nothing here takes longer for one."""
        if user is None or self._trail is None:
            return
        what = happened("signIn", user, within=(("factors", factor),))
        what = replace(what, outcome="refused", code=SIGN_IN_FAILED.name, origin=present_origin())
        await self._trail.gather(user.organization_id, what, organization=True)

    async def user_of(self, session: UserSession | None) -> User | None:
        """Whose session it is, however far it has come, while they are active."""
        if session is None or session.organization_id is None or session.user_id is None:
            return None
        async with self._database.organization(session.organization_id) as connection:
            user = await repository.user_by_id(connection, session.user_id)
        return user if user is not None and user.state == "active" else None

    async def refused_elsewhere(self, organization_id: UUID, provider: str, reason: str) -> None:
        """Write down that what came back from an identity provider let nobody in, and why."""
        if self._trail is None:
            return
        what = AuditedAction(
            "signIn",
            Actor("user", None, "somebody"),
            "access",
            "refused",
            SINGLE_SIGN_ON_FAILED.name,
            object_kind="identity-provider",
            object_id=provider,
            within=(("factors", "oidc"), ("reason", reason)),
            origin=present_origin(),
        )
        await self._trail.gather(organization_id, what, organization=True)

    async def _matching(self, found: list[tuple[User, str | None]], password: str) -> list[User]:
        """Those with the address whose password it is. Nobody takes as long as one."""
        if not found:
            await self._passwords.matches(None, password)
        return [
            user for user, kept in found if await self._passwords.matches(kept, password) and user.state == "active"
        ]


def failed(pointer: str | None = None) -> PasserelleError:
    """SIGN_IN_FAILED, which does not say what was wrong."""
    error = unauthorized(SIGN_IN_FAILED, "address and password do not belong together: check both")
    return error if pointer is None else SIGN_IN_FAILED.error(str(error), pointer)


def _counters(subject: str, address: str) -> tuple[tuple[Limit, str], ...]:
    network = network_of(address)
    return (PER_PERSON, f"{subject}|{network}"), (PER_NETWORK, network)
