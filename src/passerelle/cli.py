"""The command line. Every command is a few lines; errors are one line that says what to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import typer
from rich.console import Console
from typer.models import CommandInfo

from passerelle.cases.commands import app as cases
from passerelle.deprecations.commands import app as deprecations
from passerelle.errors import CommandError
from passerelle.executions.moves.commands import app as executions
from passerelle.links.commands import app as links
from passerelle.lists.commands import app as lists
from passerelle.records.commands import app as records
from passerelle.remote import DEMO_DIR, URL, DemoDir, Token, Url
from passerelle.reviews.commands import app as reviews
from passerelle.secrets.commands import app as secrets
from passerelle.tables.commands import app as tables
from passerelle.themes.commands import app as theme
from passerelle.webhooks.commands import app as webhooks

app = typer.Typer(
    name="passerelle", help="Self-hosted onboarding workflows.", no_args_is_help=True, pretty_exceptions_enable=False
)
workspaces = typer.Typer(help="Workspaces.", no_args_is_help=True)
keys = typer.Typer(help="Credentials of a workspace.", no_args_is_help=True)
app.add_typer(workspaces, name="workspace")
app.add_typer(keys, name="key")
app.add_typer(secrets, name="secret")
app.add_typer(links, name="link")
app.add_typer(lists, name="lists")
app.add_typer(tables, name="tables")
app.add_typer(records, name="records")
app.add_typer(theme, name="theme")
app.add_typer(webhooks, name="webhooks")
app.add_typer(reviews, name="reviews")
app.add_typer(cases, name="cases")
app.add_typer(deprecations, name="deprecations")
app.add_typer(executions, name="executions")

output = Console(soft_wrap=True)

Port = Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Files = Annotated[
    list[Path], typer.Argument(help="Files, or folders: their *.yaml are definitions, their tables/*.yaml are tables.")
]
DataDir = Annotated[Path, typer.Option(help="The folder of the database, the keys and the files.")]
DevDir = Annotated[
    Path, typer.Option("--data-dir", help="Without PASSERELLE_DATABASE_URL: the folder of a running `passerelle dev`.")
]


@app.callback()
def options(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    """Options of every command."""


@app.command()
def dev(port: Port = 8080, data_dir: DataDir = Path("data"), host: Host = "127.0.0.1") -> None:
    """Run everything in one process, on an embedded PostgreSQL, with a demo workspace."""
    from passerelle import dev as development
    from passerelle.logs import configure

    settings = _settings()
    configure(settings.log_level if "log_level" in settings.model_fields_set else "warning")
    _run(development.run(settings, data_dir, host, port))


@app.command()
def serve(port: Port = 8080, host: Host = "0.0.0.0") -> None:  # noqa: S104 - a server behind a balancer
    """Answer HTTP. Needs PASSERELLE_DATABASE_URL and PASSERELLE_SECRET_KEY."""
    from passerelle import processes
    from passerelle.logs import configure

    settings = _settings()
    configure(settings.log_level)
    _run(processes.serve(settings, host, port))


@app.command()
def worker() -> None:
    """Run background work. Needs PASSERELLE_DATABASE_URL and PASSERELLE_SECRET_KEY."""
    from passerelle import processes
    from passerelle.logs import configure

    settings = _settings()
    configure(settings.log_level)
    _run(processes.work(settings))


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema."""
    from passerelle import processes

    applied = _run(processes.migrate_database(_settings()))
    output.print(f"applied {', '.join(applied)}" if applied else "the database is up to date")


@workspaces.command("create")
def create_workspace(name: str, data_dir: DevDir = DEMO_DIR) -> None:
    """Make a workspace; prints its id."""
    from passerelle import processes

    output.print(_run(processes.create_workspace(_settings_beside(data_dir), name)))


