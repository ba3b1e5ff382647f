"""`passerelle restore check`: what was sent after the moment to which the database was set back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from passerelle.cli.api_client import DEMO_DIR, aligned
from passerelle.kit.clock import iso
from passerelle.kit.errors import CommandError

app = typer.Typer(no_args_is_help=True)
output = Console(soft_wrap=True)

_SAID: Final = {True: "comes again, with the same key", False: "does not come again", None: ""}


@app.callback()
def restore() -> None:
    """After the database was restored."""


@app.command("check")
def check_restore(
    since: Annotated[
        datetime | None,
        typer.Option(
            help="The moment, in UTC (2026-01-05T09:00:00); default: the last one that the database knows of."
        ),
    ] = None,
    data_dir: Annotated[
        Path,
        typer.Option("--data-dir", help="Without PASSERELLE_DATABASE_URL: the folder of a running `passerelle dev`."),
    ] = DEMO_DIR,
) -> None:
    """List the calls, webhooks and mails that were made after the moment to which the database was restored.

    Run it before anything is started. Exit status 1 if there are any.
    """
    from passerelle.app import processes  # noqa: PLC0415 - a command loads only what it needs
    from passerelle.app.settings import load  # noqa: PLC0415
    from passerelle.cli.users import _run  # noqa: PLC0415
    from passerelle.dev.folder import settings_beside  # noqa: PLC0415

    moment = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    found = _run(processes.check_restored_database(settings_beside(load(), data_dir), moment))
    if found is None:
        raise CommandError("the database does not know when it was last used: name the moment with --since")
    output.print(f"sent after {iso(found.moment)}:", markup=False, highlight=False)
    rows = [("at", "what", "to", "key", "")]
    for one in found.sent:
        rows.append((iso(one.sent.at), one.sent.kind, one.sent.to, one.sent.key or "", _SAID[one.comes_again]))
    for line in aligned(rows) if found.sent else ["nothing that was written down"]:
        output.print(line, markup=False, highlight=False)
    if found.unwritten:
        output.print(f"and {found.unwritten:,} more, of which only the number was kept", highlight=False)
    if found.sent or found.unwritten:
        raise typer.Exit(1)
