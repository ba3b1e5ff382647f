"""What `/me` and `/people` take and answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from pydantic import Field

from passerelle.accounts.grant_schemas import LimitAnswer, limit_answer
from passerelle.accounts.permissions import PERMISSIONS
from passerelle.kit.grants import Kind
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body
from passerelle.people.models import Colleague, Organization, Passkey, Place, User, UserSession
from passerelle.people.values import LONGEST_NAME


class OrganizationAnswer(Answer):
    """An organization."""

    id: UUID
    """The organization's id."""
    name: str
    """Its name."""


class PlaceAnswer(Answer):
    """A workspace that one may enter."""

    id: UUID
    """The workspace's id."""
    name: str
    """Its name."""
    role: str | None = Field(description="Your role there; null where you enter by your role in the organization.")
    current: bool = Field(description="Whether requests that name no workspace are meant for it.")


class SessionAnswer(Answer):
    """A browser in which one is signed in."""

    id: UUID
    """The session's id."""
    current: bool
    """Whether this request belongs to it."""
    created_at: Moment
    """When one signed in."""
    last_seen_at: Moment
    """When it was last used."""
    expires_at: Moment
    """When it ends."""
    authenticated_at: Moment = Field(description="When you last proved who you are.")
    factors: list[str] = Field(description="How: `password`, `totp`, `recovery`, `passkey`, `oidc`.")
    address: str
    """The address that it was opened from."""
    user_agent: str
    """The browser that it was opened with."""


class MeAnswer(Answer):
    """Who calls."""

    kind: Literal["user", "key"]
    """Whether a key calls or a person."""
    id: UUID
    """The key's or the person's id."""
    name: str
    """The key's or the person's name."""
    email: str | None = Field(description="Null for a key, as the rest of what persons have.")
    first_name: str | None
    """The person's first name."""
    last_name: str | None
    """The person's last name."""
    title: str | None
    """What the person does."""
    language: str | None
    """The language that one reads."""
    time_zone: str | None
    """The zone that times are shown in."""
    role: str | None = Field(description="Your role in the organization.")
    second_factor: bool | None = Field(description="Whether a sign-in asks for a code.")
    has_password: bool | None
    """Whether one can sign in with a password."""
    organization: OrganizationAnswer
    """The organization that one belongs to."""
    workspace: PlaceAnswer | None = Field(description="The one that requests without `X-Workspace` are meant for.")
    workspaces: list[PlaceAnswer]
    """The workspaces that one may enter."""
    session: SessionAnswer | None
    """The present session; null for a key."""


class MyOrganizationAnswer(Answer):
    """An organization that one can go on in."""

    id: UUID
    """The organization's id."""
    name: str
    """Its name."""
    current: bool
    """Whether one is signed in there now."""


class MyOrganizationList(Answer):
    """The organizations that one can go on in."""

    data: list[MyOrganizationAnswer]
    """The present one first, then by name."""
    next: None = None
    """Always null: every one is listed."""


class OrganizationBody(Body):
    """Another organization to go on in."""

    organization_id: str = Field(min_length=1, max_length=100, description="Its id; see `GET /me/organizations`.")


class SwitchedAnswer(Answer):
    """What the session needs in the other organization."""

    needs: Literal["nothing", "code"]
    """`code`: the user there has a second factor; it is asked for at `/sign-in/code`."""


class PermissionAnswer(Answer):
    """One permission."""

    permission: str
    """The permission's name."""
    allows: str = Field(description="What it allows.")
    allowed: bool
    """Whether one has it."""
    reason: str | None = Field(description="Why not.")
    scope: Literal["organization", "workspace"] = Field(
        description="Whether it concerns the organization, so that no role of a workspace gives it."
    )
    of: list[Kind] = Field(description="The kinds of things on which alone a grant may give it.")
    fields: bool = Field(description="Whether a grant on a table may name fields.")
    rows: bool = Field(description="Whether a grant on a table may name records, by a condition.")
    only: list[LimitAnswer] = Field(
        description="Where it is not allowed in general: the things on which it is. One on a single thing counts "
        "before one on all of its kind."
    )


class PlacePermissions(Answer):
    """What one may do in a workspace."""

    workspace_id: UUID
    """The workspace."""
    name: str
    """Its name."""
    permissions: list[PermissionAnswer]
    """Every permission."""


class MyPermissions(Answer):
    """What one may do, workspace by workspace."""

    permissions: list[str] = Field(description="Those that one has in the present workspace.")
    workspace_id: UUID | None
    """The present workspace; null where there is none."""
    workspaces: list[PlacePermissions]
    """What one may do in each workspace."""


