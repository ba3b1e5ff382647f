"""The order in which a request passes the tools of this package."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware

from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.database import Database
from passerelle.kit.http import errors
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import Auditor
from passerelle.kit.http.authentication import Allowance, Authentication, Authenticator, SessionFinder
from passerelle.kit.http.claims import Claims
from passerelle.kit.http.context import RequestContext
from passerelle.kit.http.hot import HotRoutes
from passerelle.kit.http.leniency import AsMeant
from passerelle.kit.http.media_types import DeprecationNotice
from passerelle.kit.http.prefix import PathPrefix
from passerelle.kit.http.versions import VersionGate
from passerelle.kit.secrets import SecretBox


def install(
    app: FastAPI,
    *,
    authenticator: Authenticator,
    database: Database,
    box: SecretBox,
    deprecation: DeprecationNotice | None = None,
    gate: VersionGate | None = None,
    auditor: Auditor | None = None,
    sessions: SessionFinder | None = None,
    allowance: Allowance | None = None,
    origins: Sequence[str] = (),
    prefix: str = "",
    secure: bool = False,
    clock: Clock = system_clock,
) -> None:
    """Let every request of `app` pass: context, error boundary, leniency, authentication, then its route.

    The routes are served by then (`serve`).

    `sessions`: what knows people by the cookie of their session.
    `allowance`: whoever counts the requests of a workspace.
    `origins`: sites whose scripts may call, `*` for any.
    `auditor`: whoever writes down who did what.
    `secure`: whether it is reached by TLS.
    `gate`: whoever counts and refuses uses of a deprecated version. `prefix`: the path under which all of it lives.
    """
    app.state.claims = Claims(database, box, clock)
    app.state.version_gate = gate
    app.state.auditor = auditor
    app.state.authenticator = authenticator
    # An address with a slash too many is answered, never redirected: a redirect would trust the Host header.
    app.router.redirect_slashes = False
    errors.install(app)
    # The last one added is the outermost.
    app.add_middleware(HotRoutes, routes=[one for one in app.router.routes if isinstance(one, ApiRoute) and one.is_hot])
    app.add_middleware(Authentication, authenticator=authenticator, sessions=sessions, allowance=allowance)
    app.add_middleware(AsMeant)
    app.add_middleware(errors.ErrorBoundary)
    if origins:
        # Credentials are sent as a header, which a site's script must have: cookies stay out of it.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["*"],
            max_age=600,
        )
    app.add_middleware(RequestContext, deprecation=deprecation, secure=secure)
    app.state.prefix = prefix
    app.add_middleware(PathPrefix, prefix=prefix)


def serve(app: FastAPI, *routers: APIRouter) -> None:
    """Add what `routers` have to the application's own routes.

    The framework's `include_router` keeps them apart, and asks the chosen one twice for each request.
    """
    for router in routers:
        app.router.routes.extend(router.routes)
