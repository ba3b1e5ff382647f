"""The product, opened once for all tests of a module; each test has workspaces of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from bound import Bound
from product import joined, opened

from passerelle.wiring import Services


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def bound(running: tuple[Services, str]) -> AsyncIterator[Bound]:
    async with joined(*running) as product:
        yield Bound(product)
