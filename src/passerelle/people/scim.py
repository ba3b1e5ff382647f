"""SCIM 2.0 (RFC 7643, RFC 7644): users and groups as identity providers send them.

The library reads, writes, patches and filters; what comes of it is done by the services of users and groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    Email,
    Error,
    ETag,
    Filter,
    Group,
    GroupMember,
    ListResponse,
    Meta,
    Name,
    Patch,
    PatchOp,
    Resource,
    ResourceType,
    SCIMException,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    User,
)

from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.fields import said
from passerelle.kit.ids import parse_id
from passerelle.kit.storable import unstorable
from passerelle.people import models, repository
from passerelle.people.errors import GROUP_NOT_FOUND, USER_NOT_FOUND
from passerelle.people.groups import Groups
from passerelle.people.models import SCIM, NewUser, UserGroup
from passerelle.people.users import Users

MOST_LISTED: Final = 10_000
"""Users that a filter looks at."""
MOST_ON_PAGE: Final = 500
LONGEST_NAME: Final = 200
"""Characters of a group's name."""

R = TypeVar("R", bound=Resource[Any])


class ScimError(Exception):
    """What is answered in SCIM's own form."""

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        super().__init__(detail)
        self.error = Error(status=status, detail=detail, scim_type=scim_type)


class Scim:
    """The feature's service for provisioning."""

    def __init__(self, database: Database, users: Users, kept: Groups) -> None:
        self._database = database
        self._users = users
        self._groups = kept

    async def users(self, organization_id: UUID, asked: dict[str, str]) -> str:
        """A page of users. Raises `ScimError`."""
        request = _request(User, asked)
        async with self._database.organization(organization_id) as connection:
            found, _ = await repository.users(connection, MOST_LISTED, 0)
        return _page(User, request, map(_user, found))

    async def user(self, organization_id: UUID, user_id: str) -> str:
        """One user. Raises `ScimError`."""
        return _written(_user(await self._found(organization_id, user_id)), Context.RESOURCE_QUERY_RESPONSE)

    async def create_user(self, by: Principal, text: bytes) -> tuple[str, str]:
        """Make a user. The user's id comes first. Raises `ScimError`, EMAIL_IN_USE…"""
        wanted = _read(User, text, Context.RESOURCE_CREATION_REQUEST)
        organization_id = by.organization
        name = wanted.name or Name()
        given = NewUser(
            _address(wanted), "member", name.given_name or "", name.family_name or "", wanted.title, _language(wanted)
        )
        made = await self._users.make(organization_id, given)
        await self._keep(organization_id, made.id, wanted.external_id)
        if wanted.active is False:
            await self._users.deactivate(by, organization_id, made.id)
        return str(made.id), await self.user(organization_id, str(made.id))

    async def replace_user(self, by: Principal, user_id: str, text: bytes) -> str:
        """Write what a user is. Raises `ScimError`."""
        before = await self._found(by.organization, user_id)
        return await self._write_user(by, before, _read(User, text, Context.RESOURCE_REPLACEMENT_REQUEST))

    async def patch_user(self, by: Principal, user_id: str, text: bytes) -> str:
        """Change a user. Raises `ScimError`."""
        before = await self._found(by.organization, user_id)
        shown = _user(before)
        _patched(User, shown, text)
        return await self._write_user(by, before, shown)

    async def delete_user(self, by: Principal, user_id: str) -> None:
        """Let a user sign in no more: who did what stays known. Raises `ScimError`."""
        before = await self._found(by.organization, user_id)
        await self._users.deactivate(by, by.organization, before.id)

    async def groups(self, organization_id: UUID, asked: dict[str, str]) -> str:
        """A page of groups. Raises `ScimError`."""
        found = await self._groups.all(organization_id)
        return _page(Group, _request(Group, asked), map(_group, found))

    async def group(self, organization_id: UUID, group_id: str) -> str:
        """One group. Raises `ScimError`."""
        return _written(_group(await self._found_group(organization_id, group_id)), Context.RESOURCE_QUERY_RESPONSE)

    async def create_group(self, by: Principal, text: bytes) -> tuple[str, str]:
        """Make a group, which gives nothing until somebody says what. The group's id comes first."""
        wanted = _read(Group, text, Context.RESOURCE_CREATION_REQUEST)
        made = await self._groups.create(by.organization, _name_of(wanted), wanted.external_id, _members(wanted))
        return str(made.id), _written(_group(made), Context.RESOURCE_CREATION_RESPONSE)

    async def replace_group(self, by: Principal, group_id: str, text: bytes) -> str:
        """Write what a group is called and who is in it. Raises `ScimError`."""
        before = await self._found_group(by.organization, group_id)
        return await self._write_group(by, before.id, _read(Group, text, Context.RESOURCE_REPLACEMENT_REQUEST))

    async def patch_group(self, by: Principal, group_id: str, text: bytes) -> str:
        """Change a group. Raises `ScimError`."""
        before = await self._found_group(by.organization, group_id)
        shown = _group(before)
        _patched(Group, shown, text)
        return await self._write_group(by, before.id, shown)

    async def delete_group(self, by: Principal, group_id: str) -> None:
        """Forget a group. Raises `ScimError`."""
        before = await self._found_group(by.organization, group_id)
        await self._groups.delete(by.organization, before.id)

    async def _write_user(self, by: Principal, before: models.User, wanted: User[Any]) -> str:
        organization_id = by.organization
        if _address(wanted).casefold() != before.email.casefold():
            raise ScimError(400, "a user's address is not changed: make another user", "mutability")
        name = wanted.name or Name()
        changes = {"first_name": name.given_name or "", "last_name": name.family_name or "", "title": wanted.title}
        await self._users.change(organization_id, before.id, changes)
        await self._keep(organization_id, before.id, wanted.external_id)
        active = wanted.active is not False
        if active and before.state == "deactivated":
            await self._users.reinstate(by, before.id)
        elif not active and before.state == "active":
            await self._users.deactivate(by, organization_id, before.id)
        return await self.user(organization_id, str(before.id))

    async def _write_group(self, by: Principal, group_id: UUID, wanted: Group) -> str:
        written = await self._groups.replace(
            by.organization, group_id, _name_of(wanted), wanted.external_id, _members(wanted)
        )
        return _written(_group(written), Context.RESOURCE_QUERY_RESPONSE)

    async def _keep(self, organization_id: UUID, user_id: UUID, external_id: str | None) -> None:
        async with self._database.organization(organization_id) as connection:
            await repository.mark_provisioned(connection, user_id, external_id)

    async def _found(self, organization_id: UUID, text: str) -> models.User:
        user_id = parse_id(text)
        async with self._database.organization(organization_id) as connection:
            found = None if user_id is None else await repository.user_by_id(connection, user_id)
        if found is None:
            raise USER_NOT_FOUND.error("your organization has no user with this id")
        return found

    async def _found_group(self, organization_id: UUID, text: str) -> UserGroup:
        group_id = parse_id(text)
        if group_id is None:
            raise GROUP_NOT_FOUND.error("your organization has no group with this id")
        return await self._groups.get(organization_id, group_id)


