"""What is kept for a time only is forgotten, whatever of it cannot be just now."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from passerelle.app.work import forget_what_is_over
from passerelle.resources.errors import FILES_UNAVAILABLE
from tests.integration.secrets.product import Product, joined, opened


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        yield product


async def test_what_cannot_be_forgotten_holds_up_nothing_else(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, forgotten = product.services, []

    async def failing() -> None:
        raise FILES_UNAVAILABLE.error("the store of files does not answer")

    async def last() -> None:
        forgotten.append("what was sent")

    monkeypatch.setattr(services.end_users, "forget_old", failing)
    monkeypatch.setattr(services.operations.sent, "forget_old", last)
    with capture_logs() as logged:
        await forget_what_is_over(services)
    assert forgotten == ["what was sent"]
    assert [one["what"] for one in logged if one["event"] == "forget.failed"] == ["end users"]
