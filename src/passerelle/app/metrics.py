"""What Prometheus is told of the whole installation."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.process_collector import ProcessCollector

from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database, fetch_one
from passerelle.kit.loop_watch import LoopWatch
from passerelle.quotas.models import QUOTAS
from passerelle.quotas.service import WorkspaceQuotas


class Metrics:
    """Counted in the database when somebody asks, all but what this process knows by itself."""

    def __init__(
        self, database: Database, clock: SharedClock, quotas: WorkspaceQuotas, watch: LoopWatch | None
    ) -> None:
        self._database = database
        self._clock = clock
        self._quotas = quotas
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        if watch is not None:  # nothing is watched where only the document is made
            self._registry.register(watch.held)
        gauge = self._gauge
        self._executions = gauge("executions", "Executions that have not ended", "status")
        self._jobs = gauge("jobs", "Jobs in the queue", "status")
        self._stranded = gauge("executions_stranded", "Executions that a job should stand for and none does")
        self._attempts = gauge("webhook_attempts", "Attempts at the endpoints that there are", "outcome")
        self._webhooks = {
            "pending": gauge("webhook_deliveries_pending", "Webhooks on their way"),
            "overdue_seconds": gauge("webhook_overdue_seconds", "How long the oldest webhook that is due has waited"),
            "failing": gauge("webhook_endpoints_failing", "Active endpoints that fail"),
            "disabled": gauge("webhook_endpoints_disabled", "Endpoints that were disabled"),
        }
        self._deprecated = gauge(
            "deprecated_uses", "Requests to a version that is going away, in the last 400 days", "endpoint", "version"
        )
        self._clock_off = gauge("clock_off_seconds", "By how much this machine's clock is ahead of the database's")
        self._refused = gauge("quota_refusals", "What this process refused because of a quota", "quota")
        self._nearly_full = gauge(
            "quota_nearly_full_workspaces",
            "Workspaces that have used nine tenths of a quota or more, of those that this process has looked at lately",
            "quota",
        )

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"passerelle_{name}", about, labels, registry=self._registry)

    async def text(self) -> bytes:
        """All of it as it is now, in the text format of Prometheus."""
        await self._count()
        self._clock_off.set(self._clock.off)
        full = self._quotas.nearly_full()
        for quota in QUOTAS:
            self._refused.labels(quota).set(self._quotas.refused[quota])
            self._nearly_full.labels(quota).set(full[quota])
        return generate_latest(self._registry)

    async def _count(self) -> None:
        async with self._database.shared() as connection:
            hooks = await fetch_one(connection, "SELECT * FROM webhook_counts(now())")
            counts = await connection.fetch("SELECT * FROM execution_counts()")
            uses = await connection.fetch("SELECT * FROM deprecated_counts()")
            jobs = await connection.fetch("SELECT status, count(*) AS jobs FROM pgqueuer GROUP BY status")
            lost = await connection.fetch(
                "SELECT id FROM stranded_executions('1 minute', 1000) "
                "UNION ALL SELECT id FROM stranded_children('1 minute', 1000)"
            )
        for gauge, rows, column in ((self._executions, counts, "executions"), (self._jobs, jobs, "jobs")):
            gauge.clear()
            for row in rows:
                gauge.labels(row["status"]).set(row[column])
        self._deprecated.clear()
        for row in uses:
            self._deprecated.labels(row["endpoint"], str(row["version"])).set(row["uses"])
        self._stranded.set(len(lost))
        for name, webhook_gauge in self._webhooks.items():
            webhook_gauge.set(hooks[name])
        for outcome in ("succeeded", "failed"):
            self._attempts.labels(outcome).set(hooks[outcome])
