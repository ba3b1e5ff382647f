"""What the calls about a workspace's members and roles take and answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from passerelle.accounts.grant_schemas import MOST_GRANTS, GrantAnswer, GrantBody
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.people.models import Membership, Role
from passerelle.people.values import LONGEST_NAME, visible_name


class WorkspaceRoleBody(Body):
    """A workspace and the role there."""

    workspace_id: str = Field(max_length=36)
    """The workspace."""
    role_id: str = Field(max_length=64, examples=["operator"])
    """The role in it."""


class WorkspaceRoleAnswer(Answer):
    """A workspace and the role there."""

    workspace_id: UUID
    """The workspace."""
    role_id: str
    """The role in it."""


class RoleAnswer(Answer):
    """A role in a workspace. Its name is its id."""

    id: str
    """The role's id."""
    name: str
    """Its name."""
    workspace_id: UUID
    """The workspace that it belongs to."""
    description: str
    """What it is for."""
    permissions: list[str]
    """What it allows, on everything."""
    grants: list[GrantAnswer]
    """What it allows besides, on some things only."""
    members: int
    """How many direct members have it."""
    type: Literal["BUILT_IN", "OWN"]
    """Whether it is built in or the workspace's own."""
    created_date_time: Moment | None
    """When it was made."""


class RoleBody(Body):
    """A role of the workspace's own."""

    name: str = Field(max_length=63, description="Lower-case letters, digits, `-` and `_`.", examples=["clerk"])
    description: str = Field(default="", max_length=500)
    """What it is for."""
    permissions: list[str] = Field(max_length=100, examples=[["can_view_workspace", "can_read_data"]])
    """What it allows, on everything."""
    grants: list[GrantBody] = Field(default_factory=list, max_length=MOST_GRANTS)
    """What it allows besides, on some things only."""


class RoleChangeBody(Body):
    """What a role of the workspace's own is from now on."""

    description: str = Field(default="", max_length=500)
    """What it is for."""
    permissions: list[str] = Field(max_length=100)
    """What it allows, on everything."""
    grants: list[GrantBody] | None = Field(default=None, max_length=MOST_GRANTS)
    """What it allows besides, on some things only; without it, what it allowed before."""


class WorkspaceNameBody(Body):
    """What a workspace is called."""

    name: Annotated[str, AfterValidator(visible_name)] = Field(max_length=LONGEST_NAME, examples=["Acme"])
    """The name to give."""


class MembershipBody(Body):
    """A user and the role that they get."""

    user_id: str = Field(max_length=36)
    """The user."""
    role_id: str = Field(max_length=64, examples=["operator"])
    """The role to give."""


class MembershipRole(Answer):
    """The role of a member."""

    id: str
    """The role's id."""
    name: str
    """Its name."""
    workspace_id: UUID
    """The workspace that it belongs to."""
    created_date_time: Moment
    """When it was made."""
    type: Literal["DIRECT", "INHERITED"]
    """Whether it is built in, the workspace's own, or inherited."""


class MembershipAnswer(Answer):
    """Who is in a workspace."""

    workspace_id: UUID
    """The workspace."""
    user_id: UUID
    """The member."""
    email: str
    """The member's address."""
    name: str
    """The member's name."""
    role: MembershipRole
    """What the member is in the workspace."""


def role_answer(role: Role, workspace_id: UUID, grants: Sequence[GrantAnswer] = (), members: int = 0) -> RoleAnswer:
    """A role of a workspace, with its grants and how many have it."""
    return RoleAnswer(
        id=role.name,
        name=role.name,
        workspace_id=workspace_id,
        description=role.description,
        permissions=sorted(role.permissions),
        grants=list(grants),
        members=members,
        type="BUILT_IN" if role.built_in else "OWN",
        created_date_time=role.created_at,
    )


def membership_answer(membership: Membership) -> MembershipAnswer:
    """Who is in a workspace, and how."""
    return MembershipAnswer.made_from(
        membership,
        role=MembershipRole(
            id=membership.role,
            name=membership.role,
            workspace_id=membership.workspace_id,
            created_date_time=membership.created_at,
            type=membership.type,
        ),
    )