def described(error: Exception) -> Error | None:
    """What went wrong, in SCIM's own form; None for what is no refusal."""
    if isinstance(error, ScimError):
        return error.error
    if isinstance(error, SCIMException):
        return error.to_error()
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        kind = str(first["type"]).removeprefix("scim_")
        return Error(
            status=400,
            detail=f"{place}: {said(first['msg'])}" if place else said(first["msg"]),
            scim_type=kind if kind in _KINDS else "invalidValue",
        )
    if not isinstance(error, PasserelleError):
        return None
    scim_type = {400: "invalidValue", 409: "uniqueness"}.get(error.status)
    return Error(status=error.status, detail=str(error), scim_type=scim_type)


def configuration() -> str:
    """What of SCIM is spoken here."""
    said = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST_ON_PAGE),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Organization token",
                description="Sent as `Authorization: Bearer`; with the permission `can_manage_users`.",
            )
        ],
        meta=Meta(resource_type="ServiceProviderConfig", location=f"{SCIM}/ServiceProviderConfig"),
    )
    return _written(said, Context.RESOURCE_QUERY_RESPONSE)


def resource_types() -> str:
    """The kinds of resources that there are."""
    return _list([ResourceType.from_resource(one) for one in (User, Group)], ResourceType)


def schemas() -> str:
    """What each of them has."""
    found = [one.to_schema() for one in (User, Group)]
    return _list(found, type(found[0]))


_KINDS: Final = frozenset(
    {"invalidFilter", "invalidPath", "invalidSyntax", "invalidValue", "mutability", "noTarget", "tooMany", "uniqueness"}
)


