"""What a process says when it starts, of what is configured and does not hold it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import asyncpg
import structlog

from passerelle.app.services import Services
from passerelle.app.settings import Settings, unknown_names
from passerelle.kit.address import parse_address, why_refused
from passerelle.kit.connections import connect
from passerelle.kit.errors import CommandError
from passerelle.migrations import schema

log = structlog.get_logger("passerelle.start")

_PATIENCE: Final = 3.0
"""Seconds that PostgreSQL's own address has to answer: the process waits for it."""


async def tell_all(settings: Settings, url: str, services: Services) -> None:
    """Everything that whoever has set it up should look at. `url`: the database's."""
    _tell_of_unknown(unknown_names())
    await _tell_of_functions(url)
    await _tell_of_operator(settings, services)
    await _tell_of_direct_url(settings.direct_address)


def tell_of_address(settings: Settings) -> None:
    """Where links point to nothing that others reach."""
    if settings.public_url is None:
        log.warning(
            "public_url.missing",
            meaning="links and e-mails point to localhost: set PASSERELLE_PUBLIC_URL to the address that people use",
        )


def _tell_of_unknown(names: Sequence[str]) -> None:
    if names:
        log.warning("settings.unknown", names=list(names), meaning="`passerelle settings` lists those that there are")


async def _tell_of_functions(url: str) -> None:
    there = await schema.other_functions(url)
    if there is not None:
        log.warning(
            "functions.of_another_build",
            there=there,
            meaning="this process works with them, as in an upgrade; where it is the newest, run its "
            "`passerelle migrate` again: an older build's has put its own functions back",
        )


async def _tell_of_operator(settings: Settings, services: Services) -> None:
    wanted = settings.operated_by
    if wanted is not None and not await services.people.users.is_organization(wanted):
        log.warning(
            "operated_by.unknown",
            organization=str(wanted),
            meaning="PASSERELLE_OPERATED_BY names no organization of this database, so nobody sees how the "
            "installation stands: correct it, or leave it out where there is only one",
        )


async def _tell_of_direct_url(url: str | None) -> None:
    if url is None:
        return
    try:
        connection = await connect(url, "passerelle start", timeout=_PATIENCE)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError, CommandError) as error:
        log.warning(
            "database_direct_url.unusable",
            where=parse_address(url).shown,
            reason=why_refused(error) or "it does not answer",
            meaning="PASSERELLE_DATABASE_DIRECT_URL has to be PostgreSQL's own address: until it can be reached, this "
            "process asks every few seconds instead of being told, and `passerelle migrate` does not work",
        )
    else:
        await connection.close(timeout=_PATIENCE)