class MeBody(Body):
    """What a person changes about themselves; what is left out stays."""

    first_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """One's first name."""
    last_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """One's last name."""
    language: str | None = Field(default=None, max_length=10, examples=["pl"])
    """The language to read."""
    time_zone: str | None = Field(default=None, max_length=60, examples=["Europe/Warsaw"])
    """The zone to show times in."""


class WorkspaceBody(Body):
    """A workspace to look at."""

    workspace_id: str = Field(max_length=36)
    """The workspace to be in."""


class PasswordBody(Body):
    """The present password and the next."""

    current: str = Field(max_length=200, repr=False)
    """The password as it is."""
    password: str = Field(max_length=1000, repr=False, description="At least 12 characters, not easy to guess.")


class AuthenticateBody(Body):
    """What proves once more who one is: the password, or a code."""

    password: str | None = Field(default=None, max_length=200, repr=False)
    """One's password."""
    code: str | None = Field(default=None, max_length=40, repr=False)
    """A code of one's second factor, instead of the password."""


class AuthenticatedAnswer(Answer):
    """Since when the session is fresh again."""

    authenticated_at: Moment
    """When the proof was given: good for ten minutes."""


class SessionList(Answer):
    """Where one is signed in."""

    data: list[SessionAnswer]
    """The sessions."""


class PasskeyAnswer(Answer):
    """A device, or an account of a password manager, that signs one in."""

    id: UUID
    """The passkey's id."""
    name: str
    """What the device is."""
    created_at: Moment
    """When it was added."""
    last_used_at: Moment | None
    """When it last signed one in; null for never."""


class PasskeyList(Answer):
    """One's passkeys."""

    data: list[PasskeyAnswer]
    """The passkeys, the oldest first."""


class ColleagueAnswer(Answer):
    """Somebody who works in the workspace."""

    id: UUID
    """The user's id."""
    name: str
    """The user's name, or the address where no name is known."""
    roles: list[str]
    """What a review's `assignTo` is compared with: roles, and the address."""
    may_review: bool
    """Whether they may decide reviews at all."""


class ColleagueList(Answer):
    """Everybody who works in the workspace."""

    data: list[ColleagueAnswer]
    """The people, by address."""


def session_answer(session: UserSession, current: UUID | None) -> SessionAnswer:
    """A session as its person sees it."""
    assert session.authenticated_at is not None
    return SessionAnswer.made_from(session, current=session.id == current, factors=list(session.factors))


def passkey_answer(passkey: Passkey) -> PasskeyAnswer:
    """A passkey as its person sees it."""
    return PasskeyAnswer.made_from(passkey)


def me_answer(
    caller: Principal,
    organization: Organization,
    places: Sequence[Place],
    user: User | None = None,
    session: UserSession | None = None,
) -> MeAnswer:
    """Who calls: a person with `user` and `session`, or a key."""
    shown = [
        PlaceAnswer(
            id=place.workspace_id, name=place.name, role=place.role, current=place.workspace_id == caller.workspace_id
        )
        for place in places
    ]
    return MeAnswer(
        kind=caller.kind,
        id=caller.id,
        name=caller.name,
        email=None if user is None else user.email,
        first_name=None if user is None else user.first_name,
        last_name=None if user is None else user.last_name,
        title=None if user is None else user.title,
        language=None if user is None else user.language,
        time_zone=None if user is None else user.time_zone,
        role=None if user is None else user.role,
        second_factor=None if user is None else user.has_totp,
        has_password=None if user is None else user.has_password,
        organization=OrganizationAnswer(id=organization.id, name=organization.name),
        workspace=next((place for place in shown if place.current), None),
        workspaces=shown,
        session=None if session is None else session_answer(session, caller.session_id),
    )


def permissions_answer(caller: Principal) -> list[PermissionAnswer]:
    """Every permission, and why not."""
    found = []
    for one in PERMISSIONS.values():
        verdict = caller.may(one.name)
        found.append(
            PermissionAnswer.made_from(
                one,
                permission=one.name,
                allowed=bool(verdict),
                reason=verdict.reason or None,
                of=list(one.of),
                only=[]
                if verdict
                else [limit_answer(grant) for grant in caller.grants if grant.permission == one.name],
            )
        )
    return found


def colleague_answer(colleague: Colleague) -> ColleagueAnswer:
    """Somebody who works in a workspace."""
    return ColleagueAnswer(
        id=colleague.id,
        name=colleague.name,
        roles=sorted(colleague.roles),
        may_review="can_review" in colleague.permissions,
    )
