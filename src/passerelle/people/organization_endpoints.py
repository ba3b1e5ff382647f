"""An organization's users, invitations and roles; its workspaces' members and roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.permissions import Identified, Requires
from passerelle.kit.ids import parse_id
from passerelle.people.errors import USER_NOT_FOUND, WORKSPACE_NOT_FOUND
from passerelle.people.models import EnrolmentStatus, Role, State
from passerelle.people.organization_schemas import (
    EnrollmentAnswer,
    EnrollmentBody,
    Numbered,
    OrganizationRoleAnswer,
    ProfileBody,
    UserAnswer,
    UserRoleBody,
    enrollment_answer,
    numbered,
    organization_roles,
    user_answer,
)
from passerelle.people.services import PeopleServices
from passerelle.people.workspace_schemas import (
    MembershipAnswer,
    MembershipBody,
    RoleAnswer,
    RoleBody,
    RoleChangeBody,
    WorkspaceNameBody,
    membership_answer,
    role_answer,
)

UserId = Annotated[UUID, Path(description="The user's id")]
WorkspaceId = Annotated[UUID, Path(description="The workspace's id")]
EnrollmentId = Annotated[UUID, Path(description="The invitation's id")]
RoleName = Annotated[str, Path(description="The name of a role of the workspace's own")]
Search = Annotated[str, Query(max_length=200, description="Words of the name or the address, in any order")]
PageNumber = Annotated[int, Query(ge=0, le=100_000, description="The number of the page, from 0")]
PageSize = Annotated[int, Query(ge=1, le=500, description="The most that one page has")]
HeldRole = Annotated[str | None, Query(alias="roleId", max_length=64, description="Only those who have this role")]
OrganizationRole = Literal["owner", "admin", "member"]
UserStatus = Literal["ACTIVE", "TERMINATED"]
ManagesUsers = Annotated[Principal, Requires("can_manage_users")]
ManagesRoles = Annotated[Principal, Requires("can_manage_users", fresh=True)]
ManagesAccess = Annotated[Principal, Requires("can_manage_workspace_access")]
GivesAccess = Annotated[Principal, Requires("can_manage_workspace_access", fresh=True)]


def router(people: PeopleServices) -> APIRouter:
    """Everything under `/organizations`, and members and roles under `/workspaces`."""
    routes = APIRouter(tags=["Users and roles"], route_class=ApiRoute)
    _users(routes, people)
    _enrollments(routes, people)
    _members(routes, people)
    _roles(routes, people)
    return routes


def _users(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/organizations/users")
    async def list_users(
        caller: ManagesUsers,
        page: PageNumber = 0,
        size: PageSize = 20,
        search: Search = "",
        role_id: Annotated[OrganizationRole | None, Query(alias="roleId", description="Only those who have it")] = None,
        status: Annotated[UserStatus | None, Query(description="Only those who stand like this")] = None,
    ) -> Numbered[UserAnswer]:
        """The organization's users by address."""
        state: State | None = None if status is None else "active" if status == "ACTIVE" else "deactivated"
        found, total = await people.users.page(
            caller.organization, page, size, search=search, role=role_id, state=state
        )
        return numbered([user_answer(one) for one in found], total, page, size)

    @routes.get("/organizations/users/{user_id}")
    async def read_user(caller: ManagesUsers, user_id: UserId) -> UserAnswer:
        """One user."""
        return user_answer(await people.users.get(caller.organization, user_id))

    @routes.post("/organizations/users/{user_id}/terminate")
    async def terminate_user(caller: ManagesRoles, user_id: UserId) -> UserAnswer:
        """Let a user sign in no more, and end their sessions at once."""
        user = await people.users.deactivate(caller, caller.organization, user_id)
        people.authenticator.forget()
        return user_answer(user)

    @routes.post("/organizations/users/{user_id}/reinstate")
    async def reinstate_user(caller: ManagesRoles, user_id: UserId) -> UserAnswer:
        """Let a user sign in again."""
        return user_answer(await people.users.reinstate(caller, user_id))

    @routes.put("/organizations/users/{user_id}/role")
    async def set_user_role(caller: ManagesRoles, user_id: UserId, body: JsonBody[UserRoleBody]) -> UserAnswer:
        """Give a user another role in the organization. Only an owner makes or changes an owner."""
        user = await people.users.set_role(caller, user_id, body.role_id)
        people.authenticator.forget()
        return user_answer(user)

    @routes.put("/organizations/users/{user_id}/profile")
    async def set_user_profile(caller: ManagesUsers, user_id: UserId, body: JsonBody[ProfileBody]) -> UserAnswer:
        """Change what a user is called; what is left out stays."""
        changes: dict[str, Any] = body.model_dump(exclude_unset=True)
        changes |= {name: "" for name in ("first_name", "last_name") if name in changes and changes[name] is None}
        user = await people.users.change(caller.organization, user_id, changes)
        people.authenticator.forget()
        return user_answer(user)

    @routes.post("/organizations/users/{user_id}/reset-mfa")
    async def reset_user_factors(
        caller: Annotated[Principal, Requires("can_reset_2fa", fresh=True)], user_id: UserId
    ) -> UserAnswer:
        """Take away a user's second factor and passkeys, and end their sessions."""
        user = await people.users.reset_factors(caller, user_id)
        people.authenticator.forget()
        return user_answer(user)

    @routes.get("/organizations/roles")
    async def list_organization_roles(
        caller: Annotated[Principal, Identified], page: PageNumber = 0, size: PageSize = 20
    ) -> Numbered[OrganizationRoleAnswer]:
        """The roles that a user can have in the organization."""
        found = organization_roles(caller.organization)
        return numbered(found[page * size : (page + 1) * size], len(found), page, size)


