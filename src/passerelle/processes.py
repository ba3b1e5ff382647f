"""`passerelle serve`, `worker`, `migrate` and the commands that work on a database of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from passerelle.accounts.service import UnknownWorkspaceError
from passerelle.deprecations.models import Mode
from passerelle.errors import CommandError, PasserelleError
from passerelle.events import restored
from passerelle.kit import schema
from passerelle.kit.clock import iso
from passerelle.kit.secrets import SecretBox
from passerelle.main import create_app
from passerelle.serving import listen, spare_collector, stop_on_signals
from passerelle.serving import serve as serve_app
from passerelle.settings import Settings
from passerelle.wiring import Services, open_services


async def serve(settings: Settings, host: str, port: int) -> None:
    """Answer HTTP until SIGINT or SIGTERM."""
    stop = stop_on_signals()
    sock = listen(host, port)
    base_url = settings.public_url or f"http://localhost:{sock.getsockname()[1]}"
    async with _services(settings.model_copy(update={"public_url": base_url})) as services:
        print(f"Passerelle answers at {base_url}", flush=True)
        await serve_app(create_app(services, base_url), sock, stop, services.events.let_go)


async def work(settings: Settings) -> None:
    """Run jobs until SIGINT or SIGTERM."""
    stop = stop_on_signals()
    async with _services(settings) as services:
        spare_collector()
        working = asyncio.create_task(services.worker.run())
        print("Passerelle's worker runs", flush=True)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await services.worker.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(working, 10)


async def migrate_database(settings: Settings) -> list[str]:
    """Bring the database to this release's schema, also after a restore; the migrations that were applied."""
    url = _database_url(settings)
    with _clear_about(url):
        applied = await schema.migrate(url)
        await restored.bring_back_numbers(url)
        return applied


async def create_workspace(settings: Settings, name: str) -> str:
    """Make a workspace; its id."""
    async with _services(settings) as services:
        return str((await services.accounts.create_workspace(name)).id)


async def treat_version_one(settings: Settings, workspace_id: UUID, mode: str | None, brownouts: str | None) -> None:
    """Say how version 1 is treated in one workspace; None follows the setting."""
    async with _services(settings) as services:
        try:
            known = await services.deprecations.set_mode(
                workspace_id, Mode(mode) if mode is not None else None, brownouts, "operator", by_operator=True
            )
        except PasserelleError as error:
            raise CommandError(str(error)) from None
        if not known:
            raise CommandError(f"there is no workspace {workspace_id}: make one with `passerelle workspace create`")


async def create_key(
    settings: Settings, workspace_id: UUID, name: str, api_version: int, roles: list[str], *, organization_token: bool
) -> dict[str, Any]:
    """Make credentials; what the caller has to keep."""
    async with _services(settings) as services:
        try:
            if organization_token:
                token = await services.accounts.create_organization_token(workspace_id, name, api_version, roles)
                return {"organizationToken": token}
            made = await services.accounts.create_key(workspace_id, name, api_version, roles)
        except (UnknownWorkspaceError, ValueError) as error:
            raise CommandError(str(error)) from None
        return {"key": made.key, "secret": made.secret}


async def rotate_signing_key(settings: Settings, workspace_id: UUID, overlap: timedelta) -> dict[str, str]:
    """Make another key to sign with, which does so after `overlap`; its id and that time."""
    async with _services(settings) as services:
        try:
            key_id, signs_from = await services.accounts.signing_keys.rotate(workspace_id, overlap)
        except asyncpg.ForeignKeyViolationError:
            raise CommandError(
                f"there is no workspace {workspace_id}: make one with `passerelle workspace create`"
            ) from None
        return {"kid": str(key_id), "signsFrom": iso(signs_from)}


@asynccontextmanager
async def _services(settings: Settings) -> AsyncIterator[Services]:
    url = _database_url(settings)
    if settings.secret_key is None:
        raise CommandError(
            "PASSERELLE_SECRET_KEY is not set: make one with `openssl rand -base64 32` and give it to every process"
        )
    box = SecretBox.from_setting(settings.secret_key.get_secret_value())
    with _clear_about(url):
        await schema.require_current(url)
        await restored.require_numbers(url)
        opened = open_services(settings, url, box)
        services = await opened.__aenter__()
    try:
        yield services
    finally:
        await opened.__aexit__(None, None, None)


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise CommandError("PASSERELLE_DATABASE_URL is not set: give it as postgresql://user:password@host/database")
    url = settings.database_url.get_secret_value()
    if not url.startswith(("postgresql://", "postgres://")):
        raise CommandError("PASSERELLE_DATABASE_URL must begin with postgresql://")
    return url.replace("postgres://", "postgresql://", 1)


class _clear_about:  # noqa: N801 - reads as the sentence that it stands in
    """Says in one line why the database at `url` cannot be used; never shows the password."""

    def __init__(self, url: str) -> None:
        self._where = url.rsplit("@", 1)[-1]

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, OSError | asyncpg.PostgresConnectionError | asyncpg.InterfaceError):
            reason = "nothing answers there" if isinstance(error, OSError) else str(error)
            raise CommandError(f"PASSERELLE_DATABASE_URL ({self._where}): {reason}") from None
        if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
            raise CommandError(f"PASSERELLE_DATABASE_URL ({self._where}): {error}") from None
        if isinstance(error, ValueError):
            raise CommandError(f"PASSERELLE_DATABASE_URL is no address of a database: {error}") from None
