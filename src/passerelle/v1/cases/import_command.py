"""`passerelle cases import`: opens what the import needs, and says what came of it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from passerelle.kit.clock import system_clock
from passerelle.kit.errors import CommandError
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox, generate_key
from passerelle.records.parts import record_parts
from passerelle.resources.files import Files, FilesUrlError
from passerelle.v1.cases.command_database import Where, alone, opened, the_tables
from passerelle.v1.cases.importing import CaseImporter
from passerelle.v1.cases.migrate_command import Said, cases


async def bring(place: Where, file: Path, files: Path | None, output: Console) -> Said:
    """Import a file. Raises `CommandError`."""
    size = _size_of(file, files)
    try:
        store = Files.at(place.files_url)
    except FilesUrlError as error:
        raise CommandError(str(error)) from None
    # Neither cursors nor links to files are made here: any key will do.
    box = SecretBox.from_setting(generate_key())
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    async with opened(place) as database, alone(database, place.workspace_id):
        parts = record_parts(database, Cursors(box), system_clock, new_id, files=store, box=box)
        source, _ = await the_tables(parts.tables, place.workspace_id, None)
        importing = CaseImporter(database, parts, source, files, system_clock)
        with Progress(*columns, console=output, transient=not output.is_terminal) as progress:
            task = progress.add_task("importing", total=size)
            report = await importing.run(file, lambda more: progress.advance(task, more))
    lines = [f"{cases(report.made)} made, {report.unchanged:,} there already, files attached: {report.files:,}"]
    if report.executions:
        lines.append(f"executions that stay with the service that ran them: {report.executions:,}")
    return Said((*report.problems, *lines), good=not report.problems)


def _size_of(file: Path, files: Path | None) -> int:
    if not file.is_file():
        raise CommandError(f"{file}: there is no such file")
    if files is not None and not files.is_dir():
        raise CommandError(f"--files: {files} is no folder")
    return file.stat().st_size
