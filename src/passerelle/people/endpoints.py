"""`/me`: who calls, what they may do, where they are signed in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from passerelle.kit.connections import NO_WORKSPACE
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.permissions import Identified, Requires, require_fresh
from passerelle.kit.ids import parse_id
from passerelle.people.errors import (
    ORGANIZATION_NOT_FOUND,
    PASSKEY_NOT_FOUND,
    SESSION_REQUIRED,
    WORKSPACE_NOT_FOUND,
    over,
)
from passerelle.people.models import Opened, Place, User, UserSession
from passerelle.people.schemas import (
    AuthenticateBody,
    AuthenticatedAnswer,
    ColleagueList,
    MeAnswer,
    MeBody,
    MyOrganizationAnswer,
    MyOrganizationList,
    MyPermissions,
    OrganizationBody,
    PasskeyList,
    PasswordBody,
    PlacePermissions,
    SessionList,
    SwitchedAnswer,
    WorkspaceBody,
    colleague_answer,
    me_answer,
    passkey_answer,
    permissions_answer,
    session_answer,
)
from passerelle.people.services import PeopleServices
from passerelle.people.signing_in import Browser, failed

Caller = Annotated[Principal, Identified]


def router(people: PeopleServices) -> APIRouter:
    """Everything under `/me`, and `GET /people`."""
    routes = APIRouter(tags=["Users and roles"], route_class=ApiRoute)
    _about(routes, people)
    _colleagues(routes, people)
    _organizations(routes, people)
    _sessions(routes, people)
    _proofs(routes, people)
    _passkeys(routes, people)
    return routes


def _colleagues(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/people")
    async def list_people(caller: Annotated[Principal, Requires("can_view_workspace")]) -> ColleagueList:
        """Everybody who works in the workspace: whom a review can be given to, and a comment can mention."""
        found = await people.users.colleagues(caller.organization, caller.workspace_id)
        return ColleagueList(data=[colleague_answer(one) for one in found])


def _about(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/me")
    async def read_me(caller: Caller) -> MeAnswer:
        """Who calls: a person with their session and workspaces, or a key."""
        user = await _user(people, caller)
        session = None if user is None else await _session(people, caller)
        organization = await people.users.organization(caller.organization)
        return me_answer(caller, organization, await _places(people, caller, user), user, session)

    @routes.patch("/me")
    async def change_me(caller: Caller, body: JsonBody[MeBody]) -> MeAnswer:
        """Change one's name, language or time zone; what is left out stays."""
        changes = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
        organization_id = caller.organization
        user = await _person(people, caller)
        if changes:
            user = await people.users.change(organization_id, user.id, changes)
            people.authenticator.forget()
        organization = await people.users.organization(organization_id)
        places, session = await people.users.places(user), await _session(people, caller)
        return me_answer(replace(caller, name=user.name), organization, places, user, session)

    @routes.get("/me/permissions")
    async def read_my_permissions(caller: Caller) -> MyPermissions:
        """Every permission in every workspace that one may enter: whether one has it, and why not."""
        places = await _places(people, caller, await _user(people, caller))
        found = [
            PlacePermissions(
                workspace_id=place.workspace_id,
                name=place.name,
                permissions=permissions_answer(_in_place(caller, place)),
            )
            for place in places
        ]
        here = None if caller.workspace_id == NO_WORKSPACE else caller.workspace_id
        return MyPermissions(permissions=sorted(caller.permissions), workspace_id=here, workspaces=found)

    @routes.put("/me/workspace", status_code=204)
    @unaudited("it says where somebody looks")
    async def choose_workspace(caller: Caller, body: JsonBody[WorkspaceBody]) -> None:
        """Say which workspace is meant by requests of one's sessions without the header `X-Workspace`."""
        user = await _person(people, caller)
        wanted = parse_id(body.workspace_id)
        if wanted is None:
            raise WORKSPACE_NOT_FOUND.error("there is no workspace with this id, or you are no member of it")
        await people.users.look_at(user, wanted)
        people.authenticator.forget()


