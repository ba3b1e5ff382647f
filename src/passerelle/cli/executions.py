"""`passerelle executions`: starting, finding, ending and retrying them, and moving them to another revision."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import quote
from uuid import UUID

import typer
from rich.table import Column, Table

from passerelle.cli.api_client import Parameters, command, definition_of, pages, parameters_of, require_success
from passerelle.cli.printing import output, say, show_json, show_newest
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The definition's name.")]
_Execution = Annotated[UUID, typer.Argument(help="The execution's id.")]
_LOOK_AGAIN: Final = 0.5
_V2: Final = {"Accept": "application/json;version=2"}


@command(app, "start")
def start(
    client: httpx.Client,
    definition: Annotated[str, typer.Argument(help="The definition's name or id.")],
    parameter: Parameters = None,
    record: Annotated[UUID | None, typer.Option(help="The record that it concerns, or your own reference.")] = None,
) -> None:
    """Start an execution; prints it, with its link where an end user takes part."""
    body: dict[str, Any] = {"workflowDefinitionId": definition_of(client, definition)["id"]}
    if parameter:
        body["parameters"] = parameters_of(parameter)
    if record is not None:
        body["recordId"] = str(record)
    show_json(_answered(client, "POST", "/workflows", body))


@command(app, "list")
def list_executions(
    client: httpx.Client,
    definition: Annotated[str | None, typer.Option(help="Only of the definition with this name or id.")] = None,
    status: Annotated[
        Literal["RUNNING", "AWAITING", "COMPLETED", "FAILED", "EXPIRED", "CANCELLED"] | None,
        typer.Option(help="Only in this status."),
    ] = None,
    record: Annotated[UUID | None, typer.Option(help="Only of this record or reference.")] = None,
    most: Annotated[int, typer.Option(help="The most lines.", min=1)] = 50,
) -> None:
    """List executions, newest first."""
    filters = {
        "status": status,
        "workflowDefinitionId": definition and definition_of(client, definition)["id"],
        "recordId": record,
    }
    given = {name: str(value) for name, value in filters.items() if value is not None}
    heads = ("execution", "definition", "revision", "status", "waits for or failed with", "started")
    show_newest(heads, map(_row, pages(client, "/workflows", **given)), most)


@command(app, "show")
def show(
    client: httpx.Client,
    execution: _Execution,
    timeline: Annotated[bool, typer.Option("--timeline", help="Every attempt of every step instead.")] = False,
) -> None:
    """Show an execution as JSON."""
    show_json(_answered(client, "GET", f"/workflows/{execution}" + ("/timeline" if timeline else "")))


@command(app, "cancel")
def cancel(
    client: httpx.Client,
    execution: _Execution,
    reason: Annotated[str | None, typer.Option(help="Why; it stands in the execution.")] = None,
) -> None:
    """End an execution."""
    body = {} if reason is None else {"reason": reason}
    say(_standing(_answered(client, "POST", f"/workflows/{execution}/cancel", body)))


@command(app, "retry")
def retry(
    client: httpx.Client,
    execution: _Execution,
    latest: Annotated[bool, typer.Option("--latest", help="On the published revision, instead of its own.")] = False,
) -> None:
    """Go on from the step that failed."""
    revision = "latest" if latest else "original"
    say(_standing(_answered(client, "POST", f"/workflows/{execution}/retry?definition={revision}")))


@command(app, "event")
def send_event(
    client: httpx.Client,
    execution: _Execution,
    name: Annotated[str, typer.Argument(help="The event's name.")],
    body: Annotated[str, typer.Option(help="What it says, as JSON.")] = "{}",
) -> None:
    """Give an execution an event that a step waits for."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise CommandError(f"--body: not JSON: {error}") from None
    say(_standing(_answered(client, "POST", f"/workflows/{execution}/events/{quote(name, safe='')}", value)))


def _answered(client: httpx.Client, method: str, path: str, body: Any = None) -> dict[str, Any]:
    answer = client.request(method, path, json=body, headers=_V2) if method == "POST" else client.get(path, headers=_V2)
    require_success(answer)
    shown: dict[str, Any] = answer.json()
    return shown


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    waits = ", ".join(f"{waiting['kind']} {waiting['step']}" for waiting in one["waitingFor"])
    error = one["error"] or {}
    reason = waits or ": ".join(filter(None, (error.get("step"), error.get("code"))))
    return one["id"], one["name"], str(one["revision"]), one["status"], reason, one["createdDate"]


def _standing(one: dict[str, Any]) -> str:
    return f"{one['id']} is {one['status']}"


