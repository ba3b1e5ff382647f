"""The guide of links and tokens is real: its commands run in order, and what they print is compared."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from passerelle.events.catalogue import CATALOGUE
from passerelle.links import codes, sending, service
from passerelle.links.models import LinkState
from tests.acceptance.guides import followed, guide
from tests.acceptance.running import Dev


def test_every_command_of_the_links_guide_prints_what_it_shows(dev: Dev, tmp_path: Path) -> None:
    assert followed("links", dev, tmp_path) > 15


def test_every_state_and_event_of_links_is_told() -> None:
    text = guide("links")
    for name in [
        *(set(LinkState) - {LinkState.UNKNOWN}),
        *(one for one in CATALOGUE if one.startswith(("link.", "email."))),
    ]:
        assert re.search(rf"`{re.escape(name)}`", text), name


def test_the_limits_that_the_guide_tells_are_the_limits() -> None:
    minute, hour, day = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
    assert ((minute, 1), (hour, 5), (day, 10)) == codes.SENDS
    assert ((hour, 15), (day, 30)) == codes.TO_ADDRESS
    assert (5, timedelta(minutes=15)) == (codes.ATTEMPTS, codes.CODE_LIFETIME)
    assert [pause.total_seconds() for pause in sending.PAUSES[:3]] == [10, 30, 60]
    assert (sending.PAUSES[-1], service.SEND_FOR, service.FORGET_AFTER) == (hour, day, timedelta(days=30))
