"""A route of the API: what its endpoint's signature declares is checked in one order, before the endpoint runs.

Who calls and whether they may; which version is meant; whether the request was answered before (`Idempotency-Key`);
then everything that the address and the body say, all that is wrong with them at once.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import quote

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from passerelle.kit.errors import PasserelleError
from passerelle.kit.grants import act_for, by_itself
from passerelle.kit.http.auditing import (
    AuditedRoute,
    Auditor,
    audited_route,
    request_of,
    shows_personal,
)
from passerelle.kit.http.authentication import Principal, principal
from passerelle.kit.http.bodies import RawJson, body_facts, read_raw_json, text_body
from passerelle.kit.http.hot import is_hot, straight
from passerelle.kit.http.idempotency import DOCUMENTED_KEY, once, takes_key
from passerelle.kit.http.media_types import Versioned, accept_header, negotiate
from passerelle.kit.http.permissions import PERMISSION_DENIED, needs_no_permission, require, required_permission
from passerelle.kit.http.versions import DEPRECATED, VersionUse, version_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_NAME: Final = re.compile(r"\{(\w+)")


class ApiRequest(Request):
    """A request whose body was read within our limits, if its endpoint has one."""

    raw: RawJson | None = None

    async def body(self) -> bytes:
        """The JSON body as `RawJson`, which its model reads; other bodies as they came."""
        return await super().body() if self.raw is None else self.raw

    async def json(self) -> Any:
        """The same: reading is the model's work."""
        return await self.body()


