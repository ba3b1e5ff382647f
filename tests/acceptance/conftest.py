"""Fixtures of the acceptance tests; what they use is in `running`."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.running import Dev, start_dev


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One Passerelle for every test that does not stop it."""
    running = start_dev(tmp_path_factory.mktemp("dev") / "data")
    yield running
    running.stop()


@pytest.fixture
def api(dev: Dev) -> Iterator[httpx.Client]:
    """A client of the demo workspace that asks for version 2."""
    with dev.api() as client:
        yield client
