"""What a collector is sent over OTLP: as whose, and what Prometheus is told, in OpenTelemetry's words.

It loads OpenTelemetry's SDK: only those ask for it who were told of a collector.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.environment_variables import OTEL_METRIC_EXPORT_INTERVAL
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import Metric as Family
from prometheus_client.samples import Sample

from passerelle.kit.errors import CommandError
from passerelle.kit.metrics import STARTED
from passerelle.kit.version import VERSION

_CUMULATIVE: Final = AggregationTemporality.CUMULATIVE
_NOT_KEPT: Final[Any] = None
"""The least and the most of a histogram: Prometheus keeps neither, and OTLP may do without."""


def resource() -> Resource:
    """As whose traces and metrics go out: Passerelle's, unless `OTEL_…` says otherwise; each process is an instance."""
    ours = {"service.name": "passerelle", "service.version": VERSION}
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def every() -> float:
    """Seconds from one sending of metrics to the next: a minute, unless `OTEL_METRIC_EXPORT_INTERVAL` has others.

    Raises `CommandError` where that is no number of milliseconds.
    """
    told = os.environ.get(OTEL_METRIC_EXPORT_INTERVAL) or "60000"
    if not told.isdecimal() or int(told) == 0:
        raise CommandError(f"{OTEL_METRIC_EXPORT_INTERVAL}: {told!r} is no number of milliseconds, as 60000 is")
    return int(told) / 1000


class MetricsSender:
    """Sends metrics to one collector, one after another, in a thread of its own."""

    def __init__(self, url: str) -> None:
        """The collector's address is without `/v1/metrics`; its headers, its patience and the rest are `OTEL_…`."""
        self._exporter = OTLPMetricExporter(endpoint=f"{url.rstrip('/')}/v1/metrics")
        self._resource = resource()
        self._thread = ThreadPoolExecutor(1, "otlp-metrics")
        self._reasons = _Reasons()
        logging.getLogger(OTLPMetricExporter.__module__).addFilter(self._reasons)

    async def send(self, families: Sequence[Family]) -> None:
        """Send what was collected. Raises `ConnectionError` with the reason where the collector did not take it."""
        data = as_otlp(families, self._resource, time.time_ns())
        await asyncio.get_running_loop().run_in_executor(self._thread, self._export, data)

    def close(self) -> None:
        """Give up what is being sent still."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._exporter.shutdown()
        logging.getLogger(OTLPMetricExporter.__module__).removeFilter(self._reasons)

    def _export(self, data: MetricsData) -> None:
        self._reasons.texts.clear()
        if self._exporter.export(data) is not MetricExportResult.SUCCESS:
            raise ConnectionError(next(iter(self._reasons.texts), "no reason was given"))


class _Reasons(logging.Filter):
    """Keeps what the exporter would log at each attempt of each minute: whoever sends says it once."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Let nothing through."""
        self.texts.append(record.getMessage())
        return False


def as_otlp(families: Iterable[Family], whose: Resource, now: int) -> MetricsData:
    """What Prometheus would be told, with the same names and labels.

    now   when it was collected, in nanoseconds since 1970
    """
    metrics = [_metric(family, now) for family in families if family.samples]
    scope = ScopeMetrics(InstrumentationScope("passerelle", VERSION), metrics, "")
    return MetricsData([ResourceMetrics(whose, [scope], "")])


def _metric(family: Family, now: int) -> Metric:
    """Units are in the names; said besides, some collectors would put them behind the names once more."""
    if family.type == "histogram":
        return Metric(family.name, family.documentation, "", Histogram(_histograms(family, now), _CUMULATIVE))
    if family.type == "counter":
        points = [_number(sample, STARTED, now) for sample in family.samples]
        # The family's own name is without the `_total` that Prometheus shows.
        return Metric(family.samples[0].name, family.documentation, "", Sum(points, _CUMULATIVE, is_monotonic=True))
    points = [_number(sample, 0, now) for sample in family.samples]
    return Metric(family.name, family.documentation, "", Gauge(points))


def _number(sample: Sample, start: int, now: int) -> NumberDataPoint:
    return NumberDataPoint(sample.labels, start, now, sample.value)


def _histograms(family: Family, now: int) -> list[HistogramDataPoint]:
    """The samples of a histogram by its labels; those of one hold together by all of them but `le`."""
    found: defaultdict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
    for sample in family.samples:
        found[tuple((name, value) for name, value in sample.labels.items() if name != "le")].append(sample)
    return [_histogram(dict(labels), samples, now) for labels, samples in found.items()]


def _histogram(labels: dict[str, str], samples: list[Sample], now: int) -> HistogramDataPoint:
    """Each bucket of Prometheus has those below it, too; each of OTLP its own alone, and the last one has no bound."""
    below = [sample for sample in samples if sample.name.endswith("_bucket")]
    totals = [int(sample.value) for sample in below]
    return HistogramDataPoint(
        attributes=labels,
        start_time_unix_nano=STARTED,
        time_unix_nano=now,
        count=totals[-1],
        sum=next(sample.value for sample in samples if sample.name.endswith("_sum")),
        bucket_counts=[total - before for before, total in pairwise([0, *totals])],
        explicit_bounds=[float(sample.labels["le"]) for sample in below[:-1]],
        min=_NOT_KEPT,
        max=_NOT_KEPT,
    )