@workspaces.command("version-1")
def treat_version_one(
    workspace: UUID,
    mode: Annotated[
        Literal["on", "warn", "brownout", "off", "default"],
        typer.Argument(help="How version 1 is treated; `default` follows PASSERELLE_V1."),
    ],
    brownouts: Annotated[str | None, typer.Option(help="The times of brown-outs: 'tue 09:00-10:00'.")] = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Treat version 1 in one workspace otherwise than in the rest, also less strictly."""
    from passerelle import processes

    settings = _settings_beside(data_dir)
    _run(processes.treat_version_one(settings, workspace, None if mode == "default" else mode, brownouts))
    output.print(f"version 1 is {mode} in the workspace {workspace}", highlight=False)


@keys.command("create")
def create_key(
    workspace: UUID,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "key",
    api_version: Annotated[int, typer.Option(help="The version of requests that name none.", min=1, max=2)] = 1,
    role: Annotated[
        list[str] | None, typer.Option(help="What it may decide: reviews assigned to this role; repeat it.")
    ] = None,
    token: Annotated[bool, typer.Option("--token", help="An organization token instead of key and secret.")] = False,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make credentials for a workspace; they are shown this once."""
    from passerelle import processes

    settings = _settings_beside(data_dir)
    made = _run(processes.create_key(settings, workspace, name, api_version, role or [], organization_token=token))
    output.print_json(json.dumps(made))


@keys.command("rotate-signing")
def rotate_signing_key(
    workspace: UUID,
    overlap: Annotated[str, typer.Option(help="How long the new key is published before it signs.")] = "24h",
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make another key to sign webhooks and tokens with; the one before stays published."""
    from passerelle import processes
    from passerelle.kit.durations import parse_duration

    try:
        length = parse_duration(overlap)
    except ValueError as error:
        raise CommandError(f"--overlap: {error}") from None
    output.print_json(json.dumps(_run(processes.rotate_signing_key(_settings_beside(data_dir), workspace, length))))


@app.command()
def check(files: Files) -> None:
    """Check definitions and tables without a server: everything that is wrong, with file and line."""
    from passerelle.checking import check_files
    from passerelle.engine.registry import load_kinds

    problems, checked = check_files(files, load_kinds())
    for problem in problems:
        sys.stdout.write(problem + "\n")
    if problems:
        raise typer.Exit(1)
    output.print("1 file is good" if checked == 1 else f"{checked} files are good")


@app.command("test")
def run_scenarios(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files of scenarios, or folders to look into; default: this folder.")
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Show what no scenario went through.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes.")] = False,
) -> None:
    """Run definitions against the scenarios written beside them (a.test.yaml): no server, no network."""
    from passerelle.scenarios.command import test

    if not test(paths or [Path()], output, coverage=coverage, watch=watch):
        raise typer.Exit(1)


@app.command()
def graph(
    file: Path,
    format: Annotated[
        Literal["mermaid", "svg"], typer.Option("--format", help="Mermaid text, or a picture.")
    ] = "mermaid",
) -> None:
    """Print the flow of a definition: its steps, and the conditions on the ways between them."""
    from passerelle.graphs.command import draw

    sys.stdout.write(draw(file, as_svg=format == "svg"))


@app.command()
def schema(
    scenarios: Annotated[bool, typer.Option("--scenarios", help="The schema of scenario files instead.")] = False,
    tables: Annotated[bool, typer.Option("--tables", help="The schema of tables' files instead.")] = False,
) -> None:
    """Print the JSON Schema of the definition language, for editors."""
    from passerelle.definitions.schema import definition_schema
    from passerelle.engine.registry import load_kinds
    from passerelle.scenarios.schema import scenarios_schema
    from passerelle.tables.file_schema import table_schema

    document = table_schema() if tables else scenarios_schema() if scenarios else definition_schema(load_kinds())
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


@app.command()
def push(
    files: Files,
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
    draft: Annotated[bool, typer.Option("--draft", help="Do not publish definitions.")] = False,
    lose_data: Annotated[
        bool, typer.Option("--lose-data", help="Remove fields and options from tables even if records have them.")
    ] = False,
) -> None:
    """Push tables and definitions to a running Passerelle, tables first."""
    from passerelle.pushing import push_files
    from passerelle.remote import connected

    with connected(url, token, data_dir) as client:
        for line in push_files(client, files, publish=not draft, lose_data=lose_data):
            output.print(line, markup=False, highlight=False)


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Definitions and tables; default: all.")] = None,
    folder: Annotated[Path, typer.Option("--dir", help="Where their files are.")] = Path("definitions"),
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that say something else.")] = False,
) -> None:
    """Write definitions of a running Passerelle to files, tables to the folder `tables` beside them."""
    from passerelle.pulling import pull as write
    from passerelle.remote import connected

    with connected(url, token, data_dir) as client:
        for line in write(client, names or [], folder, force=force):
            output.print(line, markup=False, highlight=False)


@app.command()
def diff(files: Files, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Say what a push of these files would change; exit status 1 if anything."""
    from passerelle.pulling import changes
    from passerelle.remote import connected

    looks = {"+": "green", "-": "red", "@": "cyan", "~": "yellow"}
    different = False
    with connected(url, token, data_dir) as client:
        for change in changes(client, files):
            output.print(change.summary, style="bold", markup=False, highlight=False)
            for line in change.lines:
                output.print(line, style=looks.get(line[:1], ""), markup=False, highlight=False)
            different = different or bool(change.lines)
    if different:
        raise typer.Exit(1)


@app.command("migrate-client")
def migrate_client(
    paths: Annotated[list[Path], typer.Argument(help="Folders or files of the client's source.")],
    fix: Annotated[bool, typer.Option("--fix", help="Show the safe fixes as a diff.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the safe fixes into the files.")] = False,
    format: Annotated[Literal["text", "json"], typer.Option("--format", help="For people, or for programs.")] = "text",
    table: Annotated[str, typer.Option(help="The table that the cases are in, or will be moved to.")] = "cases",
    encoding: Annotated[
        str | None, typer.Option(help="Of files that are not UTF-8 and do not say what they are.")
    ] = None,
    pinned: Annotated[
        bool, typer.Option("--pinned", help="The client's key pins version 2: no header needed.")
    ] = False,
) -> None:
    """Find the old API in a client's source, and say what to write instead; exit status 1 while something is left."""
    from passerelle.clients.command import migrate_client as run

    done = run(
        paths, output, fix=fix, write=write, as_json=format == "json", table=table, encoding=encoding, pinned=pinned
    )
    if not done:
        raise typer.Exit(1)


@app.command("settings")
def show_settings() -> None:
    """Print every setting with its value and where it comes from; secrets are hidden."""
    from rich.table import Table

    from passerelle.settings import PREFIX, shown, sources

    settings = _settings()
    table = Table("setting", "value", "source")
    for name, source in sources().items():
        table.add_row(PREFIX + name.upper(), shown(settings, name), source)
    output.print(table)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from passerelle.reference import openapi_document

    sys.stdout.write(json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n")


def _settings() -> Any:
    from passerelle.settings import load

    return load()


def _settings_beside(data_dir: Path) -> Any:
    from passerelle.devfolder import settings_beside

    return settings_beside(_settings(), data_dir)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    if sys.platform == "win32":
        import asyncio

        return asyncio.run(coroutine)
    import uvloop

    return uvloop.run(coroutine)


def _keep_only(wanted: list[str]) -> None:
    """Forget the other commands where one is named: Typer builds all that it knows at each start, and takes longer
    for that than `check` and `test` for their work."""
    commands = [one for one in app.registered_commands if [_name(one)] == wanted]
    groups = [one for one in app.registered_groups if [one.name] == wanted]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups


def _name(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.name or command.callback.__name__


def main() -> None:
    """Entry point: turns errors into one line each."""
    if "--debug" in sys.argv:
        sys.argv.remove("--debug")
        app()
        return
    _keep_only(sys.argv[1:2])
    try:
        app()
    except CommandError as error:
        for line in str(error).splitlines():
            sys.stderr.write(f"passerelle: {line}\n")
        sys.exit(1)
    except Exception as error:
        sys.stderr.write(f"passerelle: {type(error).__name__}: {error} (run it with --debug for the traceback)\n")
        sys.exit(1)
