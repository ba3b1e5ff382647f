"""Tables and records over HTTP, on the test's own database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from passerelle.accounts.service import Accounts
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.http import reference, stack
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox
from passerelle.records.parts import RecordServices, record_parts
from passerelle.records.routes import routers
from passerelle.resources.files import Files
from tests.integration.records.recorded import Api


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def box() -> SecretBox:
    return SecretBox(["a-key-for-tests-of-thirty-two-characters"])


@pytest.fixture
def parts(database: Database, box: SecretBox, clock: MovedClock) -> RecordServices:
    return record_parts(database, Cursors(box), clock, new_id, files=Files.in_memory(), box=box)


@pytest.fixture
async def app(database: Database, box: SecretBox, clock: MovedClock, parts: RecordServices) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    accounts = Accounts(database, box, clock)
    app.state.accounts = accounts
    stack.install(
        app,
        authenticator=accounts.authenticator,
        database=database,
        box=box,
        clock=clock,
    )
    for router in routers(parts, Cursors(box)):
        app.include_router(router)
    reference.install(app, own=parts.own_tables.added_to)
    return app


@pytest.fixture
async def api(app: FastAPI) -> AsyncIterator[Api]:
    """A client with the credentials of a fresh workspace."""
    async with Api.opened(app, "acme") as api:
        yield api


@pytest.fixture
async def other(app: FastAPI) -> AsyncIterator[Api]:
    """A client of another workspace."""
    async with Api.opened(app, "other") as api:
        yield api
