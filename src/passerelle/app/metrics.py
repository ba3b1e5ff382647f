"""What Prometheus and collectors are told: what this process has counted itself, and the figures of the installation.

Nothing is counted when somebody asks: a scrape reads one row of the database, and does without one that is away.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import asyncpg
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from pydantic import SecretStr

from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.metrics import REGISTRY, gauge
from passerelle.kit.version import VERSION
from passerelle.operations.figures import FIGURES, Counting, Figures
from passerelle.operations.mailing import MailWatch
from passerelle.quotas.models import QUOTAS
from passerelle.quotas.service import WorkspaceQuotas

METRICS_TOKEN_REQUIRED: Final = Code(
    "METRICS_TOKEN_REQUIRED", 401, "`/metrics` is about the whole installation, and needs its own token."
)
_PATIENCE: Final = 2.0
"""Seconds that the database has to give the figures of the installation."""
AGE: Final = "figures_age_seconds", "How long ago the figures of the installation were counted; absent: never"
_LOST: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PasserelleError, TimeoutError)

_build = gauge("build_info", "1; the release that this process runs is in the label", "version")
_database_up = gauge("database_up", "Whether the database answered when this was asked for: 1 or 0")
_connections = gauge("database_connections", "Connections of this process to the database: `busy`, and `most`", "state")
_clock_off = gauge("clock_off_seconds", "By how much this machine's clock is ahead of the database's")
_mail_refused = gauge("mail_server_refused", "1 where the mail server did not take this process when it last tried")
_nearly_full = gauge(
    "quota_nearly_full_workspaces",
    "Workspaces that have used nine tenths of a quota or more, of those that this process has looked at lately",
    "quota",
)
ProcessCollector(registry=REGISTRY)


class Metrics:
    """Everything that this process tells."""

    def __init__(
        self, database: Database, clock: SharedClock, quotas: WorkspaceQuotas, counting: Counting, mail: MailWatch
    ) -> None:
        self._database = database
        self._clock = clock
        self._quotas = quotas
        self._counting = counting
        self._mail = mail
        _build.labels(VERSION).set(1)

    async def text(self) -> bytes:
        """All of it as it is now, in the text format of Prometheus."""
        return b"".join(generate_latest(registry) for registry in await self._now())

    async def families(self) -> list[Metric]:
        """All of it as it is now: each figure with its numbers by their labels."""
        return [family for registry in await self._now() for family in registry.collect()]

    async def _now(self) -> list[CollectorRegistry]:
        """What this process has counted, with what it does not count brought up to date; and the installation's."""
        last: Figures | None = None
        _database_up.set(0)
        with suppress(*_LOST):
            async with asyncio.timeout(_PATIENCE):
                last = await self._counting.last()
                _database_up.set(1)
        busy, most = self._database.connections
        _connections.labels("busy").set(busy)
        _connections.labels("most").set(most)
        _clock_off.set(self._clock.off)
        _mail_refused.set(self._mail.refusal is not None)
        full = self._quotas.nearly_full()
        for quota in QUOTAS:
            _nearly_full.labels(quota).set(full[quota])
        return [REGISTRY] if last is None else [REGISTRY, _installation(last)]


class _Told:
    """A collector of what is known already."""

    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def _installation(last: Figures) -> CollectorRegistry:
    registry = CollectorRegistry()
    families = {
        name: GaugeMetricFamily(f"passerelle_{name}", about, labels=labels) for name, (about, labels) in FIGURES.items()
    }
    for one in last.figures:
        families[one.name].add_metric(one.labels, one.value)
    registry.register(_Told([*families.values(), GaugeMetricFamily(f"passerelle_{AGE[0]}", AGE[1], value=last.age)]))
    return registry


def require_token(wanted: SecretStr | None, authorization: bytes | None) -> None:
    """Raises METRICS_TOKEN_REQUIRED unless a request carries the token of `PASSERELLE_METRICS_TOKEN`."""
    if wanted is None:
        raise METRICS_TOKEN_REQUIRED.error(
            "nobody may read the metrics here: set PASSERELLE_METRICS_TOKEN, or ask at PASSERELLE_METRICS_LISTEN"
        )
    scheme, _, token = (authorization or b"").partition(b" ")
    right = hmac.compare_digest(token.strip(), wanted.get_secret_value().encode())
    if scheme.lower() != b"bearer" or not right:
        raise METRICS_TOKEN_REQUIRED.error(
            "send `Authorization: Bearer …` with the token of PASSERELLE_METRICS_TOKEN; a workspace's key is none",
            headers={"WWW-Authenticate": "Bearer"},
        )
