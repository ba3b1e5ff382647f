"""What the calls about an organization's users, invitations and roles take and answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

from pydantic import Field

from passerelle.accounts.permissions import ORGANIZATION_ROLES
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.people.models import Enrolment, EnrolmentStatus, User
from passerelle.people.values import LONGEST_NAME
from passerelle.people.workspace_schemas import WorkspaceRoleAnswer, WorkspaceRoleBody

T = TypeVar("T", bound=Answer)


class Numbered(Answer, Generic[T]):
    """A page of a list, by number."""

    content: list[T]
    """The page's items."""
    total_elements: int = Field(description="How many there are in all.")
    total_pages: int
    """How many pages there are."""
    size: int
    """The most that one page has."""
    number: int = Field(description="The number of this page, from 0.")


def numbered(content: Sequence[T], total: int, page: int, size: int) -> Numbered[T]:
    """A page of a list."""
    return Numbered(content=list(content), total_elements=total, total_pages=-(-total // size), size=size, number=page)


class Profile(Answer):
    """What a user is called."""

    first_name: str
    """The user's first name."""
    last_name: str
    """The user's last name."""
    title: str | None
    """What the user does; null where it is not known."""


class UserAnswer(Answer):
    """A user of the organization."""

    id: UUID
    """The user's id."""
    email: str
    """The user's address."""
    role_id: str = Field(examples=["member"])
    """The user's role in the organization."""
    profile: Profile
    """What the user is called."""
    created_date_time: Moment
    """When the user was made."""
    idp_id: str | None = Field(description="Who the person is at the organization's single sign-on.")
    status: Literal["ACTIVE", "TERMINATED"]
    """Whether the user can sign in."""
    last_sign_in_date_time: Moment | None
    """When the user last signed in; null for never."""
    second_factor: bool
    """Whether the user has a second factor."""


class UserRoleBody(Body):
    """A role in the organization."""

    role_id: str = Field(max_length=64, examples=["admin"])
    """The role in the organization to give."""


class ProfileBody(Body):
    """What a user is called; what is left out stays."""

    first_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The user's first name."""
    last_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The user's last name."""
    title: str | None = Field(default=None, max_length=LONGEST_NAME)
    """What the user does."""


class EnrollmentBody(Body):
    """Whom to invite, and what they will be."""

    email: str = Field(max_length=320, examples=["ewa@example.com"])
    """Who is invited."""
    role_id: str = Field(max_length=64, description="In the organization.", examples=["member"])
    first_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The person's first name."""
    last_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    """The person's last name."""
    title: str | None = Field(default=None, max_length=LONGEST_NAME)
    """What the person does."""
    language: str = Field(default="en", max_length=10, description="Of the e-mail.")
    workspaces: list[WorkspaceRoleBody] = Field(default_factory=list, max_length=100)
    """Workspaces, with the role in each."""


class EnrollmentAnswer(Answer):
    """An invitation."""

    enrollment_id: UUID
    """The invitation's id."""
    email: str
    """Who was invited."""
    role_id: str
    """The role in the organization that was offered."""
    status: EnrolmentStatus
    """Where the invitation stands."""
    first_name: str | None
    """The person's first name; null where it was not given."""
    last_name: str | None
    """The person's last name; null where it was not given."""
    title: str | None
    """What the person does; null where it was not given."""
    invited_by: str
    """Who invited them."""
    created_date_time: Moment
    """When they were invited."""
    last_invitation_sent_at: Moment
    """When the e-mail was last sent."""
    expires_at: Moment
    """When the invitation ends."""
    workspaces: list[WorkspaceRoleAnswer]
    """The workspaces, with the role in each."""


class OrganizationRoleAnswer(Answer):
    """A role in the organization."""

    id: str
    """The role's id."""
    name: str
    """Its name."""
    organization_id: UUID
    """The organization that it belongs to."""
    description: str
    """What it is for."""


def user_answer(user: User) -> UserAnswer:
    """A user as others see them."""
    return UserAnswer(
        id=user.id,
        email=user.email,
        role_id=user.role,
        profile=Profile(first_name=user.first_name, last_name=user.last_name, title=user.title),
        created_date_time=user.created_at,
        idp_id=user.idp_id,
        status="ACTIVE" if user.state == "active" else "TERMINATED",
        last_sign_in_date_time=user.last_sign_in_at,
        second_factor=user.has_totp,
    )


def enrollment_answer(enrolment: Enrolment, now: datetime) -> EnrollmentAnswer:
    """An invitation, as it stands now."""
    return EnrollmentAnswer.made_from(
        enrolment,
        enrollment_id=enrolment.id,
        role_id=enrolment.role,
        status=enrolment.status(now),
        created_date_time=enrolment.created_at,
        last_invitation_sent_at=enrolment.last_sent_at,
        workspaces=[
            WorkspaceRoleAnswer(workspace_id=workspace_id, role_id=role)
            for workspace_id, role in enrolment.memberships.items()
        ],
    )


def organization_roles(organization_id: UUID) -> list[OrganizationRoleAnswer]:
    """The roles of an organization."""
    return [
        OrganizationRoleAnswer(id=one.name, name=one.name, organization_id=organization_id, description=one.description)
        for one in ORGANIZATION_ROLES.values()
    ]
