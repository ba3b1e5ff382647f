"""PostgreSQL's log stays short and is quoted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from passerelle.dev.postgres.log import LogFile


def write(log: LogFile, text: str) -> None:
    descriptor = log.open()
    os.write(descriptor, text.encode())
    os.close(descriptor)


def test_a_log_above_the_limit_starts_anew_and_the_older_part_is_kept_once(tmp_path: Path) -> None:
    log, older = LogFile(tmp_path / "postgres.log"), tmp_path / "postgres.log.1"
    log.trim(limit=10)  # nothing there yet
    for part in ("first part\n", "second part\n"):
        write(log, part)
        log.trim(limit=10)
        assert log.size() == 0
        assert older.read_text() == part
    write(log, "short\n")
    log.trim(limit=10)
    assert log.path.read_text() == "short\n"
    assert sorted(os.listdir(tmp_path)) == ["postgres.log", "postgres.log.1"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_writer_goes_on_at_the_start_of_a_trimmed_log(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "postgres.log")
    writer = log.open()
    os.write(writer, b"long enough\n")
    log.trim(limit=5)
    os.write(writer, b"new\n")
    os.close(writer)
    assert log.path.read_bytes() == b"new\n"


def test_the_last_lines_are_those_of_this_start(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "postgres.log")
    assert log.last_lines(since=0) == []
    write(log, "an earlier run\n")
    start = log.size()
    assert log.last_lines(since=start) == []
    write(log, "\n".join(f"line {number}\n" for number in range(20)) + "\n\udcff".encode(errors="replace").decode())
    assert log.last_lines(since=start, count=3) == ["line 18", "line 19", "?"]


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "postgres.log")
    write(log, "x" * 100_000 + "\nthe end\n")
    assert log.last_lines(since=0, count=1) == ["the end"]
    assert sum(map(len, log.last_lines(since=0))) < 8192
