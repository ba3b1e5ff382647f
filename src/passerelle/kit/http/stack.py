"""The order in which a request passes the tools of this package."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI

from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.database import Database
from passerelle.kit.http import errors
from passerelle.kit.http.authentication import Authentication, Authenticator, PublicPaths
from passerelle.kit.http.context import RequestContext
from passerelle.kit.http.direct import DirectRoutes
from passerelle.kit.http.idempotency import Idempotency
from passerelle.kit.http.media_types import DeprecationNotice
from passerelle.kit.http.versions import VersionGate, Versions
from passerelle.kit.secrets import SecretBox


def install(
    app: FastAPI,
    *,
    authenticator: Authenticator,
    public: Sequence[str],
    database: Database,
    box: SecretBox,
    deprecation: DeprecationNotice | None = None,
    gate: VersionGate | None = None,
    clock: Clock = system_clock,
) -> None:
    """Let every request of `app` pass: context, error boundary, authentication, version, idempotency,
    endpoint.

    `public`: the paths that need no credentials; one that ends in `/`, except `/` itself, stands for all below it.
    `gate`: whoever counts and refuses uses of a deprecated version.
    """
    app.state.public_paths = PublicPaths(public)
    errors.install(app)
    # The last one added is the outermost.
    app.add_middleware(DirectRoutes, application=app)
    app.add_middleware(Idempotency, database=database, box=box, clock=clock)
    app.add_middleware(Versions, application=app, gate=gate)
    app.add_middleware(Authentication, authenticator=authenticator, public=app.state.public_paths)
    app.add_middleware(errors.ErrorBoundary)
    app.add_middleware(RequestContext, deprecation=deprecation)