def _organizations(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/me/organizations")
    async def list_my_organizations(request: Request, caller: Caller) -> MyOrganizationList:
        """The organizations that one can go on in without signing in again.

        They are those in which the password was right at this sign-in. To have the same address in another one is not
        enough: who looks after an organization can give its users any.
        """
        user = await _person(people, caller)
        here = await people.users.organization(user.organization_id)
        session = await people.sessions.find(people.authenticator.secret_in(request.scope))
        others = sorted((name, other.organization_id) for _, other, name in await people.signing_in.others(session))
        shown = [MyOrganizationAnswer(id=here.id, name=here.name, current=True)]
        shown += [MyOrganizationAnswer(id=one, name=name, current=False) for name, one in others]
        return MyOrganizationList(data=shown)

    @routes.put("/me/organization")
    @unaudited("the sign-out here and the sign-in there are written down")
    async def enter_organization(
        request: Request, response: Response, caller: Caller, body: JsonBody[OrganizationBody]
    ) -> SwitchedAnswer:
        """Go on in another organization, with the rights that one has there and none of those here.

        The session ends; the answer's cookie carries another one, which is as fresh and lasts as long as this one.
        """
        user = await _person(people, caller)
        wanted = parse_id(body.organization_id)
        secret = people.authenticator.secret_in(request.scope)
        session = await people.sessions.find(secret)
        if session is None or wanted is None:
            raise ORGANIZATION_NOT_FOUND.error("there is no organization with this id that you can go on in")
        browser = Browser(_address(request), request.headers.get("user-agent", ""), secret)
        step = await people.signing_in.switch(browser, session, user, wanted)
        people.authenticator.forget()
        _bind(response, people, step.opened)
        return SwitchedAnswer(needs="code" if step.needs == "code" else "nothing")


def _sessions(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/me/sessions")
    async def list_my_sessions(caller: Caller) -> SessionList:
        """Where one is signed in, the session that was seen last first."""
        user = await _person(people, caller)
        found = await people.sessions.of_user(user.organization_id, user.id)
        return SessionList(data=[session_answer(one, caller.session_id) for one in found])

    @routes.delete("/me/sessions", status_code=204)
    async def end_my_other_sessions(caller: Caller) -> None:
        """Sign out everywhere but here."""
        user = await _person(people, caller)
        await people.sessions.end_all(user.organization_id, user.id, besides=caller.session_id)
        people.authenticator.forget()

    @routes.delete("/me/sessions/{session_id}", status_code=204)
    async def end_my_session(
        caller: Caller, session_id: Annotated[UUID, Path(description="The session's id")], response: Response
    ) -> None:
        """Sign out in one browser: here, with the id of the present session."""
        user = await _person(people, caller)
        await people.sessions.end_one(user.organization_id, user.id, session_id)
        people.authenticator.forget()
        if session_id == caller.session_id:
            response.delete_cookie(
                people.authenticator.cookie, path="/", secure=people.authenticator.secure, httponly=True, samesite="lax"
            )


def _proofs(routes: APIRouter, people: PeopleServices) -> None:
    @routes.post("/me/password", status_code=204)
    async def change_my_password(request: Request, caller: Caller, body: JsonBody[PasswordBody]) -> None:
        """Change one's password. Every other session ends."""
        user = await _person(people, caller)
        await people.signing_in.again(user, _address(request), body.current)
        await people.users.set_password(user, body.password, besides=caller.session_id)
        people.authenticator.forget()

    @routes.post("/me/authenticate")
    async def authenticate_again(
        request: Request, response: Response, caller: Caller, body: JsonBody[AuthenticateBody]
    ) -> AuthenticatedAnswer:
        """Prove once more who one is, with the password or a code: for what answers `STEP_UP_REQUIRED`.

        The session goes on under a new secret, which the answer's cookie carries.
        """
        user, session = await _person(people, caller), await _session(people, caller)
        if body.password is not None:
            await people.signing_in.again(user, _address(request), body.password)
            factor = "password"
        elif body.code is not None and user.has_totp:
            factor = await people.factors.check(user, body.code)
        else:
            raise failed("/password")
        renewed = await people.sessions.renew(session, factor)
        people.authenticator.forget()
        assert renewed.session.authenticated_at is not None
        _bind(response, people, renewed)
        return AuthenticatedAnswer(authenticated_at=renewed.session.authenticated_at)


def _passkeys(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/me/passkeys")
    async def list_my_passkeys(caller: Caller) -> PasskeyList:
        """One's passkeys, the oldest first. They are added at `/set-up`, in the browser that will keep them."""
        found = await people.passkeys.of_user(await _person(people, caller))
        return PasskeyList(data=[passkey_answer(one) for one in found])

    @routes.delete("/me/passkeys/{passkey_id}", status_code=204)
    async def delete_my_passkey(
        caller: Annotated[Principal, Identified], passkey_id: Annotated[UUID, Path(description="The passkey's id")]
    ) -> None:
        """Take a passkey away: nobody signs in with it any more."""
        user = await _person(people, caller)
        require_fresh(caller)
        if not await people.passkeys.remove(user, passkey_id):
            raise PASSKEY_NOT_FOUND.error("you have no passkey with this id: `GET /me/passkeys` lists them")


def _bind(response: Response, people: PeopleServices, opened: Opened) -> None:
    lasts = int((opened.session.expires_at - opened.session.last_seen_at).total_seconds())
    response.set_cookie(
        people.authenticator.cookie,
        opened.secret,
        max_age=lasts,
        path="/",
        secure=people.authenticator.secure,
        httponly=True,
        samesite="lax",
    )


async def _user(people: PeopleServices, caller: Principal) -> User | None:
    return None if caller.kind == "key" else await people.users.get(caller.organization, caller.id)


async def _person(people: PeopleServices, caller: Principal) -> User:
    user = await _user(people, caller)
    if user is None:
        raise SESSION_REQUIRED.error("this is for people who are signed in: a key acts for a service")
    return user


async def _session(people: PeopleServices, caller: Principal) -> UserSession:
    found = await people.sessions.of_user(caller.organization, caller.id)
    session = next((one for one in found if one.id == caller.session_id), None)
    if session is None:  # it was ended meanwhile
        raise over()
    return session


async def _places(people: PeopleServices, caller: Principal, user: User | None) -> list[Place]:
    if user is not None:
        return await people.users.places(user)
    return [await people.users.place(caller.organization, caller.workspace_id, caller.permissions)]


def _in_place(caller: Principal, place: Place) -> Principal:
    """The caller as they are in a workspace."""
    if caller.kind == "key" or caller.workspace_id == NO_WORKSPACE:
        return caller
    roles = {role for role in caller.roles if role in ("owner", "admin", "member")} | {place.role or ""}
    return replace(caller, permissions=place.permissions, grants=place.grants, roles=frozenset(roles - {""}))


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
