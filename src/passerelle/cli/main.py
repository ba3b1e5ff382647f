"""The command line. Every command is a few lines; errors are one line that says what to do."""

from __future__ import annotations

import inspect
import json
import os
import sys
from collections.abc import Coroutine, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import typer
from rich.console import Console
from typer.models import CommandInfo

from passerelle.cli.api_client import DEMO_DIR, DemoDir, Token, Url, aligned
from passerelle.kit.errors import CommandError

app = typer.Typer(
    name="passerelle", help="Self-hosted onboarding workflows.", no_args_is_help=True, pretty_exceptions_enable=False
)
workspaces = typer.Typer(help="Workspaces.", no_args_is_help=True)
keys = typer.Typer(help="Credentials of a workspace.", no_args_is_help=True)
app.add_typer(workspaces, name="workspace")
app.add_typer(keys, name="key")

ConvertedKind = Literal["json-schema", "csv", "openapi", "bpmn"]
GROUPS: Final[Mapping[str, tuple[str, str]]] = {
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
"""The groups that are modules of their own, each loaded when it is named: the module, and what is in it."""

COMPLETING: Final = "_PASSERELLE_COMPLETE"
"""Set by the shell that asks how a command line may go on."""

output = Console(soft_wrap=True)

Port = Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Files = Annotated[
    list[Path], typer.Argument(help="Files, or folders: their *.yaml are definitions, their tables/*.yaml are tables.")
]
DataDir = Annotated[Path, typer.Option(help="The folder of the database, the keys and the files.")]


def Most(what: str) -> Any:  # noqa: N802 - reads as the option that it makes
    """An option that says how many there may be."""
    return typer.Option(help=f"{what}: a number, `unlimited`, or `default` for what the settings say.")


DevDir = Annotated[
    Path, typer.Option("--data-dir", help="Without PASSERELLE_DATABASE_URL: the folder of a running `passerelle dev`.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from passerelle.kit.version import VERSION

        output.print(f"passerelle {VERSION}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version, and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Options of every command."""


@app.command()
def dev(port: Port = 8080, data_dir: DataDir = Path("data"), host: Host = "127.0.0.1") -> None:
    """Run everything in one process, on an embedded PostgreSQL, with a demo workspace."""
    from passerelle.app.logs import configure
    from passerelle.dev import running as development

    settings = _settings()
    configure(settings.log_level if "log_level" in settings.model_fields_set else "warning")
    _run(development.run(settings, data_dir, host, port))


@app.command()
def serve(
    port: Port = 8080,
    host: Host = "0.0.0.0",  # noqa: S104 - a server behind a balancer
    processes: Annotated[
        int, typer.Option(help="How many processes share the port: one for each core that it may use.", min=1, max=64)
    ] = 1,
) -> None:
    """Answer HTTP. Needs PASSERELLE_DATABASE_URL and PASSERELLE_SECRET_KEY."""
    from passerelle.app.logs import configure

    settings = _settings_to_serve()
    configure(settings.log_level)
    if processes > 1:
        from passerelle.app.several import Several

        Several(settings, host, port, processes).run()
    else:
        from passerelle.app.processes import serve

        _run(serve(settings, host, port))


@app.command()
def worker() -> None:
    """Run background work. Needs PASSERELLE_DATABASE_URL and PASSERELLE_SECRET_KEY."""
    from passerelle.app import processes
    from passerelle.app.logs import configure

    settings = _settings_to_serve()
    configure(settings.log_level)
    _run(processes.work(settings))


@app.command()
def selftest(
    url: Annotated[str | None, typer.Option(help="Where Passerelle answers; default: PASSERELLE_PUBLIC_URL.")] = None,
    seconds: Annotated[
        float, typer.Option(help="For how long executions are begun: stop and upgrade processes meanwhile.", min=0)
    ] = 5,
    runs: Annotated[int, typer.Option(help="How many are begun at least.", min=1, max=100_000)] = 50,
) -> None:
    """Try what Passerelle promises on a running installation, in a workspace of which nothing is left."""
    from passerelle.app import processes

    def tell(kept: str) -> None:
        output.print(f"kept: {kept}", markup=False, highlight=False)

    repeated = _run(processes.selftest(_settings_to_serve(), url, seconds, runs, tell))
    how = "none had to be sent again" if repeated == 0 else f"{repeated:,} had to be sent again"
    output.print(f"all promises were kept; of the requests {how}", markup=False, highlight=False)


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema."""
    from passerelle.app import processes

    applied = _run(processes.migrate_database(_settings()))
    output.print(f"applied {', '.join(applied)}" if applied else "the database is up to date")


@app.command()
def size(
    workspace: Annotated[UUID | None, typer.Option(help="Only this workspace, by kind of data.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, in bytes.")] = False,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Say what takes room, by kind of data and by workspace: estimates, within a moment whatever there is."""
    from passerelle.app import processes
    from passerelle.cli import size as shown

    found = _run(processes.sizes_of_everything(_settings_beside(data_dir)))
    if as_json:
        output.print_json(json.dumps(shown.as_json(found)))
        return
    for rows in shown.tables(found, workspace):
        for line in aligned(rows):
            output.print(line, markup=False, highlight=False)
        output.print()


@app.command("rekey")
def encrypt_anew(data_dir: DevDir = DEMO_DIR) -> None:
    """Encrypt with the first key of PASSERELLE_SECRET_KEY what an older one of the list had encrypted."""
    from passerelle.app import processes

    done = _run(processes.encrypt_anew(_settings_beside(data_dir)))
    rows = [("place", "encrypted anew", "was so already", "no key opens")]
    rows += [(place, *(f"{count:,}" for count in counts)) for place, counts in done.places.items()]
    for line in aligned(rows):
        output.print(line, markup=False, highlight=False)
    if done.closed:
        raise CommandError(
            f"{done.closed.total():,} values cannot be read with any key of PASSERELLE_SECRET_KEY: put the key that "
            "they were encrypted with back into the list, and run it again"
        )
    if done.now:
        output.print("run it again until nothing is encrypted anew: a process may have written with the old key since")


@workspaces.command("create")
def create_workspace(
    name: str,
    organization: Annotated[
        UUID | None, typer.Option(help="Whose workspace; without it, of a new organization of the same name.")
    ] = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make a workspace; prints its id."""
    from passerelle.app import processes

    output.print(_run(processes.create_workspace(_settings_beside(data_dir), name, organization)))


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
    from passerelle.app import processes

    settings = _settings_beside(data_dir)
    _run(processes.treat_version_one(settings, workspace, None if mode == "default" else mode, brownouts))
    output.print(f"version 1 is {mode} in the workspace {workspace}", highlight=False)


@workspaces.command("quota")
def set_quota(
    workspace: UUID,
    executions: Annotated[str | None, Most("Executions that have not ended")] = None,
    records: Annotated[str | None, Most("Records that are not deleted")] = None,
    storage: Annotated[str | None, Most("Size of all files, such as 10GB")] = None,
    requests: Annotated[str | None, Most("Requests a minute")] = None,
    weight: Annotated[float | None, typer.Option(help="Turns in each round of the workers; usually 1.")] = None,
    jobs: Annotated[
        str | None, typer.Option(help="Jobs under way at once in all workers: a number, or `default`.")
    ] = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Say what a workspace may have and do, where options are given; then show it, and what is used."""
    from passerelle.app import processes

    given = {"executions": executions, "records": records, "storage": storage, "requests": requests}
    wanted = {name: text for name, text in given.items() if text is not None}
    shown = _run(processes.quotas(_settings_beside(data_dir), workspace, wanted, weight, jobs))
    for line in aligned(shown):
        output.print(line, markup=False, highlight=False)


@workspaces.command("publishing")
def set_publishing(
    workspace: UUID,
    persons: Annotated[
        Literal["one", "two", "default"] | None,
        typer.Argument(help="How many persons it takes to publish; default: as the installation says."),
    ] = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Say how many persons it takes to publish a definition, where an argument is given; then show it."""
    from passerelle.app import processes

    rule = _run(processes.publishing(_settings_beside(data_dir), workspace, persons))
    said = "two persons" if rule.second_person else "one person"
    whose = "as the installation says" if rule.own is None else "the workspace's own rule"
    output.print(f"publishing takes {said} ({whose})", markup=False, highlight=False)


@keys.command("create")
def create_key(
    workspace: UUID,
    name: Annotated[str, typer.Option(help="What the key is for.")] = "key",
    api_version: Annotated[int, typer.Option(help="The version of requests that name none.", min=1, max=2)] = 2,
    permission: Annotated[
        list[str] | None, typer.Option(help="What it may do, such as `can_run`; repeat it. Without it: everything.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="From where it is taken, such as 10.0.0.0/8; repeat it.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="After how long it ends, such as `90d`.")] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="What it may decide: reviews assigned to this role; repeat it.")
    ] = None,
    token: Annotated[bool, typer.Option("--token", help="An organization token instead of key and secret.")] = False,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make credentials for a workspace; they are shown this once."""
    from passerelle.app import processes

    lasts = None if expires is None else _duration(expires, "--expires")
    wanted = processes.WantedKey(name, api_version, role or [], permission or [], network or [], lasts)
    made = _run(processes.create_key(_settings_beside(data_dir), workspace, wanted, organization_token=token))
    output.print_json(json.dumps(made))


@keys.command("list")
def list_keys(workspace: UUID, data_dir: DevDir = DEMO_DIR) -> None:
    """Show a workspace's keys that are not revoked: what each may do, until when, and when it was last used."""
    from passerelle.app import processes
    from passerelle.kit.clock import iso

    found = _run(processes.list_keys(_settings_beside(data_dir), workspace))
    rows = [
        (
            str(one.key.id),
            one.key.prefix,
            one.key.name,
            f"v{one.key.api_version}",
            "never" if one.key.expires_at is None else iso(one.key.expires_at),
            "never" if one.last_used_at is None else iso(one.last_used_at),
            one.key.made_by,
            f"{len(one.key.permissions)} permissions",
        )
        for one in found
    ]
    for line in aligned([("id", "begins", "name", "version", "ends", "last used", "made by", "may"), *rows]):
        output.print(line, markup=False, highlight=False)


@keys.command("revoke")
def revoke_key(workspace: UUID, key: UUID, data_dir: DevDir = DEMO_DIR) -> None:
    """End a key, by its id, and every token got with it: refused everywhere within two seconds."""
    from passerelle.app import processes

    _run(processes.revoke_key(_settings_beside(data_dir), workspace, key))
    output.print(f"the key {key} is revoked", markup=False, highlight=False)


@keys.command("rotate-signing")
def rotate_signing_key(
    workspace: UUID,
    overlap: Annotated[str, typer.Option(help="How long the new key is published before it signs.")] = "24h",
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make another key to sign webhooks and tokens with; the one before stays published."""
    from passerelle.app import processes

    length = _duration(overlap, "--overlap")
    output.print_json(json.dumps(_run(processes.rotate_signing_key(_settings_beside(data_dir), workspace, length))))


@app.command()
def check(files: Files) -> None:
    """Check definitions, tables and roles without a server: everything that is wrong, with file and line."""
    from passerelle.cli.check import check_files
    from passerelle.engine.registry import load_kinds

    problems, warnings, checked = check_files(files, load_kinds())
    for problem in problems:
        sys.stdout.write(problem + "\n")
    for warning in warnings:
        sys.stdout.write(f"warning: {warning}\n")
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
    from passerelle.cli.test import test

    if not test(paths or [Path()], output, coverage=coverage, watch=watch):
        raise typer.Exit(1)


@app.command()
def graph(file: Path) -> None:
    """Print the flow of a definition as Mermaid text: its steps, and the conditions on the ways between them."""
    from passerelle.cli.graph import draw

    sys.stdout.write(draw(file))


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
def init(
    name: Annotated[
        str | None, typer.Argument(help="A template; without one they are listed. With --from: the definition's name.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where the files go; default: a folder of that name.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="A JSON Schema, CSV, OpenAPI document or BPMN file to begin from.")
    ] = None,
    kind: Annotated[
        ConvertedKind | None, typer.Option("--kind", help="What that file is; found out by default.")
    ] = None,
    operations: Annotated[
        list[str] | None, typer.Option("--operation", help="Of an OpenAPI document: an operation that becomes a step.")
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Of a CSV: take many rows, instead of asking for one.")
    ] = False,
) -> None:
    """Begin from a ready onboarding, or from what you have: definition, tables and scenarios as files."""
    from passerelle.cli.init import init as begin
    from passerelle.cli.init import listed, made_of

    if source is not None:
        lines = made_of(source, kind, name, folder, operations=operations or [], batch=batch)
    elif kind is not None or operations or batch:
        raise CommandError("--kind, --operation and --batch belong to --from FILE")
    else:
        lines = listed() if name is None else begin(name, folder or Path(name))
    for line in lines:
        output.print(line, markup=False, highlight=False)


@app.command()
def push(
    files: Files,
    url: Url = None,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
    draft: Annotated[bool, typer.Option("--draft", help="Do not publish definitions.")] = False,
    lose_data: Annotated[
        bool, typer.Option("--lose-data", help="Remove fields and options from tables even if records have them.")
    ] = False,
) -> None:
    """Push tables, definitions and roles to a running Passerelle, tables first and roles last."""
    from passerelle.cli.api_client import connected
    from passerelle.cli.push import push_files

    with connected(url, token, data_dir) as client:
        for line in push_files(client, files, publish=not draft, lose_data=lose_data):
            output.print(line, markup=False, highlight=False)


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Definitions, tables and roles; default: all.")] = None,
    folder: Annotated[Path, typer.Option("--dir", help="Where their files are.")] = Path("definitions"),
    url: Url = None,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that say something else.")] = False,
) -> None:
    """Write definitions of a running Passerelle to files, tables and roles to the folders `tables` and `roles`."""
    from passerelle.cli.api_client import connected
    from passerelle.cli.pull import pull as write

    with connected(url, token, data_dir) as client:
        for line in write(client, names or [], folder, force=force):
            output.print(line, markup=False, highlight=False)


@app.command()
def diff(files: Files, url: Url = None, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Say what a push of these files would change; exit status 1 if anything."""
    from passerelle.cli.api_client import connected
    from passerelle.cli.pull import changes

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


@app.command("settings")
def show_settings() -> None:
    """Print every setting with its value and where it comes from; secrets are hidden."""
    from rich.table import Table

    from passerelle.app.settings import PREFIX, shown, sources

    settings = _settings()
    table = Table("setting", "value", "source")
    for name, source in sources().items():
        table.add_row(PREFIX + name.upper(), shown(settings, name), source)
    output.print(table)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from passerelle.app.reference import openapi_document

    sys.stdout.write(json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n")


def _settings() -> Any:
    from passerelle.app.settings import load

    return load()


def _settings_to_serve() -> Any:
    from passerelle.app.settings import SERVING, load

    return load(SERVING)


def _duration(text: str, option: str) -> Any:
    from passerelle.kit.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from None


def _settings_beside(data_dir: Path) -> Any:
    from passerelle.dev.folder import settings_beside

    return settings_beside(_settings(), data_dir)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    if sys.platform == "win32":
        import asyncio

        return asyncio.run(coroutine)
    import uvloop

    return uvloop.run(coroutine)


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
    groups = [one for one in app.registered_groups if one.name == wanted]
    if wanted == "--help" and COMPLETING not in os.environ:
        _only_name_all()
    elif wanted in GROUPS:
        app.registered_commands, app.registered_groups = [], []
        _add(wanted)
    elif commands or groups:
        app.registered_commands, app.registered_groups = commands, groups
    else:
        whole()


def _only_name_all() -> None:
    """Only the names of commands and groups, and what they say they do: for the list of them."""
    own = {str(one.name): str(one.typer_instance.info.help) for one in app.registered_groups if one.typer_instance}
    app.registered_groups = []
    for name, about in {**own, **{name: about for name, (_, about) in GROUPS.items()}}.items():
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