def _read(kind: type[R], text: bytes, context: Context) -> R:
    return kind.model_validate_json(_storable(text), scim_ctx=context)


def _patched(kind: type[R], shown: R, text: bytes) -> None:
    """Apply the changes to what is shown. Raises `ValidationError`, `SCIMException`."""
    wanted: PatchOp[R] = PatchOp[kind].model_validate_json(  # type: ignore[valid-type]
        _storable(text), scim_ctx=Context.RESOURCE_PATCH_REQUEST
    )
    wanted.patch(shown)


def _storable(text: bytes) -> bytes:
    """A body, which may be empty. Raises `ScimError` where the database would not keep what is in it."""
    problem = None
    with suppress(ValueError):  # what is no JSON is told by whoever reads it
        problem = unstorable(from_json(text))
    if problem is not None:
        raise ScimError(400, f"a value {problem}", "invalidValue")
    return text or b"{}"


def _request(kind: type[R], asked: dict[str, str]) -> SearchRequest[R]:
    known = {name: asked[name] for name in ("filter", "startIndex", "count") if name in asked}
    request: SearchRequest[R] = SearchRequest[kind].model_validate(known)  # type: ignore[valid-type]
    return request


def _page(kind: type[R], request: SearchRequest[R], resources: Iterator[R]) -> str:
    matches: Callable[[R], bool] = request.filter.match if request.filter is not None else lambda _: True
    found = [one for one in resources if matches(one)]
    start = max(1, request.start_index or 1)
    count = min(MOST_ON_PAGE, 100 if request.count is None else max(0, request.count))
    return _list(found[start - 1 : start - 1 + count], kind, len(found), start)


def _list(resources: Sequence[R], kind: type[R], total: int | None = None, start: int = 1) -> str:
    page = ListResponse[kind](  # type: ignore[valid-type]
        total_results=len(resources) if total is None else total,
        start_index=start,
        items_per_page=len(resources),
        resources=list(resources),
    )
    return _written(page, Context.RESOURCE_QUERY_RESPONSE)


def _written(shown: Any, context: Context) -> str:
    text: str = shown.model_dump_json(scim_ctx=context)
    return text


def _user(user: models.User) -> User[Any]:
    return User(
        id=str(user.id),
        external_id=user.external_id,
        user_name=user.email,
        name=Name(given_name=user.first_name or None, family_name=user.last_name or None),
        display_name=user.name,
        title=user.title,
        active=user.state == "active",
        emails=[Email(value=user.email, primary=True)],
        meta=_meta("User", user.id, user.created_at),
    )


def _group(group: UserGroup) -> Group:
    return Group(
        id=str(group.id),
        external_id=group.external_id,
        display_name=group.name,
        members=[GroupMember.model_validate({"value": str(one)}) for one in sorted(group.members)] or None,
        meta=_meta("Group", group.id, group.created_at, group.updated_at),
    )


def _meta(kind: str, one: UUID, created_at: datetime, updated_at: datetime | None = None) -> Meta:
    location = f"{SCIM}/{kind}s/{one}"
    return Meta(resource_type=kind, created=created_at, last_modified=updated_at or created_at, location=location)


def _address(wanted: User[Any]) -> str:
    """The address: `userName` where that is one, else the first of `emails`."""
    if wanted.user_name and "@" in wanted.user_name:
        return wanted.user_name
    listed = sorted(wanted.emails or [], key=lambda one: not one.primary)
    if listed and listed[0].value:
        return str(listed[0].value)
    raise ScimError(400, "`userName` must be an e-mail address, or `emails` have one", "invalidValue")


def _language(wanted: User[Any]) -> str:
    spoken = (wanted.preferred_language or wanted.locale or "en").partition("-")[0].lower()
    return spoken if spoken in ("en", "pl") else "en"


def _name_of(wanted: Group) -> str:
    if not wanted.display_name or len(wanted.display_name) > LONGEST_NAME:
        raise ScimError(400, f"`displayName` is required, of at most {LONGEST_NAME} characters", "invalidValue")
    return wanted.display_name


def _members(wanted: Group) -> list[UUID]:
    given = [str(one.value) for one in wanted.members or []]
    read = [parse_id(text) for text in given]
    wrong = ", ".join(f"`{text}`" for text, one in zip(given, read, strict=True) if one is None)
    if wrong:
        raise ScimError(400, f"no user has such an id: {wrong}", "invalidValue")
    return [one for one in read if one is not None]
