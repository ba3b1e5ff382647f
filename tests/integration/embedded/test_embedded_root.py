"""Started as root, PostgreSQL runs as somebody else, who reaches what root reaches."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_harness import ask, copied, postmaster, refusal, running, seed, supervisor, without

from passerelle.embedded.accounts import may_pass_everywhere
from passerelle.embedded.launcher import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PASSAGES
from passerelle.embedded.programs import installation

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")


@pytest.fixture
def data_dir(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Path]:
    """A folder with a database that was stopped, below one that only root may enter."""
    tmp_path.chmod(0o700)
    with copied(seed(tmp_path_factory.getbasetemp()), tmp_path / "data") as copy:
        yield copy


async def test_programs_and_data_may_lie_where_only_root_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    programs = copied_programs(closed)
    monkeypatch.setattr("passerelle.embedded.supervisor.installation", lambda: programs)
    async with running(closed / "data") as url:
        assert await ask(url, "SELECT 1") == 1
        server = postmaster(closed / "data")
        assert server.exe().startswith(str(programs))
        assert 0 not in server.uids()
        lent = CAP_DAC_READ_SEARCH if may_pass_everywhere() else CAP_DAC_OVERRIDE
        assert capabilities(server.pid) == 1 << lent
    assert mode(closed) == 0o700


def copied_programs(folder: Path) -> Path:
    """The wheel's programs find their libraries beside the package."""
    package = installation().parent
    shutil.copytree(f"{package}.libs", folder / f"{package.name}.libs", symlinks=True)
    return shutil.copytree(installation(), folder / package.name / installation().name, symlinks=True)


class TestInContainer:
    """Root there may usually write anywhere and become anybody, but not lend its reading alone."""

    async def test_a_new_folder_lets_the_database_s_user_pass(self, open_folder: Path) -> None:
        data_dir = open_folder / "data"
        with supervisor(data_dir, preexec_fn=without(CAP_DAC_READ_SEARCH)) as supervised:
            assert await ask(supervised.ready(), "SELECT 1") == 1
            server = postmaster(data_dir)
            assert 0 not in server.uids()
            assert capabilities(server.pid) == 0
            assert (mode(data_dir), data_dir.stat().st_gid) == (0o710, server.gids().real)
            assert supervised.end(signal.SIGTERM) == 0

    async def test_a_closed_folder_is_passed_with_more_than_reading(self, data_dir: Path) -> None:
        with supervisor(data_dir, preexec_fn=without(CAP_DAC_READ_SEARCH)) as supervised:
            assert await ask(supervised.ready(), "SELECT 1") == 1
            assert capabilities(postmaster(data_dir).pid) == 1 << CAP_DAC_OVERRIDE

    def test_where_nothing_helps_the_sentence_says_what_would(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        sentence = refusal(tmp_path / "data", preexec_fn=without(*PASSAGES))
        assert f"cannot reach {tmp_path / 'data'}" in sentence
        assert "start Passerelle as an ordinary user" in sentence
        assert mode(tmp_path) == 0o700


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, like those above it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def capabilities(pid: int) -> int:
    """Those in effect, as the kernel's bit mask."""
    status = Path(f"/proc/{pid}/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    return int(effective.partition(":")[2], 16)
