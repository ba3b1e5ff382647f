"""The data folder, its lock and the folder of the socket."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.dev.postgres.errors import EmbeddedError
from passerelle.dev.postgres.folder import DataFolder, FolderLock, explained, make_socket_folder

SOCKET_PATH_LIMIT = 107
"""Bytes, in Linux; 103 on macOS."""


@given(
    root=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3000),
    uid=st.integers(0, 2**32 - 2),
)
def test_any_data_folder_has_a_socket_that_is_short_enough(root: str, uid: int) -> None:
    socket = DataFolder(Path("/", root)).sockets(uid) / ".s.PGSQL.5432"
    assert len(os.fsencode(socket)) <= 103 <= SOCKET_PATH_LIMIT


def test_each_data_folder_has_its_own_sockets_at_every_start() -> None:
    one, other = DataFolder(Path("/a")), DataFolder(Path("/b"))
    assert one.sockets(1) == one.sockets(1)
    assert len({one.sockets(1), one.sockets(2), other.sockets(1)}) == 3


def test_the_lock_is_held_by_one_and_names_its_holder(tmp_path: Path) -> None:
    held = FolderLock(tmp_path / "lock")
    with pytest.raises(EmbeddedError, match=f"{tmp_path} is in use by process {os.getpid()}: stop it first"):
        FolderLock(tmp_path / "lock")
    held.release()
    assert list(tmp_path.iterdir()) == []
    FolderLock(tmp_path / "lock").release()


def test_a_holder_that_has_not_said_its_name_is_respected_too(tmp_path: Path) -> None:
    held = FolderLock(tmp_path / "lock")
    (tmp_path / "lock").write_text("")
    with pytest.raises(EmbeddedError, match="in use by another process"):
        FolderLock(tmp_path / "lock")
    held.release()


def test_a_lock_file_that_a_dead_process_left_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")
    held = FolderLock(tmp_path / "lock")
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    held.release()


def test_a_lock_on_a_file_that_was_removed_meanwhile_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder's release falls between our open and our lock: what we locked has no name any more."""
    really_open, opened = os.open, []

    def open_just_before_the_release(path: Path, *arguments: int) -> int:
        opened.append(really_open(path, *arguments))
        if len(opened) == 1:
            path.unlink()
        return opened[-1]

    monkeypatch.setattr(os, "open", open_just_before_the_release)
    held = FolderLock(tmp_path / "lock")
    assert len(opened) == 2
    with pytest.raises(EmbeddedError):
        FolderLock(tmp_path / "lock")
    held.release()


def test_a_password_is_kept_for_this_user_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.kept_password() is None
    folder.password.write_text("")  # left by a full disk
    assert folder.kept_password() is None
    folder.keep_password("secret")
    assert folder.kept_password() == "secret"
    assert stat.S_IMODE(folder.password.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["postgres.password"]


def test_a_new_folder_is_private_and_one_that_is_there_is_left_alone(tmp_path: Path) -> None:
    new = DataFolder(tmp_path / "above" / "new")
    new.create(None)
    assert stat.S_IMODE(new.root.stat().st_mode) == 0o700
    new.root.chmod(0o755)
    new.create(None)
    assert stat.S_IMODE(new.root.stat().st_mode) == 0o755


def test_the_socket_folder_is_private_and_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    make_socket_folder(folder, None)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / ".s.PGSQL.5432.lock").write_text("left by a crash")
    make_socket_folder(folder, None)
    assert list(folder.iterdir()) == []


def test_a_socket_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    """In a folder where everybody may write, somebody could have been there before us."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "private")
    (tmp_path / "file").touch(mode=0o600)
    for name in ("open", "link", "file"):
        with pytest.raises(EmbeddedError, match="not private to us: remove it"):
            make_socket_folder(tmp_path / name, None)


def test_what_the_file_system_refuses_becomes_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(EmbeddedError, match=r"Cannot use /data as the data folder \(.*absent: No such file.*--data-dir"),
        explained(Path("/data")),
    ):
        (tmp_path / "absent").read_text()
