"""`passerelle restore check`: what was sent after the moment to which the database was set back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from passerelle.cli.api_client import DEMO_DIR, aligned
from passerelle.cli.database_commands import DevDir, run, settings_beside
from passerelle.cli.printing import say, say_all
from passerelle.kit.clock import iso
from passerelle.kit.errors import CommandError

app = typer.Typer(no_args_is_help=True)

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
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """List the calls, webhooks and mails that were made after the moment to which the database was restored.

    Run it before anything is started. Exit status 1 if there are any, or where there is no journal to look into.
    """
    from passerelle.app import processes

    settings = settings_beside(data_dir)
    moment = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    found = run(processes.check_restored_database(settings, moment))
    if found is None:
        raise CommandError("the database does not know when it was last used: name the moment with --since")
    if not found.has_journal:
        raise CommandError(
            f"{settings.files_url} has no journal of what was sent: give PASSERELLE_FILES_URL as processes have it. "
            "With PASSERELLE_SENT_JOURNAL=0d there is none, and before the first half minute there was none either"
        )
    before = ", or under way at that moment" if any(one.sent.at < found.moment for one in found.sent) else ""
    say(f"sent after {iso(found.moment)}{before}, by the journal in {settings.files_url}:")
    rows = [("at", "what", "to", "key", "")]
    for one in found.sent:
        rows.append((iso(one.sent.at), one.sent.kind, one.sent.to, one.sent.key or "", _SAID[one.comes_again]))
    say_all(aligned(rows) if found.sent else ["nothing that was written down"])
    if found.unwritten:
        say(f"and {found.unwritten:,} more, of which only the number was kept")
    if found.sent or found.unwritten:
        raise typer.Exit(1)
