"""PostgreSQL lies in the folders of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.passable import passable


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """A folder that PostgreSQL's user can reach."""
    return passable(tmp_path)
