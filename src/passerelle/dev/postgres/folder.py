"""What lies where in the data folder, and the lock that one process holds on it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from passerelle.dev.postgres.accounts import Account
from passerelle.dev.postgres.errors import EmbeddedError

_RUNTIME = Path("/tmp")  # noqa: S108 - where PostgreSQL itself puts its socket; what we make there is private


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder of `passerelle dev --data-dir`, as an absolute path."""

    root: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.root / "postgres"

    @property
    def log(self) -> Path:
        """What PostgreSQL says."""
        return self.root / "postgres.log"

    @property
    def password(self) -> Path:
        """The password of the database role `passerelle`."""
        return self.root / "postgres.password"

    @property
    def lock(self) -> Path:
        """Held by the process that runs the database; contains its id."""
        return self.root / "passerelle.lock"

    def sockets(self, uid: int) -> Path:
        """The folder of PostgreSQL's socket: the same at every start, so that addresses stay valid.

        Not below the data folder, because a socket's path is limited to 107 bytes.
        """
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return _RUNTIME / f"passerelle-{uid}-{digest}"

    def create(self, account: Account | None) -> None:
        """Make the folder, private, unless it is there; one that is there keeps its mode.

        The group of PostgreSQL's user, where that is another one, may pass through it (not list or read it).
        """
        self.root.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.root.mkdir(mode=0o700)
        except FileExistsError:
            return
        if account is not None:
            os.chown(self.root, -1, account.gid)
            self.root.chmod(0o710)

    def kept_password(self) -> str | None:
        """None when there is none, or an empty file."""
        try:
            return self.password.read_text().strip() or None
        except FileNotFoundError:
            return None

    def keep_password(self, password: str) -> None:
        """Write it for this user only; a crash leaves either none or a whole one."""
        draft = self.password.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(password)
        draft.replace(self.password)


@contextlib.contextmanager
def explained(root: Path) -> Iterator[None]:
    """Turns what the file system refuses into a sentence for the user."""
    try:
        yield
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else str(root)
        raise EmbeddedError(
            f"Cannot use {root} as the data folder ({where}: {error.strerror}): "
            "make it writable for this user, or choose another folder with --data-dir"
        ) from error


_held: Final[set[int]] = set()
"""The locks' descriptors. A forked child must not keep them: it may outlive us, and the lock with it."""


def _leave_to_parent() -> None:
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_leave_to_parent)


class FolderLock:
    """An flock: the kernel takes it back when its holder is gone, however that ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._acquire()
        _held.add(self._file)

    def _acquire(self) -> int:
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                pid = os.read(file, 20).decode().strip()
                holder = f"process {pid}" if pid else "another process"
                os.close(file)
                raise EmbeddedError(
                    f"{self._path.parent} is in use by {holder}: "
                    "stop it first, or choose another folder with --data-dir"
                ) from error
            if self._still_named(file):
                os.ftruncate(file, 0)
                os.write(file, f"{os.getpid()}\n".encode())
                return file
            os.close(file)  # its holder removed it between our open and our lock

    def _still_named(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give the folder free and leave no file behind."""
        self._path.unlink(missing_ok=True)
        _held.discard(self._file)
        os.close(self._file)


def make_socket_folder(path: Path, account: Account | None) -> None:
    """A private, empty folder for the socket, owned by PostgreSQL's user; what a crash left is removed.

    Others may write beside it, so one that is there is used only if it is ours. Raises `EmbeddedError`.
    """
    own = os.geteuid()
    owner = own if account is None else account.uid
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (own, owner) or found.st_mode & 0o077:
        raise EmbeddedError(f"{path} is needed for PostgreSQL's socket and is not private to us: remove it")
    for left in path.iterdir():
        left.unlink()
    if account is not None:
        os.chown(path, account.uid, account.gid)


def remove_folder(path: Path) -> None:
    """With all that is in it, if it is there."""
    shutil.rmtree(path, ignore_errors=True)
