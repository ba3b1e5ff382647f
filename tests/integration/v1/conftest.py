"""The product, opened once for all tests of a module; each test has workspaces of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from passerelle.app.services import Services
from passerelle.dev.mailcatcher.catcher import MailCatcher
from tests.integration.secrets.product import BASE_URL, joined, opened
from tests.integration.v1.both import Both


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
async def running(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Services, str, MailCatcher]]:
    catcher = MailCatcher(tmp_path_factory.mktemp("mail"))
    async with (
        catcher.listening() as port,
        opened(server_url, template, smtp_url=f"smtp://127.0.0.1:{port}", public_url=BASE_URL) as parts,
    ):
        yield *parts, catcher


@pytest.fixture
async def both(running: tuple[Services, str, MailCatcher], private_key: rsa.RSAPrivateKey) -> AsyncIterator[Both]:
    services, url, catcher = running
    async with joined(services, url) as product:
        async with services.shared.database.transaction(product.workspace_id) as connection:
            await services.accounts.signing_keys.create(connection, product.workspace_id, private_key)
        old_token = (await services.accounts.create_token(product.workspace_id, "old shop")).secret
        yield Both(product, catcher, old_token)
