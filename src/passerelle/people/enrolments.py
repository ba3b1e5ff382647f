"""Invitations: a person is invited by e-mail and becomes a user by taking it up.

The secret in the e-mail follows from the invitation's id, so that the e-mail can be sent again; we keep its hash.
Looking at it changes nothing: only the form that stands there takes it up.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from passerelle.accounts.credentials import digest
from passerelle.kit.clock import Clock
from passerelle.kit.database import Database, take_turn
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.kit.observer import note_object
from passerelle.kit.secrets import SecretBox
from passerelle.people import enrolment_repository, repository
from passerelle.people.emails import queue_email
from passerelle.people.errors import EMAIL_IN_USE, ENROLLMENT_NOT_FOUND, ENROLLMENT_OVER
from passerelle.people.models import Enrolment, EnrolmentStatus, NewUser, User
from passerelle.people.passwords import Passwords, require_good
from passerelle.people.roles import require_grantable, require_role, require_workspace
from passerelle.people.users import Users, require_owner
from passerelle.people.values import checked_email, checked_language, checked_organization_role, email_key

LASTS: Final = timedelta(days=7)


class Enrolments:
    """The feature's service for invitations."""

    def __init__(
        self, database: Database, users: Users, passwords: Passwords, box: SecretBox, clock: Clock, new_id: NewId
    ) -> None:
        self._database = database
        self._users = users
        self._passwords = passwords
        self._box = box
        self._clock = clock
        self._new_id = new_id

    async def invite(
        self,
        by: Principal,
        *,
        email: str,
        role: str,
        first_name: str | None = None,
        last_name: str | None = None,
        title: str | None = None,
        language: str = "en",
        memberships: Mapping[UUID, str] | None = None,
    ) -> Enrolment:
        """Invite a person; the e-mail is queued. An open invitation to the same address is renewed with these values.

        Raises about address, role, workspaces, and EMAIL_IN_USE.
        """
        address = checked_email(email)
        checked_organization_role(role)
        checked_language(language)
        require_owner(by, role)
        organization_id = by.organization
        now, enrolment_id = self._clock(), self._new_id()
        enrolment = Enrolment(
            organization_id,
            enrolment_id,
            address,
            first_name,
            last_name,
            title,
            language,
            role,
            dict(memberships or {}),
            by.name,
            now,
            now,
            now + LASTS,
        )
        async with self._database.organization(organization_id) as connection:
            await take_turn(connection, f"enrolment {organization_id} {email_key(address)}")
            if await repository.user_by_email(connection, address) is not None:
                raise EMAIL_IN_USE.error("a user of your organization has this e-mail address already", "/email")
            for workspace_id, name in enrolment.memberships.items():
                await require_workspace(connection, workspace_id)
                found = await require_role(connection, workspace_id, name, "/workspaces")
                if by.workspace_id == workspace_id:
                    require_grantable(by, found.permissions, "/workspaces")
            await enrolment_repository.cancel_open(connection, address, now)
            note_object(enrolment_id)
            await enrolment_repository.insert(connection, enrolment, digest(self.secret_of(enrolment_id)))
            await queue_email(connection, "invitation", organizationId=str(organization_id), id=str(enrolment_id))
        return enrolment

    async def page(
        self, organization_id: UUID, status: EnrolmentStatus | None, page: int, size: int
    ) -> tuple[list[Enrolment], int]:
        """A page of invitations, the newest first, and how many there are."""
        async with self._database.organization(organization_id) as connection:
            return await enrolment_repository.page(connection, status, self._clock(), size, page * size)

    async def get(self, organization_id: UUID, enrolment_id: UUID) -> Enrolment:
        """An invitation. Raises ENROLLMENT_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            return _required(await enrolment_repository.by_id(connection, enrolment_id))

    async def resend(self, organization_id: UUID, enrolment_id: UUID) -> Enrolment:
        """Send the e-mail again; the invitation lasts anew. Raises ENROLLMENT_NOT_FOUND or ENROLLMENT_OVER."""
        now = self._clock()
        async with self._database.organization(organization_id) as connection:
            found = _required(await enrolment_repository.by_id(connection, enrolment_id, lock=True))
            _require_open(found)
            renewed = await enrolment_repository.renew(
                connection, enrolment_id, digest(self.secret_of(enrolment_id)), now, now + LASTS
            )
            await queue_email(connection, "invitation", organizationId=str(organization_id), id=str(enrolment_id))
        return _required(renewed)

    async def cancel(self, organization_id: UUID, enrolment_id: UUID) -> Enrolment:
        """Withdraw an invitation. Raises ENROLLMENT_NOT_FOUND or ENROLLMENT_OVER."""
        async with self._database.organization(organization_id) as connection:
            found = _required(await enrolment_repository.by_id(connection, enrolment_id, lock=True))
            _require_open(found)
            return _required(await enrolment_repository.cancel(connection, enrolment_id, self._clock()))

    async def by_secret(self, secret: str) -> Enrolment | None:
        """The invitation of any organization that an e-mail's secret names, however it stands."""
        async with self._database.shared() as connection:
            return await enrolment_repository.find(connection, digest(secret))

    async def accept(
        self, secret: str, *, first_name: str, last_name: str, password: str, language: str
    ) -> User | None:
        """Make the user; None where the invitation is not open (any more). Raises PASSWORD_WEAK or EMAIL_IN_USE."""
        found = await self.by_secret(secret)
        if found is None or found.status(self._clock()) != "PENDING":
            return None
        require_good(password, (found.email, first_name, last_name))
        kept = await self._passwords.hash(password)
        new = NewUser(found.email, found.role, first_name, last_name, found.title, language, password_hash=kept)
        async with self._database.organization(found.organization_id) as connection:
            # Of two at the same time the second waits here, and finds it taken up.
            found = _required(await enrolment_repository.by_id(connection, found.id, lock=True))
            if found.status(self._clock()) != "PENDING":
                return None
            user = await self._users.insert(connection, found.organization_id, new)
            for workspace_id, role in found.memberships.items():
                # What was deleted meanwhile is left out.
                try:
                    await self._users.join(connection, None, user, workspace_id, role)
                except PasserelleError:
                    continue
            await enrolment_repository.accept(connection, found.id, user.id, self._clock())
        return user

    def secret_of(self, enrolment_id: UUID) -> str:
        """The secret that the e-mail carries."""
        made = hmac.digest(self._box.derive("invitation"), enrolment_id.bytes, "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def _require_open(enrolment: Enrolment) -> None:
    if enrolment.accepted_at is not None or enrolment.cancelled_at is not None:
        raise ENROLLMENT_OVER.error("the invitation was accepted or cancelled: make another one")


def _required(found: Enrolment | None) -> Enrolment:
    if found is None:
        raise ENROLLMENT_NOT_FOUND.error("your organization has no enrolment with this id")
    return found
