"""Notices that files have changed, by asking for their times: needs no library, and works on every file system."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

SECONDS: Final = 0.3
"""Between two looks."""

Times = dict[Path, tuple[int, int]]


def wait_for_change(files: Callable[[], Iterable[Path]], before: Times, sleep: Callable[[float], None]) -> Times:
    """Sleep until one of the files is new, gone or different from `before`; what they are like then."""
    while (now := times_of(files())) == before:
        sleep(SECONDS)
    return now


def times_of(files: Iterable[Path]) -> Times:
    """Each file's time of change and size; one that is not there is left out."""
    times: Times = {}
    for file in files:
        try:
            found = file.stat()
        except OSError:
            continue
        times[file] = (found.st_mtime_ns, found.st_size)
    return times