class ApiRoute(APIRoute):
    """An endpoint of the API.

    It refuses a parameter of the address that its endpoint does not know: a misspelt filter would find everything.
    An endpoint without such parameters takes any: nothing that they say could be lost on it.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **facts: Any) -> None:
        dependencies = facts.get("dependencies") or []
        required = required_permission(endpoint, dependencies)
        self.permission = None if required is None else required.permission
        self.limited_to = None if required is None else required.of
        self.asks_caller = self.permission is not None or needs_no_permission(endpoint, dependencies)
        self.body_facts = body_facts(endpoint)
        self.version = version_of(endpoint)
        self.is_hot = is_hot(endpoint)
        self._before_names, named, _ = path.partition("{")
        self._has_names = bool(named)
        self._versions: tuple[int, ...] | None = None
        words = endpoint.__name__.replace("_", " ")
        facts["summary"] = facts.get("summary") or words.capitalize()
        facts["operation_id"] = facts.get("operation_id") or to_camel(endpoint.__name__)
        facts["strict_content_type"] = False
        methods = facts.get("methods") or ("GET",)
        self.audited = audited_route(path, endpoint, methods, facts["operation_id"], facts.get("status_code") or 200)
        super().__init__(path, endpoint, **facts)
        self.openapi_extra = {**self._documented(endpoint), **(self.openapi_extra or {})}
        if self.permission is not None:
            self.description = f"{self.description}\n\nRequires `{self.permission}`.".strip()

    def _documented(self, endpoint: Callable[..., Any]) -> dict[str, Any]:
        """What the framework cannot know of this package's tools."""
        extra: dict[str, Any] = {}
        if self.permission is not None:
            extra["x-permission"] = self.permission
        if self.asks_caller and takes_key(self.methods or ()):
            extra["parameters"] = [DOCUMENTED_KEY]
        if (text := text_body(endpoint)) is not None:
            extra["requestBody"] = text
        return extra

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this endpoint is meant: by its address, its method, and the version that `Accept` names."""
        # Asked of most endpoints for each request, so that few are compared by their expression.
        path, begin = scope["path"], self._before_names
        if not (path.startswith(begin) if self._has_names else path.endswith(begin)) or scope["type"] != "http":
            return Match.NONE, {}
        match, found = super().matches(scope)
        if match is Match.FULL and not self.is_chosen(scope):
            return Match.NONE, {}
        return match, found

    def is_chosen(self, scope: Scope) -> bool:
        """Whether the version that `Accept` names is the endpoint's."""
        return self.version is None or self._chosen(scope) == self.version.number

    def _chosen(self, scope: Scope) -> int:
        """The version that answers; the newest where none can, so that its handler refuses."""
        if self._versions is None:
            self._versions = _versions_of(self, scope)
        try:
            return negotiate(accept_header(scope), available=self._versions, default=_default(scope))
        except PasserelleError:
            return max(self._versions)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the framework's. Whom the request acts for holds until the last byte of a streamed answer is sent."""
        with by_itself():
            await super().handle(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As `handle`, without the framework: for a hot endpoint."""
        with by_itself():
            response = await self._serve(ApiRequest(scope, receive))
            await response(scope, receive, send)

    def get_route_handler(self) -> Handler:
        """As the framework's, behind everything that comes first."""
        self._serve = self._handler(super().get_route_handler())
        return self._serve

    def _handler(self, framework: Handler) -> Handler:
        handle = straight(self.endpoint) if self.is_hot else _checked_parameters(self, framework)
        read = handle if self.body_facts is None else _body_read(handle, optional=self.body_facts.optional)
        read = self._written_down(read) if self.asks_caller else read

        async def serve(given: Request) -> Response:
            request = ApiRequest(given.scope, given.receive)
            if not self.asks_caller:
                return await self._answer(request, read)
            caller = await principal(request)
            if self.permission is not None and not caller.may(self.permission, self.limited_to):
                await self._note(request, caller, PERMISSION_DENIED.name)
                require(caller, self.permission, self.limited_to)
            act_for(caller, self.permission, self.limited_to)
            return await self._answer(request, read)

        return serve

    async def _answer(self, request: ApiRequest, read: Handler) -> Response:
        if self.version is not None:
            await self._admit(request.scope)
        if self.asks_caller and takes_key(self.methods or ()):
            return await once(request, read)
        return await read(request)

    def _written_down(self, handle: Handler) -> Handler:
        """The same, with what the audit is to say of it."""
        audited = self.audited
        changes = audited is not None and audited.category == "change"

        async def written_down(request: Request) -> Response:
            caller: Principal = request.scope["state"]["principal"]
            auditor = _auditor(request)
            try:
                if auditor is not None and audited is not None and changes:
                    async with auditor.change(request_of(audited, caller, request)):
                        return await handle(request)
                if audited is not None and audited.exports:
                    await self._note(request, caller)
                    return await handle(request)
                response = await handle(request)
                if audited is not None and shows_personal(self.permission, caller, request.scope):
                    await self._note(request, caller)
                return response
            except PasserelleError as refusal:
                if refusal.status == 403:
                    await self._note(request, caller, refusal.problems[0].code)
                raise

        return written_down

    async def _note(self, request: Request, caller: Principal, code: str | None = None) -> None:
        auditor = _auditor(request)
        if auditor is not None:
            route = self.audited or AuditedRoute(self.operation_id or "", "change", "")
            await auditor.note(request_of(route, caller, request), code)

    async def _admit(self, scope: Scope) -> None:
        """Note the version, for the answer's headers. Raises UNSUPPORTED_VERSION, and what the gate raises."""
        assert self.version is not None
        versions, state = self._versions or (self.version.number,), scope["state"]
        number = negotiate(accept_header(scope), available=versions, default=_default(scope))
        # The path is the caller's: what is put into a header must not end it.
        names = {name: quote(str(value), safe="") for name, value in scope["path_params"].items()}
        successor = self.version.successor.format(**names) if self.version.successor is not None else None
        state["versioned"] = Versioned(number, successor)
        caller: Principal | None = state.get("principal")
        gate = getattr(scope["app"].state, "version_gate", None)
        if number != DEPRECATED or caller is None or gate is None:
            return
        endpoint = f"{scope['method']} {shown_path(self.path)}"
        use = VersionUse(caller, endpoint, successor, len(versions) > 1, _user_agent(scope))

        async def admit() -> None:
            if await gate.admit(use):
                state["versioned"] = replace(state["versioned"], warned=True)

        if self.version.by_content:
            state["admit"] = admit
        else:
            await admit()


def _auditor(request: Request) -> Auditor | None:
    found: Auditor | None = getattr(request.app.state, "auditor", None)
    return found


def shown_path(path: str) -> str:
    """A route's path as the reference shows it: `/workflows/{workflowId}`."""
    return _NAME.sub(lambda match: "{" + to_camel(match[1]), path)


def _versions_of(route: ApiRoute, scope: Scope) -> tuple[int, ...]:
    """The versions that an endpoint's address has, of which each is an endpoint."""
    found = {
        context.original_route.version.number
        for context in iter_route_contexts(scope["app"].routes)
        if isinstance(context.original_route, ApiRoute)
        and context.original_route.version is not None
        and context.path == route.path
        and (context.methods or set()) & (route.methods or set())
    }
    return tuple(sorted(found)) or (route.version.number if route.version else DEPRECATED,)


def _default(scope: Scope) -> int:
    caller: Principal | None = scope["state"].get("principal")
    return DEPRECATED if caller is None else caller.api_version


def _body_read(handle: Handler, *, optional: bool) -> Handler:
    async def read(request: Request) -> Response:
        assert isinstance(request, ApiRequest)
        request.raw = await read_raw_json(request, optional=optional)
        # It was looked at: the framework would parse it anew, at the price of a small endpoint.
        request.scope["headers"] = [header for header in request.scope["headers"] if header[0] != b"content-type"]
        return await handle(request)

    return read


def _checked_parameters(route: ApiRoute, handle: Handler) -> Handler:
    fields = list(_query_fields(route.dependant))
    known = {field.alias for field in fields}
    # Parameters that are one model: it says itself what it knows.
    if not known or any(_is_model(field.field_info.annotation) for field in fields):
        return handle

    async def checked(request: Request) -> Response:
        unknown = [_unknown(name, known) for name in request.query_params if name not in known]
        if not unknown:
            return await handle(request)
        raised = await _refused(request, route)
        raise RequestValidationError([*raised, *unknown], body=getattr(request, "raw", None))

    return checked


def _query_fields(dependant: Any) -> Iterator[Any]:
    """The parameters of an endpoint and of all that it depends on."""
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from _query_fields(one)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


async def _refused(request: Request, route: ApiRoute) -> list[Any]:
    """What else is wrong with a request that is refused: all is checked, and nothing done."""

    @functools.wraps(route.endpoint)
    async def nothing(**values: Any) -> Response:
        return Response()

    checking = APIRoute(route.path, nothing, response_model=None, methods=route.methods)
    try:
        await checking.get_route_handler()(request)
    except RequestValidationError as raised:
        return list(raised.errors())
    return []


def _unknown(name: str, known: set[str]) -> dict[str, Any]:
    near = get_close_matches(name, known, 1)
    advice = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{one}`' for one in sorted(known))}"
    return {
        "type": "unknown_parameter",
        "loc": ("query", name),
        "msg": f"there is no such parameter here; {advice}",
        "input": None,
    }


def _user_agent(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), None)
