"""`passerelle executions`: moving executions under way to another revision, over the API."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from passerelle.errors import CommandError
from passerelle.remote import DEMO_DIR, URL, DemoDir, Token, Url, connected, pages, require_success

if TYPE_CHECKING:
    import httpx

app = typer.Typer(help="Executions under way: moving them to another revision.", no_args_is_help=True)
output = Console(soft_wrap=True)

_Name = Annotated[str, typer.Argument(help="The definition's name.")]
_LOOK_AGAIN: Final = 0.5


@app.command("move")
def move(
    name: _Name,
    from_: Annotated[int, typer.Option("--from", help="The revision that the executions are on.")],
    to: Annotated[
        int | None, typer.Option("--to", help="The revision that they move to; default: the shown one.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them.")] = False,
    mapping: Annotated[list[str] | None, typer.Option("--map", help="A renamed step, as old=new; repeat it.")] = None,
    execution: Annotated[list[UUID] | None, typer.Option("--execution", help="Only this execution; repeat it.")] = None,
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Move executions of a definition to another revision: those that can be moved; says why of the others."""
    names = _mapping(mapping or [])
    with connected(url, token, data_dir) as client:
        definition = _definition(client, name)
        body = {"from": from_, "to": to or definition["revision"], "dryRun": dry_run, "mapping": names}
        if execution:
            body["workflowIds"] = [str(one) for one in execution]
        answer = client.post(f"/definitions/{definition['id']}/migrations", json=body)
        require_success(answer)
        _report(_done(client, answer.json()))


@app.command("undo")
def undo(
    name: _Name,
    migration: Annotated[UUID, typer.Argument(help="The migration's id, as `move` and `moves` print it.")],
    url: Url = URL,
    token: Token = None,
    data_dir: DemoDir = DEMO_DIR,
) -> None:
    """Move executions back that have not gone on since."""
    with connected(url, token, data_dir) as client:
        definition = _definition(client, name)
        answer = client.post(f"/definitions/{definition['id']}/migrations/{migration}/undo")
        require_success(answer)
        done = _done(client, answer.json())
    kept = f"; {_executions(done['kept'])} had gone on and stayed on revision {done['to']}" if done["kept"] else ""
    _say(f"{_executions(done['undone'])} moved back to revision {done['from']}{kept}")


@app.command("moves")
def moves(name: _Name, url: Url = URL, token: Token = None, data_dir: DemoDir = DEMO_DIR) -> None:
    """List the migrations of a definition, newest first. Dry runs are kept for a week."""
    table = Table(_ids("id"), "from", "to", "status", "safe", "needs mapping", "refused", "moved", "by", "at")
    with connected(url, token, data_dir) as client:
        definition = _definition(client, name)
        for one in pages(client, f"/definitions/{definition['id']}/migrations"):
            table.add_row(one["id"], str(one["from"]), str(one["to"]), *_facts(one))
    output.print(table)


def _facts(one: dict[str, Any]) -> list[str]:
    verdicts = one["verdicts"]
    numbers = [verdicts["safe"], verdicts["needsMapping"], verdicts["refused"]]
    moved = "dry run" if one["dryRun"] else str(one["moved"])
    return [one["status"], *map(str, numbers), moved, one["createdBy"], one["createdDate"]]


def _done(client: httpx.Client, migration: dict[str, Any]) -> dict[str, Any]:
    """The migration once it has come to its end; it goes on by itself, also if nobody waits."""
    path = f"/definitions/{migration['workflowDefinitionId']}/migrations/{migration['id']}"
    while migration["status"] in ("RUNNING", "UNDOING"):
        time.sleep(_LOOK_AGAIN)
        answer = client.get(path)
        require_success(answer)
        migration = answer.json()
    return migration


def _report(migration: dict[str, Any]) -> None:
    verdicts, to = migration["verdicts"], migration["to"]
    table = Table("verdict", "executions", "step", "reason", _ids("for example"))
    if verdicts["safe"]:
        table.add_row("safe", str(verdicts["safe"]), "", "", "")
    for reason in migration["reasons"]:
        counted = str(reason["executions"])
        table.add_row(reason["verdict"], counted, reason["step"] or "", reason["message"], reason["example"])
    if table.row_count:
        output.print(table)
    else:
        _say(f"no execution on revision {migration['from']} is under way")
    if migration["dryRun"]:
        _say(f"dry run: {_executions(verdicts['safe'])} would move to revision {to}")
        return
    stay = verdicts["needsMapping"] + verdicts["refused"]
    staying = f"; {_executions(stay)} stayed on revision {migration['from']}" if stay else ""
    _say(f"{_executions(migration['moved'])} moved to revision {to}{staying}")
    if migration["moved"]:
        _say(f"migration {migration['id']}, taken back by `passerelle executions undo`")


def _ids(title: str) -> Column:
    """A column whose ids are never cut off: they are given to other commands."""
    return Column(title, min_width=36, overflow="fold")


def _executions(count: int) -> str:
    return "1 execution" if count == 1 else f"{count:,} executions"


def _say(line: str) -> None:
    output.print(line, markup=False, highlight=False)


def _mapping(given: list[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for item in given:
        old, separator, new = item.partition("=")
        if not separator or not old or not new:
            raise CommandError(f"--map {item}: write it as old=new, such as --map company=firm")
        if old in names:
            raise CommandError(f"--map {item}: `{old}` is mapped onto `{names[old]}` already")
        names[old] = new
    return names


def _definition(client: httpx.Client, name: str) -> dict[str, Any]:
    from passerelle.definitions.words import suggest  # noqa: PLC0415 - a command loads only what it needs

    there = {one["name"]: one for one in pages(client, "/definitions")}
    if name not in there:
        raise CommandError(f"the workspace has no definition {name}; {suggest(name, there, 'it has')}")
    return there[name]
