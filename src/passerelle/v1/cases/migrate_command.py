"""`passerelle cases migrate`: from the map in a file to the records in their table, and what is said on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from passerelle.kit.clock import system_clock
from passerelle.kit.database import Database
from passerelle.kit.errors import CommandError
from passerelle.kit.ids import new_id
from passerelle.records.relocation.checking import Checking, used_fields
from passerelle.records.relocation.mapping import faults_of, parse_map, suggested
from passerelle.records.relocation.moving import Moving, RelocationOutcome, TableChangedError, Undoing
from passerelle.records.relocation.translating import Translation
from passerelle.records.relocation.verifying import Verifying
from passerelle.tables.models import Table
from passerelle.tables.service import Tables
from passerelle.v1.cases.command_database import Where, alone, opened, the_tables

_CHANGED: Final = "a table was changed meanwhile: what has moved stays moved; start the command again for the rest"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command came to: lines to print, and whether all is well."""

    lines: tuple[str, ...]
    good: bool = True


async def suggest(place: Where, to: str, file: Path | None) -> Said:
    """A map to begin with: printed, or written into a file that is not there yet. Raises `CommandError`."""
    async with opened(place) as database:
        source, target = await the_tables(_tables(database), place.workspace_id, to)
        assert target is not None
        text = suggested(source, target, await used_fields(database, source))
    if file is None:
        return Said(tuple(text.splitlines()))
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise CommandError(f"{file} is there already: name another file, or leave --map out to see it") from None
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    return Said((f"{file} is written: look through it, then move with --dry-run",))


async def migrate(place: Where, to: str, file: Path, output: Console, *, dry_run: bool) -> Said:
    """Check everything, then move; again, it moves what has come since. Raises `CommandError`."""
    wanted = parse_map(_text_of(file), str(file))
    async with opened(place) as database, alone(database, place.workspace_id):
        source, target = await the_tables(_tables(database), place.workspace_id, to)
        assert target is not None
        faults = faults_of(wanted, source, target, await used_fields(database, source))
        if faults:
            return _refused(faults)
        translation = Translation.of(wanted, source, target)
        count = await _count(database, source)
        with _bar(output, "checking", count) as progress:
            faults = await Checking(database, _tables(database), translation, new_id).faults(progress)
        if faults:
            return _refused(faults)
        if dry_run:
            return Said((f"{cases(count)} can be moved to {target.name}; nothing was moved",))
        with _bar(output, "moving", count) as progress, _tables_kept():
            outcome = await Moving(database, system_clock, new_id).run(translation, progress)
    return _outcome(outcome, f"moved to {target.name}: their ids, history, files, comments and executions are kept")


async def verify(place: Where, output: Console) -> Said:
    """Compare what was moved with what it was. Raises `CommandError`."""
    async with opened(place) as database:
        tables = _tables(database)
        source, _ = await the_tables(tables, place.workspace_id, None)
        with _bar(output, "comparing", await _count_moved(database, source)) as progress:
            found = await Verifying(database, tables).run(source, progress)
        left = await _count(database, source)
    differences = found.differences.lines()
    lines = [f"{cases(found.records)} compared, {found.values:,} values: {'they differ' if differences else 'equal'}"]
    if found.written:
        lines.append(f"{cases(found.written)} written to since the move: of those only the history was compared")
    if left:
        lines.append(f"{cases(left)} not moved yet: start the move again for them")
    return Said((*lines, *differences), good=not differences)


async def undo(place: Where, output: Console) -> Said:
    """Bring back what nobody has written to since. Raises `CommandError`."""
    async with opened(place) as database, alone(database, place.workspace_id):
        tables = _tables(database)
        source, _ = await the_tables(tables, place.workspace_id, None)
        with _bar(output, "bringing back", await _count_moved(database, source)) as progress, _tables_kept():
            outcome = await Undoing(database, tables).run(source, progress)
    return _outcome(outcome, f"back in {source.name}")


def _tables(database: Database) -> Tables:
    return Tables(database, system_clock, new_id)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; --suggest writes a map to begin with") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} is not UTF-8") from None


def _refused(faults: Sequence[str]) -> Said:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return Said((*faults, f"{count}; nothing was moved"), good=False)


def _outcome(outcome: RelocationOutcome, what: str) -> Said:
    stayed = outcome.stayed.lines()
    return Said((f"{cases(outcome.moved)} {what}", *stayed), good=not stayed)


def cases(count: int) -> str:
    """So many cases, in words."""
    return "1 case" if count == 1 else f"{count:,} cases"


async def _count(database: Database, table: Table) -> int:
    async with database.workspace(table.workspace_id) as connection:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM record WHERE workspace_id = $1 AND table_id = $2", table.workspace_id, table.id
        )
    return count


async def _count_moved(database: Database, table: Table) -> int:
    async with database.workspace(table.workspace_id) as connection:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM record_moved WHERE workspace_id = $1", table.workspace_id
        )
    return count


@contextmanager
def _bar(output: Console, name: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description:14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output, transient=not output.is_terminal) as progress:
        task = progress.add_task(name, total=total)
        yield lambda more: progress.advance(task, more)


@contextmanager
def _tables_kept() -> Iterator[None]:
    try:
        yield
    except TableChangedError:
        raise CommandError(_CHANGED) from None
