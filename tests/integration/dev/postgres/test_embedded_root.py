"""Started as root, PostgreSQL runs as somebody else, with nothing left of root."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.integration.dev.postgres.embedded_harness import (
    ask,
    postmaster,
    refusal,
    supervisor,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")


async def test_a_new_folder_lets_the_database_s_user_pass(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with supervisor(data_dir) as supervised:
        assert await ask(supervised.ready(), "SELECT 1") == 1
        server = postmaster(data_dir)
        assert 0 not in server.uids()
        assert capabilities(server.pid) == 0
        assert (mode(data_dir), data_dir.stat().st_gid) == (0o710, server.gids().real)
        assert supervised.end(signal.SIGTERM) == 0


def test_a_folder_that_the_database_s_user_cannot_enter_is_refused_with_what_would_help(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    sentence = refusal(closed / "more" / "data")
    assert "cannot reach" in sentence
    assert "start Passerelle as an ordinary user" in sentence
    assert sentence.endswith(f"chmod o+x {closed}")
    assert mode(closed) == 0o700


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def capabilities(pid: int) -> int:
    """Those in effect, as the kernel's bit mask."""
    status = Path(f"/proc/{pid}/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return int(effective.partition(":")[2], 16)
