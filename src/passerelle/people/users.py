"""An organization's users: made, found, changed, deactivated; and what each is a member of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.grants import Kind
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.kit.observer import note_object
from passerelle.people import passkey_repository, repository, session_repository
from passerelle.people.errors import (
    EMAIL_IN_USE,
    LAST_OWNER,
    MEMBERSHIP_NOT_FOUND,
    OWNERS_ONLY,
    USER_NOT_FOUND,
    WORKSPACE_NOT_FOUND,
)
from passerelle.people.models import INHERITING, Colleague, Membership, NewUser, Organization, Place, State, User
from passerelle.people.passwords import Passwords, made_up, require_good
from passerelle.people.roles import require_grantable, require_role, require_workspace
from passerelle.people.values import (
    checked_email,
    checked_language,
    checked_organization_role,
    checked_time_zone,
    searched,
)

MOST_COLLEAGUES: Final = 2_000
"""More people than this are not offered: whoever has so many finds them by their roles."""


class Users:
    """The feature's service for users and memberships."""

    def __init__(self, database: Database, passwords: Passwords, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._passwords = passwords
        self._clock = clock
        self._new_id = new_id

    async def organizations(self) -> list[Organization]:
        """Every organization of the installation: for its operator."""
        async with self._database.shared() as connection:
            return await repository.all_organizations(connection)

    async def organization(self, organization_id: UUID) -> Organization:
        """One organization, which must exist."""
        async with self._database.organization(organization_id) as connection:
            found = await repository.organization(connection)
        assert found is not None, "principals name organizations that exist"
        return found

    async def is_organization(self, organization_id: UUID) -> bool:
        """Whether there is one of that id."""
        async with self._database.organization(organization_id) as connection:
            return await repository.organization(connection) is not None

    async def organization_of(self, workspace_id: UUID) -> UUID:
        """Whose workspace it is. Raises WORKSPACE_NOT_FOUND."""
        async with self._database.workspace(workspace_id) as connection:
            found = await repository.organization_of(connection, workspace_id)
        if found is None:
            raise WORKSPACE_NOT_FOUND.error(f"there is no workspace {workspace_id}")
        return found

    async def make(self, organization_id: UUID, new: NewUser, password: str | None = None) -> User:
        """A user, who may sign in with `password`.

        Raises USER_EMAIL_INVALID, EMAIL_IN_USE, ROLE_UNKNOWN, LANGUAGE_UNKNOWN, TIME_ZONE_UNKNOWN or PASSWORD_WEAK.
        """
        email = checked_email(new.email)
        checked_organization_role(new.role)
        checked_language(new.language)
        checked_time_zone(new.time_zone)
        if password is not None:
            require_good(password, (email, new.first_name, new.last_name))
            new = replace(new, password_hash=await self._passwords.hash(password))
        async with self._database.organization(organization_id) as connection:
            return await self.insert(connection, organization_id, replace(new, email=email))

    async def insert(self, connection: Connection, organization_id: UUID, new: NewUser) -> User:
        """As `make`, inside a transaction, with what is checked already. Raises EMAIL_IN_USE."""
        user_id = self._new_id()
        note_object(user_id)
        if not await repository.insert_user(connection, organization_id, user_id, new, self._clock()):
            raise EMAIL_IN_USE.error("a user of your organization has this e-mail address already", "/email")
        made = await repository.user_by_id(connection, user_id)
        assert made is not None
        return made

    async def get(self, organization_id: UUID, user_id: UUID) -> User:
        """A user. Raises USER_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            return _required(await repository.user_by_id(connection, user_id))

    async def by_email(self, organization_id: UUID, email: str) -> User | None:
        """The user with this address."""
        async with self._database.organization(organization_id) as connection:
            return await repository.user_by_email(connection, email)

    async def page(
        self,
        organization_id: UUID,
        page: int,
        size: int,
        *,
        search: str = "",
        role: str | None = None,
        state: State | None = None,
    ) -> tuple[list[User], int]:
        """A page of users by address, from 0, and how many there are. `search`: words of the name or the address."""
        async with self._database.organization(organization_id) as connection:
            return await repository.users(connection, size, page * size, words=searched(search), role=role, state=state)

    async def change(self, organization_id: UUID, user_id: UUID, changes: Mapping[str, Any]) -> User:
        """Write a user's name, title, language or time zone. Raises USER_NOT_FOUND and about values."""
        if "language" in changes:
            checked_language(changes["language"])
        if "time_zone" in changes:
            checked_time_zone(changes["time_zone"])
        async with self._database.organization(organization_id) as connection:
            return _required(await repository.change_user(connection, user_id, self._clock(), changes))

    async def set_role(self, by: Principal, user_id: UUID, role: str) -> User:
        """Give a user another role in the organization. Raises ROLE_UNKNOWN, OWNERS_ONLY or LAST_OWNER."""
        checked_organization_role(role)
        async with self._database.organization(by.organization) as connection:
            user = _required(await repository.user_by_id(connection, user_id, lock=True))
            require_owner(by, user.role, role)
            if user.role == "owner" and role != "owner":
                await _require_other_owner(connection, user)
            return _required(await repository.change_user(connection, user_id, self._clock(), {"role": role}))

    async def deactivate(self, by: Principal | None, organization_id: UUID, user_id: UUID) -> User:
        """End a user's sessions and let them sign in no more. Raises USER_NOT_FOUND, OWNERS_ONLY or LAST_OWNER."""
        async with self._database.organization(organization_id) as connection:
            user = _required(await repository.user_by_id(connection, user_id, lock=True))
            if by is not None:
                require_owner(by, user.role)
            if user.role == "owner":
                await _require_other_owner(connection, user)
            await session_repository.end_all(connection, user_id)
            return _required(await repository.change_user(connection, user_id, self._clock(), {"state": "deactivated"}))

    async def reinstate(self, by: Principal, user_id: UUID) -> User:
        """Let a user sign in again. Raises USER_NOT_FOUND or OWNERS_ONLY."""
        async with self._database.organization(by.organization) as connection:
            user = _required(await repository.user_by_id(connection, user_id, lock=True))
            require_owner(by, user.role)
            return _required(await repository.change_user(connection, user_id, self._clock(), {"state": "active"}))

    async def reset_factors(self, by: Principal, user_id: UUID) -> User:
        """Take away second factors and end the sessions. Raises USER_NOT_FOUND or OWNERS_ONLY."""
        async with self._database.organization(by.organization) as connection:
            user = _required(await repository.user_by_id(connection, user_id, lock=True))
            require_owner(by, user.role)
            await repository.put_recovery_codes(connection, user, [])
            await passkey_repository.delete_all(connection, user_id)
            await session_repository.end_all(connection, user_id)
            nothing = {"totp_secret": None, "totp_confirmed_at": None, "totp_last_step": None}
            return _required(await repository.change_user(connection, user_id, self._clock(), nothing))

    async def set_password(
        self, user: User, password: str, *, besides: UUID | None = None, pointer: str = "/password"
    ) -> None:
        """Write a user's password and end their sessions, `besides` one. Raises PASSWORD_WEAK."""
        require_good(password, (user.email, user.first_name, user.last_name), pointer)
        kept = await self._passwords.hash(password)
        now = self._clock()
        async with self._database.organization(user.organization_id) as connection:
            await repository.change_user(connection, user.id, now, {"password_hash": kept, "password_changed_at": now})
            await repository.delete_password_resets(connection, user.id)
            await session_repository.end_all(connection, user.id, besides)

    async def new_password(self, user: User) -> str:
        """Give a user a password that was made up, shown this once."""
        password = made_up()
        await self.set_password(user, password)
        return password

    async def places(self, user: User) -> list[Place]:
        """The workspaces that a user comes into, with what they may do there."""
        async with self._database.organization(user.organization_id) as connection:
            return await repository.places_of(connection, user, inheriting=user.role in INHERITING)

    async def place(self, organization_id: UUID, workspace_id: UUID, permissions: frozenset[str]) -> Place:
        """A key's workspace as a place."""
        async with self._database.organization(organization_id) as connection:
            found = dict(await repository.workspaces(connection))
        return Place(workspace_id, found[workspace_id], None, permissions)

    async def look_at(self, user: User, workspace_id: UUID) -> None:
        """Remember which workspace a user looks at. Raises WORKSPACE_NOT_FOUND."""
        if workspace_id not in {place.workspace_id for place in await self.places(user)}:
            raise WORKSPACE_NOT_FOUND.error(f"there is no workspace {workspace_id}, or you are no member of it")
        async with self._database.organization(user.organization_id) as connection:
            await repository.change_user(connection, user.id, self._clock(), {"workspace_id": workspace_id})

    async def members(
        self,
        organization_id: UUID,
        workspace_id: UUID,
        page: int,
        size: int,
        *,
        inherited: bool,
        search: str = "",
        role: str | None = None,
    ) -> tuple[list[Membership], int]:
        """A page of a workspace's members. `inherited`: with those who come in by their role in the organization."""
        async with self._database.organization(organization_id) as connection:
            await require_workspace(connection, workspace_id)
            reaching = sorted(INHERITING) if inherited else ()
            return await repository.memberships(
                connection, workspace_id, size, page * size, inherited=reaching, words=searched(search), role=role
            )

    async def rename_workspace(self, by: Principal, workspace_id: UUID, name: str) -> None:
        """Give a workspace another name. Raises WORKSPACE_NOT_FOUND."""
        async with self._database.organization(by.organization) as connection:
            await require_workspace(connection, workspace_id)
        async with self._database.workspace(workspace_id) as connection:
            await repository.rename_workspace(connection, name)

    async def colleagues(self, organization_id: UUID, workspace_id: UUID) -> list[Colleague]:
        """Everybody who works in a workspace: whom a review can be given to, and a comment can mention."""
        async with self._database.organization(organization_id) as connection:
            return await repository.colleagues(connection, workspace_id, MOST_COLLEAGUES)

    async def who_may(
        self, organization_id: UUID, workspace_id: UUID, permission: str, of: tuple[Kind, UUID], at_most: int
    ) -> list[UUID]:
        """The users who have a permission in a workspace, everywhere or on one thing of a kind; by address."""
        async with self._database.organization(organization_id) as connection:
            return await repository.who_may(connection, workspace_id, permission, (of[0], str(of[1])), at_most)

    async def put_member(
        self, organization_id: UUID, workspace_id: UUID, user_id: UUID, role: str, by: Principal | None = None
    ) -> Membership:
        """Make a user a member, or give another role. Raises about workspace, user, role and permissions."""
        async with self._database.organization(organization_id) as connection:
            await require_workspace(connection, workspace_id)
            user = _required(await repository.user_by_id(connection, user_id))
            await self.join(connection, by, user, workspace_id, role)
            found = await repository.membership(connection, workspace_id, user.id)
        assert found is not None
        return found

    async def join(
        self, connection: Connection, by: Principal | None, user: User, workspace_id: UUID, role: str
    ) -> None:
        """As `put_member`, inside a transaction. `by`: whoever gives the role, None for the operator."""
        note_object(user.id)
        found = await require_role(connection, workspace_id, role)
        if by is not None and by.workspace_id == workspace_id:
            require_grantable(by, found.permissions, "/roleId")
        await repository.put_membership(connection, user.organization_id, workspace_id, user.id, role, self._clock())

    async def remove_member(self, by: Principal, workspace_id: UUID, user_id: UUID) -> None:
        """End a direct membership. Raises WORKSPACE_NOT_FOUND or MEMBERSHIP_NOT_FOUND."""
        async with self._database.organization(by.organization) as connection:
            await require_workspace(connection, workspace_id)
            if not await repository.delete_membership(connection, workspace_id, user_id):
                raise MEMBERSHIP_NOT_FOUND.error("this user is no direct member of the workspace")


def require_owner(by: Principal, *roles: str) -> None:
    """Only an owner touches owners. A key acts for its organization. Raises OWNERS_ONLY."""
    if "owner" in roles and by.kind == "user" and "owner" not in by.roles:
        raise OWNERS_ONLY.error("only an owner makes, changes or deactivates an owner")


async def _require_other_owner(connection: Connection, user: User) -> None:
    if user.state == "active" and await repository.owners_besides(connection, user.id) == 0:
        raise LAST_OWNER.error(f"{user.email} is the only owner: make another user owner first")


def _required(user: User | None) -> User:
    if user is None:
        raise _not_found()
    return user


def _not_found() -> PasserelleError:
    return USER_NOT_FOUND.error("your organization has no user with this id")
