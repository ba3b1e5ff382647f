"""`passerelle push`: tables, definitions with their scenarios, and roles from files to a running Passerelle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passerelle.cli import scenario_files
from passerelle.cli.api_client import messages_of
from passerelle.definitions.files import gather
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx


def push_files(
    client: httpx.Client, paths: list[Path], *, publish: bool, lose_data: bool, replace_scenarios: bool
) -> Iterator[str]:
    """Push each file, tables first, and roles, which name the others, last; one line for each that is in.

    Raises `CommandError` with everything that is wrong. Nothing is pushed where a table's file is wrong, and no
    definition where a table was refused: it may need that table.
    """
    files = gather(paths).require()
    if files.tables:
        from passerelle.cli import tables_client as tables

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
            yield from (f"warning: {file}:{warning}" for warning in answer.json().get("warnings", ()))
            try:
                yield from scenario_files.push(client, file, answer.json(), replace=replace_scenarios)
            except CommandError as error:
                problems.append(str(error))
        else:
            problems += [f"{file}:{message}" for message in messages_of(answer)]
    if problems:
        raise CommandError("\n".join(dict.fromkeys(problems)))  # what a key may not do is said once
    if files.roles:
        from passerelle.cli import roles_client as roles

        yield from roles.push(client, roles.plan(roles.own_roles(client), files.roles))


def _line(file: Path, pushed: dict[str, Any], *, made: bool) -> str:
    proposal = pushed.get("proposal")
    state = "published" if pushed["published"] else "draft" if proposal is None else "proposed"
    news = "" if made else ", unchanged"
    waits = "" if proposal is None else f"; somebody else publishes it: passerelle publish approve {proposal}"
    return f"{file}: {pushed['name']} revision {pushed['revision']} ({state}{news}), id {pushed['id']}{waits}"
