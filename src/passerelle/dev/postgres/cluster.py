"""Makes a cluster, all or nothing, and reads what PostgreSQL leaves in one."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from passerelle.dev.postgres import options
from passerelle.dev.postgres.errors import EmbeddedError
from passerelle.dev.postgres.folder import DataFolder, remove_folder
from passerelle.dev.postgres.programs import MAJOR, Programs

_DRAFT = "postgres.init-"


@dataclass(frozen=True, slots=True)
class PidFile:
    """What a running PostgreSQL writes into `postmaster.pid`."""

    pid: int
    ready: bool

    @classmethod
    def parse(cls, text: str) -> PidFile | None:
        """None for a file that is not written yet. The lines are those of PostgreSQL's `pidfile.h`."""
        lines = [line.strip() for line in text.split("\n")]
        if not re.fullmatch("-?[0-9]{1,10}", lines[0]):
            return None
        # A single-user server writes its process id with a minus.
        return cls(abs(int(lines[0])), len(lines) > 7 and lines[7] == "ready")

    @classmethod
    def read(cls, cluster: Path) -> PidFile | None:
        """None when there is none."""
        try:
            return cls.parse((cluster / "postmaster.pid").read_text(errors="replace"))
        except FileNotFoundError:
            return None


def exists(cluster: Path) -> bool:
    """Whether there is a cluster that we can run; an absent or empty folder is none.

    Raises `EmbeddedError` for another PostgreSQL's data and for a folder of something else.
    """
    try:
        version = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if not cluster.exists() or not any(cluster.iterdir()):
            return False
        raise EmbeddedError(
            f"{cluster} is not PostgreSQL's data: move it away, or choose another folder with --data-dir"
        ) from None
    if version != str(MAJOR):
        raise EmbeddedError(
            f"{cluster} was written by PostgreSQL {version} and this release of Passerelle runs {MAJOR}: "
            "start the release that wrote it and export its data, or choose another folder with --data-dir"
        )
    return True


def remove_drafts(folder: DataFolder) -> None:
    """Of starts that were cut while they made the cluster."""
    for left in folder.root.glob(f"{_DRAFT}*"):
        remove_folder(left)


async def make(folder: DataFolder, programs: Programs, password: str) -> None:
    """Make the cluster beside its place and rename it: one that is in its place is whole."""
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=folder.root))
    if programs.account is not None:
        os.chown(draft, programs.account.uid, programs.account.gid)
    fresh = draft / "cluster"
    try:
        await programs.run("initdb", "-D", str(fresh), *options.INITDB, needs=draft)
        (fresh / "pg_hba.conf").write_text(options.HBA)
        await alone(fresh, programs, options.birth(password))
        fresh.rename(folder.cluster)
        _sync(folder.root)
    finally:
        # Those of others too: an `initdb` whose starter was killed may have written on while they were removed.
        remove_drafts(folder)


async def alone(cluster: Path, programs: Programs, statements: list[str]) -> None:
    """Run statements in single-user mode: as superuser, without passwords, with no other client."""
    settings = options.arguments({**options.SETTINGS, "exit_on_error": "on"})
    arguments = ("--single", "-D", str(cluster), *settings, "postgres")
    await programs.run("postgres", *arguments, needs=cluster, lines=statements)


def _sync(folder: Path) -> None:
    """Bring the folder's entries to the disk; PostgreSQL has done so for what it wrote."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
