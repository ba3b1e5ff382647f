"""Commands on files of definitions, and on what is beside them: tables, roles, scenarios."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from passerelle.cli.api_client import DEMO_DIR, DemoDir, Token, Url
from passerelle.cli.printing import output, say, say_all
from passerelle.kit.errors import CommandError

app = typer.Typer()

ConvertedKind = Literal["json-schema", "csv", "openapi", "bpmn"]
Files = Annotated[
    list[Path], typer.Argument(help="Files, or folders: their *.yaml are definitions, their tables/*.yaml are tables.")
]


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
    from passerelle.engine.registry import published_schema
    from passerelle.scenarios.schema import scenarios_schema
    from passerelle.tables.file_schema import table_schema

    document = table_schema() if tables else scenarios_schema() if scenarios else published_schema()
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
    say_all(lines)


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
    replace_scenarios: Annotated[
        bool, typer.Option("--replace-scenarios", help="Also where others are kept, such as recorded in the builder.")
    ] = False,
) -> None:
    """Push tables, definitions and roles to a running Passerelle, tables first and roles last.

    The scenarios beside a definition (a.test.yaml) are kept with it.
    """
    from passerelle.cli.api_client import connected
    from passerelle.cli.push import push_files

    with connected(url, token, data_dir) as client:
        say_all(push_files(client, files, publish=not draft, lose_data=lose_data, replace_scenarios=replace_scenarios))


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Definitions, tables and roles; default: all.")] = None,
    folder: Annotated[Path, typer.Option("--dir", help="Where their files are.")] = Path("definitions"),
    url: Url = None,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that say something else.")] = False,
) -> None:
    """Write definitions and their scenarios to files, tables and roles to the folders `tables` and `roles`."""
    from passerelle.cli.api_client import connected
    from passerelle.cli.pull import pull as write

    with connected(url, token, data_dir) as client:
        say_all(write(client, names or [], folder, force=force))


@app.command()
def diff(files: Files, url: Url = None, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """Say what a push of these files would change; exit status 1 if anything."""
    from passerelle.cli.api_client import connected
    from passerelle.cli.pull import changes

    looks = {"+": "green", "-": "red", "@": "cyan", "~": "yellow"}
    different = False
    with connected(url, token, data_dir) as client:
        for change in changes(client, files):
            say(change.summary, style="bold")
            for line in change.lines:
                say(line, style=looks.get(line[:1], ""))
            different = different or bool(change.lines)
    if different:
        raise typer.Exit(1)