@command(app, "move")
def move(
    client: httpx.Client,
    name: _Name,
    from_: Annotated[int, typer.Option("--from", help="The revision that the executions are on.")],
    to: Annotated[
        int | None, typer.Option("--to", help="The revision that they move to; default: the shown one.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of them.")] = False,
    mapping: Annotated[list[str] | None, typer.Option("--map", help="A renamed step, as old=new; repeat it.")] = None,
    execution: Annotated[list[UUID] | None, typer.Option("--execution", help="Only this execution; repeat it.")] = None,
) -> None:
    """Move executions of a definition to another revision: those that can be moved; says why of the others."""
    names = _mapping(mapping or [])
    definition = definition_of(client, name)
    body = {"from": from_, "to": to or definition["revision"], "dryRun": dry_run, "mapping": names}
    if execution:
        body["workflowIds"] = [str(one) for one in execution]
    answer = client.post(f"/definitions/{definition['id']}/migrations", json=body)
    require_success(answer)
    _report(_done(client, answer.json()))


@command(app, "undo")
def undo(
    client: httpx.Client,
    name: _Name,
    migration: Annotated[UUID, typer.Argument(help="The migration's id, as `move` and `moves` print it.")],
) -> None:
    """Move executions back that have not gone on since."""
    definition = definition_of(client, name)
    answer = client.post(f"/definitions/{definition['id']}/migrations/{migration}/undo")
    require_success(answer)
    done = _done(client, answer.json())
    kept = f"; {_executions(done['kept'])} had gone on and stayed on revision {done['to']}" if done["kept"] else ""
    say(f"{_executions(done['undone'])} moved back to revision {done['from']}{kept}")


@command(app, "moves")
def moves(client: httpx.Client, name: _Name) -> None:
    """List the migrations of a definition, newest first. Dry runs are kept for a week."""
    table = Table(_ids("id"), "from", "to", "status", "safe", "needs mapping", "refused", "moved", "by", "at")
    definition = definition_of(client, name)
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
        say(f"no execution on revision {migration['from']} is under way")
    if migration["dryRun"]:
        say(f"dry run: {_executions(verdicts['safe'])} would move to revision {to}")
        return
    stay = verdicts["needsMapping"] + verdicts["refused"]
    staying = f"; {_executions(stay)} stayed on revision {migration['from']}" if stay else ""
    say(f"{_executions(migration['moved'])} moved to revision {to}{staying}")
    if migration["moved"]:
        say(f"migration {migration['id']}, taken back by `passerelle executions undo`")


def _ids(title: str) -> Column:
    """A column whose ids are never cut off: they are given to other commands."""
    return Column(title, min_width=36, overflow="fold")


def _executions(count: int) -> str:
    return "1 execution" if count == 1 else f"{count:,} executions"


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


@command(app, "consents")
def list_consents(
    client: httpx.Client,
    workflow: Annotated[UUID, typer.Argument(help="The execution's id.")],
    personal: Annotated[bool, typer.Option("--personal", help="With personal values, and what was hashed.")] = False,
) -> None:
    """Print what an execution's end user has agreed to, as JSON: what was read, when, from where, by whom."""
    answer = client.get(f"/workflows/{workflow}/consents", params={"personal": str(personal).lower()})
    require_success(answer)
    output.print_json(answer.text)


@command(app, "consent-copy")
def copy_consent(
    client: httpx.Client,
    workflow: Annotated[UUID, typer.Argument(help="The execution's id.")],
    step: Annotated[str, typer.Argument(help="The step that asked.")],
    visit: Annotated[int, typer.Option(help="Which time it asked.")] = 1,
    to: Annotated[Path | None, typer.Option("--to", help="The file; without it, the name of the step.")] = None,
) -> None:
    """Write what an execution's end user has agreed to at a step into a PDF, for them to keep."""
    answer = client.get(f"/workflows/{workflow}/consents/{quote(step, safe='')}/copy", params={"visit": visit})
    require_success(answer)
    target = to or Path(f"{step}.pdf")
    target.write_bytes(answer.content)
    say(f"{target}: {len(answer.content):,} bytes")


@app.command("verify-consents")
def verify_consents(
    file: Annotated[Path, typer.Argument(help="What `consents --personal` has printed.")],
) -> None:
    """Look whether statements are those that were hashed, and say what they are. Exit status 1 if one is not."""
    outcomes = [(step, _hashed(statement) == hash_, hash_) for step, statement, hash_ in _statements(file)]
    for step, intact, hash_ in outcomes:
        say(f"{step}: {'intact' if intact else 'not what was hashed'}  {hash_}")
    if not all(intact for _, intact, _ in outcomes):
        raise typer.Exit(1)


def _statements(file: Path) -> list[tuple[str, str, str]]:
    """Each consent of a file: its step, what was agreed to, and the hash. Raises `CommandError`."""
    advice = f"write it with `passerelle executions consents ID --personal > {file}`"
    try:
        found = [(one["step"], one["statement"], one["hash"]) for one in json.loads(file.read_text())["data"]]
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{file} holds no consents: {advice}") from None
    if any(statement is None for _, statement, _ in found):
        raise CommandError(f"{file} holds consents whose statements are masked: {advice}")
    return found


def _hashed(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
