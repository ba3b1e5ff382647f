"""Folders of tests in which a PostgreSQL lies: started by root, it runs as another user, who must get there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def passable(folder: Path) -> Path:
    """The folder, with the temporary folders above it, open for passing where we are root."""
    if os.geteuid() == 0:
        top = Path(tempfile.gettempdir())
        for each in (folder, *folder.parents):
            if top in each.parents and each.exists():
                each.chmod(each.stat().st_mode | 0o011)
    return folder
