"""The command line. Every command is a few lines; errors are one line that says what to do."""

from __future__ import annotations

import gc
import inspect
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Final

import typer
from typer.models import CommandInfo

from passerelle.cli import definition_files, installation
from passerelle.cli.printing import say
from passerelle.kit.errors import CommandError

app = typer.Typer(
    name="passerelle", help="Self-hosted onboarding workflows.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.registered_commands += [*installation.app.registered_commands, *definition_files.app.registered_commands]

GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "workspace": ("workspaces", "Workspaces."),
    "key": ("keys", "Credentials of a workspace."),
    "user": ("users", "People who sign in."),
    "role": ("roles", "Roles of a workspace."),
    "sso": ("sso", "Single sign-on and provisioning."),
    "secret": ("secrets", "Secrets of a workspace, which steps use as ${secrets.NAME}."),
    "link": ("links", "Links: how end users get in."),
    "lists": ("lists", "Lists of names that the check `sanctions` searches."),
    "tables": ("tables", "Tables of records."),
    "records": ("records", "Import and export records; restore deleted ones; find and merge duplicates."),
    "theme": ("theme", "Name, logo, colours and allowed sites of a workspace's pages."),
    "webhooks": ("webhooks", "Webhooks: endpoints, their log, deliveries to your laptop."),
    "draft": ("drafts", "Drafts: what is being written in the builder, as files."),
    "publish": ("publish", "Publishing by two persons: proposals, and deciding them."),
    "reviews": ("reviews", "Reviews: decisions that executions wait for."),
    "cases": ("cases", "Cases: bring them, and move them into a table of your own."),
    "deprecations": ("deprecations", "Uses of version 1, and how it is treated."),
    "executions": (
        "executions",
        "Executions: start, list, show, cancel, retry, send events, move to another revision.",
    ),
    "retention": ("retention", "How long a workspace keeps what."),
    "restore": ("restore", "After the database was set back: what was sent since."),
    "archive": ("archives", "What was written to the store before it was removed."),
    "hold": ("holds", "Legal holds: what nobody removes until it is released."),
    "audit": ("audit", "Who did what, and whether the audit is as it was written."),
}
"""The groups, each loaded when it is named: the module, and what is in it."""

COMPLETING: Final = "_PASSERELLE_COMPLETE"
"""Set by the shell that asks how a command line may go on."""


def _version(wanted: bool) -> None:
    if wanted:
        from passerelle.kit.version import VERSION

        say(f"passerelle {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Options of every command."""


@app.command(
    "migrate-client",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def migrate_client(context: typer.Context) -> None:
    """Find the old API in a client's source, and say what to write instead (a package of its own)."""
    try:
        from passerelle_migrate_client.cli import main as run
    except ModuleNotFoundError:
        raise CommandError(
            "migrate-client is a package of its own: run it by `uvx passerelle-migrate-client`, or install "
            "passerelle[migrate-client]"
        ) from None
    run(context.args, "passerelle migrate-client")


def whole() -> typer.Typer:
    """The application with every group, loaded."""
    for name in GROUPS.keys() - {one.name for one in app.registered_groups}:
        _add(name)
    return app


def _add(name: str) -> None:
    module, about = GROUPS[name]
    app.add_typer(import_module(f"passerelle.cli.{module}").app, name=name, help=about)


def _prepare(words: list[str]) -> None:
    """Let `app` have what the command line needs: Typer builds all that it knows at each start, and takes longer for
    that than `check` and `test` for their work."""
    wanted = words[0] if words else "--help"
    commands = [one for one in app.registered_commands if _name(one) == wanted]
    if wanted == "--help" and COMPLETING not in os.environ:
        _only_name_all()
    elif wanted in GROUPS:
        app.registered_commands = []
        _add(wanted)
    elif commands:
        app.registered_commands = commands
    else:
        whole()


def _only_name_all() -> None:
    """Only the names of commands and groups, and what they say they do: for the list of them."""
    for name, (_, about) in GROUPS.items():
        app.add_typer(typer.Typer(), name=name, help=about)
    for command in app.registered_commands:
        command.name = _name(command)
        command.help = command.help or inspect.getdoc(command.callback)
        command.callback = _nothing


def _nothing() -> None:
    """Has no options, which would have to be made out."""


def _name(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.name or command.callback.__name__.replace("_", "-")


def main() -> None:
    """Entry point: turns errors into one line each."""
    gc.set_threshold(50_000, 20, 20)  # what is loaded stays: looking through it took 7 % of the start
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")
    _prepare(sys.argv[1:2])
    if debug:
        app()
        return
    try:
        app()
    except CommandError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"passerelle: {line}\n")
        sys.exit(1)
    except Exception as error:
        sys.stderr.write(f"passerelle: {type(error).__name__}: {error} (run it with --debug for the traceback)\n")
        sys.exit(1)
