"""`passerelle test`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep

from rich.console import Console

from passerelle.engine.registry import load_kinds
from passerelle.kit.errors import CommandError
from passerelle.scenarios.reading import definition_path, find_files
from passerelle.scenarios.report import report
from passerelle.scenarios.running import FileOutcome, run_files
from passerelle.scenarios.watching import times_of, wait_for_change


def test(paths: list[Path], console: Console, *, coverage: bool, watch: bool) -> bool:
    """Run the scenarios in `paths`. Whether all passed; with `watch` it ends only when interrupted.

    Raises `CommandError` where there is nothing to run.
    """
    kinds = load_kinds()
    if not watch:
        return report(run_files(find_files(paths), kinds), console, coverage=coverage)
    watched = _Watched(paths)
    while True:
        before = times_of(watched.files())
        try:
            watched.ran = list(run_files(find_files(paths), kinds))
            report(watched.ran, console, coverage=coverage)
        except CommandError as error:
            console.print(str(error), markup=False)
        console.print("[dim]waiting for changes; Ctrl-C ends it[/dim]")
        # The run has told of definitions that are elsewhere; of the others, what changed meanwhile counts.
        wait_for_change(watched.files, {**times_of(watched.files()), **before}, sleep)
        console.rule()


class _Watched:
    """The files of which a change makes the scenarios run again."""

    def __init__(self, paths: list[Path]) -> None:
        self.ran: list[FileOutcome] = []
        self._paths = paths

    def files(self) -> Iterator[Path]:
        try:
            files = find_files(self._paths)
        except CommandError:
            files = []
        for file in files:
            yield file
            yield definition_path(file)
        yield from (file.file.definition_path for file in self.ran if file.file is not None)
