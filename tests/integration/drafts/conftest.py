"""The product, opened once for all tests of a module; each test has workspaces of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from passerelle.app.services import Services
from tests.integration.secrets.product import Product, joined, opened


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining
