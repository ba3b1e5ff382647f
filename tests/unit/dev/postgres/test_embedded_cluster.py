"""What is read from a cluster's folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.dev.postgres import cluster
from passerelle.dev.postgres.cluster import PidFile
from passerelle.dev.postgres.errors import EmbeddedError

WRITTEN = "4711\n/data/postgres\n1763900000\n5432\n/tmp/passerelle-1\n\n  8589 65538\nready   \n"


def test_a_pid_file_that_is_complete_says_ready() -> None:
    assert PidFile.parse(WRITTEN) == PidFile(4711, True)


@given(cut=st.integers(0, len(WRITTEN)))
def test_a_pid_file_that_is_being_written_is_never_taken_for_ready(cut: int) -> None:
    found = PidFile.parse(WRITTEN[:cut])
    assert found is None or not found.ready or WRITTEN[:cut].rstrip() == WRITTEN.rstrip()


@pytest.mark.parametrize("status", ["starting", "stopping", "standby "])
def test_a_server_on_its_way_is_not_ready(status: str) -> None:
    assert PidFile.parse(WRITTEN.replace("ready   ", status)) == PidFile(4711, False)


def test_a_single_user_server_writes_its_number_with_a_minus() -> None:
    assert PidFile.parse("-42\n/data\n") == PidFile(42, False)


@given(text=st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = PidFile.parse(text)
    assert found is None or found.pid >= 0


def test_no_pid_file_is_no_server(tmp_path: Path) -> None:
    assert PidFile.read(tmp_path) is None


def test_an_absent_or_empty_folder_is_no_cluster(tmp_path: Path) -> None:
    assert not cluster.exists(tmp_path / "absent")
    assert not cluster.exists(tmp_path)


def test_only_data_of_the_version_we_run_is_taken(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("18\n")
    assert cluster.exists(tmp_path)
    (tmp_path / "PG_VERSION").write_text("19\n")
    with pytest.raises(EmbeddedError, match="written by PostgreSQL 19 and this release of Passerelle runs 18"):
        cluster.exists(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("")
    with pytest.raises(EmbeddedError, match="is not PostgreSQL's data: move it away"):
        cluster.exists(tmp_path)
