"""What the feature works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from passerelle.accounts.permissions import EVERYTHING, IN_WORKSPACES, ORGANIZATION_ROLES, WORKSPACE_ROLES
from passerelle.kit.grants import NO_GRANTS, Granted, Grants

State = Literal["active", "deactivated"]
EnrolmentStatus = Literal["PENDING", "ACCEPTED", "EXPIRED", "CANCELLED"]

SCIM: Final = "/scim/v2"
"""Where identity providers provision users and groups."""

INHERITING: Final = frozenset(name for name, role in ORGANIZATION_ROLES.items() if role.permissions)
"""The roles of an organization that reach into each of its workspaces."""


def shown_name(first_name: str, last_name: str, email: str) -> str:
    """What others read of a person; the address where no name is known."""
    return f"{first_name} {last_name}".strip() or email


@dataclass(frozen=True, slots=True)
class Organization:
    """Has users and workspaces."""

    id: UUID
    name: str
    users: int = 0


@dataclass(frozen=True, slots=True)
class User:
    """A person in an organization."""

    organization_id: UUID
    id: UUID
    email: str
    first_name: str
    last_name: str
    title: str | None
    language: str
    time_zone: str
    role: str
    state: State
    created_at: datetime
    last_sign_in_at: datetime | None = None
    idp_id: str | None = None
    workspace_id: UUID | None = None
    """The workspace that was looked at last."""
    has_password: bool = False
    has_totp: bool = False
    sessions_ended_at: datetime | None = None
    """When all of the user's sessions were ended last."""
    external_id: str | None = None
    """What the identity provider that provisions the user calls it."""

    @property
    def name(self) -> str:
        """What others read."""
        return shown_name(self.first_name, self.last_name, self.email)


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """What a user's authenticator app and we share, encrypted, and the step of the last code that was taken."""

    secret: bytes
    last_step: int


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """A link that sets a forgotten password."""

    organization_id: UUID
    user_id: UUID
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Passkey:
    """One device, or one account of a password manager."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PasskeyCredential:
    """What a passkey's signature is checked with, and whose it is."""

    id: UUID
    organization_id: UUID
    user_id: UUID
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Provider:
    """Where an organization's people sign in.

    group_claim   the claim that lists a person's groups; None: nobody's role follows from groups
    group_roles   roles in the organization by group
    default_role  of people in none of these groups; None: they stay out
    """

    organization_id: UUID
    id: UUID
    name: str
    issuer: str
    client_id: str
    scopes: Sequence[str]
    group_claim: str | None
    group_roles: Mapping[str, str]
    default_role: str | None
    created_at: datetime
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A group, and what it gives: a role in the organization, and roles in workspaces."""

    id: UUID
    name: str
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    members: frozenset[UUID] = frozenset()
    role: str | None = None
    workspace_roles: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewUser:
    """What a user is made from."""

    email: str
    role: str
    first_name: str = ""
    last_name: str = ""
    title: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    password_hash: str | None = None
    idp_id: str | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """What members of a workspace may do. A role's name is its id."""

    name: str
    description: str
    permissions: frozenset[str]
    built_in: bool
    created_at: datetime | None = None
    granted: tuple[Granted, ...] = ()
    """What they may do besides, to some things only."""


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace as a person sees it."""

    workspace_id: UUID
    name: str
    role: str | None
    """The role there as a member; None for who comes in by a role of the organization alone."""
    permissions: frozenset[str]
    grants: Grants = NO_GRANTS


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is a member of a workspace, and with which role. `type`: whether by itself or by the organization."""

    workspace_id: UUID
    user_id: UUID
    email: str
    name: str
    role: str
    created_at: datetime
    type: Literal["DIRECT", "INHERITED"]


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who works in a workspace."""

    id: UUID
    name: str
    email: str
    language: str
    roles: frozenset[str]
    """What reviews can be assigned to, as `Principal.roles`."""
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An invitation."""

    organization_id: UUID
    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    title: str | None
    language: str
    role: str
    memberships: Mapping[UUID, str]
    invited_by: str
    created_at: datetime
    last_sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    cancelled_at: datetime | None = None

    def status(self, now: datetime) -> EnrolmentStatus:
        """How it stands."""
        if self.accepted_at is not None:
            return "ACCEPTED"
        if self.cancelled_at is not None:
            return "CANCELLED"
        return "EXPIRED" if self.expires_at <= now else "PENDING"


@dataclass(frozen=True, slots=True)
class UserSession:
    """A browser in which somebody signs in or has signed in."""

    id: UUID
    organization_id: UUID | None
    user_id: UUID | None
    factors: Sequence[str]
    authenticated_at: datetime | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str
    user_agent: str
    pending: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SessionUser:
    """A session in which somebody has signed in, who that is, and what they may do in a workspace."""

    session_id: UUID
    organization_id: UUID
    user_id: UUID
    state: State
    name: str
    email: str
    roles: frozenset[str]
    """What reviews can be assigned to, as `Principal.roles`."""
    workspace_id: UUID | None
    permissions: frozenset[str]
    grants: Grants
    authenticated_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Proved:
    """That a password was right for a user of another organization, too, when this session began."""

    organization_id: UUID
    user_id: UUID
    at: datetime

    def to_json(self) -> list[str]:
        """As a session keeps it."""
        return [str(self.organization_id), str(self.user_id), self.at.isoformat()]

    @classmethod
    def from_json(cls, facts: Sequence[str]) -> Proved:
        """What `to_json` gave."""
        return cls(UUID(facts[0]), UUID(facts[1]), datetime.fromisoformat(facts[2]))


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, and the secret that names it, which is in the browser's cookie alone."""

    session: UserSession
    secret: str = field(repr=False)


def permissions_of(organization_role: str, workspace_role: str | None, own: Sequence[str] | None) -> frozenset[str]:
    """What a person may do in a workspace: what the organization's role gives, and the workspace's.

    `own`: what the workspace's own role of that name gives; None for a role that is built in.
    """
    found = ORGANIZATION_ROLES[organization_role].permissions
    if own is not None:
        # A permission that this release does not know gives nothing.
        return found | (frozenset(own) & IN_WORKSPACES)
    if workspace_role is not None and workspace_role in WORKSPACE_ROLES:
        return found | WORKSPACE_ROLES[workspace_role].permissions
    return found & EVERYTHING
