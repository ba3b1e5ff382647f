"""`passerelle workspace`: workspaces, and what holds for one of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import typer

from passerelle.cli.api_client import DEMO_DIR
from passerelle.cli.database_commands import DevDir, run, settings_beside
from passerelle.cli.printing import output, say, show_table

app = typer.Typer(no_args_is_help=True)


def Most(what: str) -> Any:  # noqa: N802 - reads as the option that it makes
    """An option that says how many there may be."""
    return typer.Option(help=f"{what}: a number, `unlimited`, or `default` for what the settings say.")


@app.command("create")
def create_workspace(
    name: str,
    organization: Annotated[
        UUID | None, typer.Option(help="Whose workspace; without it, of a new organization of the same name.")
    ] = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make a workspace; prints its id."""
    from passerelle.app import processes

    output.print(run(processes.create_workspace(settings_beside(data_dir), name, organization)))


@app.command("list")
def list_workspaces(data_dir: DevDir = DEMO_DIR) -> None:
    """Show every workspace of the installation, with its id."""
    from passerelle.app import processes

    show_table([("workspace", "name"), *run(processes.list_workspaces(settings_beside(data_dir)))])


@app.command("version-1")
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

    settings = settings_beside(data_dir)
    run(processes.treat_version_one(settings, workspace, None if mode == "default" else mode, brownouts))
    say(f"version 1 is {mode} in the workspace {workspace}")


@app.command("quota")
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
    shown = run(processes.quotas(settings_beside(data_dir), workspace, wanted, weight, jobs))
    show_table(shown)


@app.command("publishing")
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

    rule = run(processes.publishing(settings_beside(data_dir), workspace, persons))
    said = "two persons" if rule.second_person else "one person"
    whose = "as the installation says" if rule.own is None else "the workspace's own rule"
    say(f"publishing takes {said} ({whose})")