def _enrollments(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/organizations/enrollments")
    async def list_enrollments(
        caller: ManagesUsers,
        status: Annotated[EnrolmentStatus | None, Query(description="Only those that stand like this")] = None,
        page: PageNumber = 0,
        size: PageSize = 20,
    ) -> Numbered[EnrollmentAnswer]:
        """Invitations, the newest first."""
        found, total = await people.enrolments.page(caller.organization, status, page, size)
        now = people.clock()
        return numbered([enrollment_answer(one, now) for one in found], total, page, size)

    @routes.post("/organizations/enrollments", status_code=201)
    async def create_enrollment(caller: ManagesRoles, body: JsonBody[EnrollmentBody]) -> EnrollmentAnswer:
        """Invite a person by e-mail. An open invitation to the same address is replaced."""
        made = await people.enrolments.invite(
            caller,
            email=body.email,
            role=body.role_id,
            first_name=body.first_name,
            last_name=body.last_name,
            title=body.title,
            language=body.language,
            memberships={_workspace_id(caller, one.workspace_id): one.role_id for one in body.workspaces},
        )
        return enrollment_answer(made, people.clock())

    @routes.post("/organizations/enrollments/{enrollment_id}/resend")
    async def resend_enrollment(caller: ManagesUsers, enrollment_id: EnrollmentId) -> EnrollmentAnswer:
        """Send the e-mail again; the invitation lasts anew."""
        found = await people.enrolments.resend(caller.organization, enrollment_id)
        return enrollment_answer(found, people.clock())

    @routes.post("/organizations/enrollments/{enrollment_id}/cancel")
    async def cancel_enrollment(caller: ManagesUsers, enrollment_id: EnrollmentId) -> EnrollmentAnswer:
        """Withdraw an invitation: its link leads nowhere any more."""
        found = await people.enrolments.cancel(caller.organization, enrollment_id)
        return enrollment_answer(found, people.clock())


def _members(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/workspaces/{workspace_id}/memberships")
    async def list_memberships(
        caller: ManagesAccess,
        workspace_id: WorkspaceId,
        page: PageNumber = 0,
        size: PageSize = 20,
        search: Search = "",
        role_id: HeldRole = None,
    ) -> Numbered[MembershipAnswer]:
        """The direct members of a workspace by address."""
        return await _listed(people, caller, workspace_id, page, size, search, role_id, inherited=False)

    @routes.get("/organizations/workspaces/{workspace_id}/memberships")
    async def list_memberships_with_inherited(
        caller: ManagesAccess,
        workspace_id: WorkspaceId,
        page: PageNumber = 0,
        size: PageSize = 20,
        search: Search = "",
        role_id: HeldRole = None,
    ) -> Numbered[MembershipAnswer]:
        """The members of a workspace, and those who enter it by their role in the organization."""
        return await _listed(people, caller, workspace_id, page, size, search, role_id, inherited=True)

    @routes.put("/workspaces/{workspace_id}/name", status_code=204)
    async def rename_workspace(
        caller: GivesAccess, workspace_id: WorkspaceId, body: JsonBody[WorkspaceNameBody]
    ) -> None:
        """Give a workspace another name; end users see it where the theme says none."""
        _own(caller, workspace_id)
        await people.users.rename_workspace(caller, workspace_id, body.name)
        people.authenticator.forget()

    @routes.post("/workspaces/{workspace_id}/memberships", status_code=201)
    async def put_membership(
        caller: GivesAccess, workspace_id: WorkspaceId, body: JsonBody[MembershipBody]
    ) -> MembershipAnswer:
        """Make a user a member, or give a member another role."""
        _own(caller, workspace_id)
        user_id = parse_id(body.user_id)
        if user_id is None:
            raise USER_NOT_FOUND.error("your organization has no user with this id", "/userId")
        made = await people.users.put_member(caller.organization, workspace_id, user_id, body.role_id, caller)
        people.authenticator.forget()
        return membership_answer(made)

    @routes.delete("/workspaces/{workspace_id}/memberships/{user_id}", status_code=204)
    async def delete_membership(caller: GivesAccess, workspace_id: WorkspaceId, user_id: UserId) -> None:
        """End a direct membership."""
        _own(caller, workspace_id)
        await people.users.remove_member(caller, workspace_id, user_id)
        people.authenticator.forget()


def _roles(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/workspaces/{workspace_id}/roles")
    async def list_roles(
        caller: Annotated[Principal, Requires("can_view_workspace")],
        workspace_id: WorkspaceId,
        page: PageNumber = 0,
        size: PageSize = 100,
    ) -> Numbered[RoleAnswer]:
        """The roles of a workspace: those that are built in, and its own."""
        _own(caller, workspace_id)
        found = await people.roles.all(caller.organization, workspace_id)
        shown = await _with_grants(people, caller.organization, workspace_id, found[page * size : (page + 1) * size])
        return numbered(shown, len(found), page, size)

    @routes.get("/workspaces/{workspace_id}/roles/{name}")
    async def read_role(
        caller: Annotated[Principal, Requires("can_view_workspace")], workspace_id: WorkspaceId, name: RoleName
    ) -> RoleAnswer:
        """A role of a workspace."""
        _own(caller, workspace_id)
        found = await people.roles.get(caller.organization, workspace_id, name)
        return (await _with_grants(people, caller.organization, workspace_id, [found]))[0]

    @routes.post("/workspaces/{workspace_id}/roles", status_code=201)
    async def create_role(caller: GivesAccess, workspace_id: WorkspaceId, body: JsonBody[RoleBody]) -> RoleAnswer:
        """Make a role of the workspace's own, with no permission that one has not."""
        _own(caller, workspace_id)
        role = Role(body.name, body.description, frozenset(body.permissions), built_in=False)
        made = await people.roles.create(caller.organization, workspace_id, role, caller, body.grants)
        return (await _with_grants(people, caller.organization, workspace_id, [made]))[0]

    @routes.put("/workspaces/{workspace_id}/roles/{name}")
    async def change_role(
        caller: GivesAccess, workspace_id: WorkspaceId, name: RoleName, body: JsonBody[RoleChangeBody]
    ) -> RoleAnswer:
        """Say what a role of the workspace's own is from now on, for those who have it, too."""
        _own(caller, workspace_id)
        role = Role(name, body.description, frozenset(body.permissions), built_in=False)
        changed = await people.roles.change(caller, workspace_id, role, body.grants)
        people.authenticator.forget()
        return (await _with_grants(people, caller.organization, workspace_id, [changed]))[0]

    @routes.delete("/workspaces/{workspace_id}/roles/{name}", status_code=204)
    async def delete_role(caller: GivesAccess, workspace_id: WorkspaceId, name: RoleName) -> None:
        """Delete a role of the workspace's own that no member has."""
        _own(caller, workspace_id)
        await people.roles.delete(caller, workspace_id, name)


async def _with_grants(
    people: PeopleServices, organization_id: UUID, workspace_id: UUID, roles: Sequence[Role]
) -> list[RoleAnswer]:
    grants = await people.roles.things.answers(workspace_id, {one.name: one.granted for one in roles})
    members = await people.roles.holders(organization_id, workspace_id)
    return [role_answer(one, workspace_id, grants[one.name], members.get(one.name, 0)) for one in roles]


async def _listed(
    people: PeopleServices,
    caller: Principal,
    workspace_id: UUID,
    page: int,
    size: int,
    search: str,
    role: str | None,
    *,
    inherited: bool,
) -> Numbered[MembershipAnswer]:
    _own(caller, workspace_id)
    found, total = await people.users.members(
        caller.organization, workspace_id, page, size, inherited=inherited, search=search, role=role
    )
    return numbered([membership_answer(one) for one in found], total, page, size)


def _own(caller: Principal, workspace_id: UUID) -> None:
    """A key belongs to one workspace; a person's permissions here are those of the organization."""
    if caller.kind == "key" and workspace_id != caller.workspace_id:
        raise WORKSPACE_NOT_FOUND.error(f"there is no workspace {workspace_id}")


def _workspace_id(caller: Principal, text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise WORKSPACE_NOT_FOUND.error("`workspaceId` must be the id of a workspace", "/workspaces")
    _own(caller, found)
    return found
