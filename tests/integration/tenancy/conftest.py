"""The ways by which a company's processes reach their PostgreSQL: every test of tenancy goes by each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from passerelle.kit.database import Database
from tests.certificates import made
from tests.poolers import PoolMode, pgbouncer

Way = Callable[[str], str]


@pytest.fixture(scope="session", params=["direct", "session pooling", "transaction pooling", "pooling and TLS"])
def way(request: pytest.FixtureRequest, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """From a database's address to the one that the application is given."""
    if request.param == "direct":
        yield str
        return
    tls = made(tmp_path_factory.mktemp("tls")) if "TLS" in request.param else None
    mode: PoolMode = "session" if request.param.startswith("session") else "transaction"
    with pgbouncer(server_url, mode, tls=tls) as through:
        yield lambda url: urlsplit(through)._replace(path=urlsplit(url).path).geturl()


@pytest.fixture
def app_url(database_url: str, way: Way) -> str:
    """The test's database, as the application reaches it."""
    return way(database_url)


@pytest_asyncio.fixture(loop_scope="session")
async def database(app_url: str) -> AsyncIterator[Database]:
    """A pool on the test's database."""
    database = await Database.open(app_url, size=8)
    yield database
    await database.close()
