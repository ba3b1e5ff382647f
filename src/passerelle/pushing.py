"""`passerelle push`: tables and definitions from files to a running Passerelle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passerelle.errors import CommandError
from passerelle.gathering import gather
from passerelle.remote import messages_of

if TYPE_CHECKING:
    import httpx


def push_files(client: httpx.Client, paths: list[Path], *, publish: bool, lose_data: bool) -> Iterator[str]:
    """Push each file, tables first; one line for each that is in.

    Raises `CommandError` with everything that is wrong. Nothing is pushed where a table's file is wrong, and no
    definition where a table was refused: it may need that table.
    """
    files = gather(paths).require()
    if files.tables:
        from passerelle.tables import client as tables  # noqa: PLC0415 - a command loads only what it needs

        yield from tables.push(client, tables.plan(tables.remote_tables(client), files.tables), lose_data=lose_data)
    problems: list[str] = []
    for file, text in files.definitions:
        answer = client.post(
            "/definitions",
            params={"publish": str(publish).lower()},
            content=text.encode(),
            headers={"Content-Type": "application/yaml"},
        )
        if answer.is_success:
            yield _line(file, answer.json(), made=answer.status_code == 201)
        else:
            problems += [f"{file}:{message}" for message in messages_of(answer)]
    if problems:
        raise CommandError("\n".join(problems))


def _line(file: Path, pushed: dict[str, Any], *, made: bool) -> str:
    state = "published" if pushed["published"] else "draft"
    news = "" if made else ", unchanged"
    return f"{file}: {pushed['name']} revision {pushed['revision']} ({state}{news}), id {pushed['id']}"
