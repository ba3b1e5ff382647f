"""A small application with the whole HTTP layer, on the test's own database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from fastapi import FastAPI

from passerelle.accounts import service
from passerelle.accounts.endpoints import router
from passerelle.accounts.models import NewKey, Workspace
from passerelle.accounts.service import Accounts
from passerelle.accounts.signing_keys import generate_private_key
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.http import stack
from passerelle.kit.secrets import SecretBox
from tests.integration.accounts.things import Effects, things

SECRET_KEY = "a key for tests of thirty-two characters".replace(" ", "-")


@pytest.fixture(scope="session")
async def private_key() -> RSAPrivateKey:
    """Made once, the way every workspace's is: making one takes up to a second."""
    return await generate_private_key()


@pytest.fixture(autouse=True)
def one_private_key(monkeypatch: pytest.MonkeyPatch, private_key: RSAPrivateKey) -> None:
    async def made_before() -> RSAPrivateKey:
        return private_key

    monkeypatch.setattr(service, "generate_private_key", made_before)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def box() -> SecretBox:
    return SecretBox([SECRET_KEY])


@pytest.fixture
def accounts(database: Database, box: SecretBox, clock: MovedClock) -> Accounts:
    return Accounts(database, box, clock)


@pytest.fixture
async def workspace(accounts: Accounts) -> Workspace:
    return await accounts.create_workspace("Acme")


@pytest.fixture
async def key(accounts: Accounts, workspace: Workspace) -> NewKey:
    return await accounts.create_key(workspace.id, "integration")


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest.fixture
async def client(
    accounts: Accounts, database: Database, box: SecretBox, clock: MovedClock, effects: Effects
) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    stack.install(
        app,
        authenticator=accounts.authenticator,
        database=database,
        box=box,
        clock=clock,
    )
    app.include_router(router(accounts))
    app.include_router(things(effects))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://passerelle.test") as opened:
        yield opened
