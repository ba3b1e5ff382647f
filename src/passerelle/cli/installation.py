"""Commands of an installation: its processes, its database, its settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from passerelle.cli.api_client import DEMO_DIR
from passerelle.cli.database_commands import DevDir, run, settings_beside
from passerelle.cli.printing import output, say, show_json, show_table
from passerelle.kit.errors import CommandError

app = typer.Typer()

Port = Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
DataDir = Annotated[Path, typer.Option(help="The folder of the database, the keys and the files.")]


@app.command()
def dev(port: Port = 8080, data_dir: DataDir = Path("data"), host: Host = "127.0.0.1") -> None:
    """Run everything in one process, on an embedded PostgreSQL, with a demo workspace."""
    from passerelle.app.logs import configure
    from passerelle.app.settings import load
    from passerelle.dev import running as development

    settings = load()
    configure(settings.log_level if "log_level" in settings.model_fields_set else "warning")
    run(development.run(settings, data_dir, host, port))


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
    from passerelle.app.settings import SERVING, load

    settings = load(SERVING)
    configure(settings.log_level)
    if processes > 1:
        from passerelle.app.several import Several

        Several(settings, host, port, processes).run()
    else:
        from passerelle.app.processes import serve

        run(serve(settings, host, port))


@app.command()
def worker() -> None:
    """Run background work. Needs PASSERELLE_DATABASE_URL and PASSERELLE_SECRET_KEY."""
    from passerelle.app import processes
    from passerelle.app.logs import configure
    from passerelle.app.settings import SERVING, load

    settings = load(SERVING)
    configure(settings.log_level)
    run(processes.work(settings))


@app.command()
def selftest(
    url: Annotated[str | None, typer.Option(help="Where Passerelle answers; default: PASSERELLE_PUBLIC_URL.")] = None,
    seconds: Annotated[
        float, typer.Option(help="For how long executions are begun: stop and upgrade processes meanwhile.", min=0)
    ] = 5,
    runs: Annotated[int, typer.Option(help="How many are begun at least.", min=1, max=100_000)] = 50,
) -> None:
    """Try what Passerelle promises on a running installation, in two workspaces of which nothing is left."""
    from passerelle.app import processes
    from passerelle.app.settings import SERVING, load

    def tell(kept: str) -> None:
        say(f"kept: {kept}")

    repeated = run(processes.selftest(load(SERVING), url, seconds, runs, tell))
    how = "none had to be sent again" if repeated == 0 else f"{repeated:,} had to be sent again"
    say(f"all promises were kept; of the requests {how}")


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema."""
    from passerelle.app import processes
    from passerelle.app.settings import load

    for line in run(processes.migrate_database(load())):
        output.print(line)


@app.command()
def size(
    workspace: Annotated[UUID | None, typer.Option(help="Only this workspace, by kind of data.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, in bytes.")] = False,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Say what takes room, by kind of data and by workspace: estimates, within a moment whatever there is."""
    from passerelle.app import processes
    from passerelle.cli import size as shown

    found = run(processes.sizes_of_everything(settings_beside(data_dir), workspace))
    if as_json:
        show_json(shown.as_json(found))
        return
    for rows in shown.tables(found, workspace):
        show_table(rows)
        output.print()


@app.command("rekey")
def encrypt_anew(data_dir: DevDir = DEMO_DIR) -> None:
    """Encrypt with the first key of PASSERELLE_SECRET_KEY what an older one of the list had encrypted."""
    from passerelle.app import processes

    done = run(processes.encrypt_anew(settings_beside(data_dir)))
    rows = [(place, *(f"{count:,}" for count in counts)) for place, counts in done.places.items()]
    show_table([("place", "encrypted anew", "was so already", "no key opens"), *rows])
    if done.closed:
        raise CommandError(
            f"{done.closed.total():,} values cannot be read with any key of PASSERELLE_SECRET_KEY: put the key that "
            "they were encrypted with back into the list, and run it again"
        )
    if done.now:
        say("run it again until nothing is encrypted anew: a process may have written with the old key since")


@app.command("settings")
def show_settings() -> None:
    """Print every setting with its value and where it comes from; secrets are hidden."""
    from rich.table import Column, Table

    from passerelle.app.settings import PREFIX, load, shown, sources

    settings = load()
    table = Table(Column("setting", no_wrap=True), "value", "source")
    for name, source in sources().items():
        table.add_row(PREFIX + name.upper(), shown(settings, name), source)
    output.print(table)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from passerelle.app.reference import openapi_document

    sys.stdout.write(json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n")
