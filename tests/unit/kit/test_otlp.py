"""What Prometheus is told reaches a collector as the same: names, labels, kinds, buckets, and whose it is."""

from __future__ import annotations

import logging
import socket
from contextlib import closing

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, HistogramDataPoint, Metric
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from passerelle.kit.errors import CommandError
from passerelle.kit.metrics import STARTED
from passerelle.kit.otlp import MetricsSender, as_otlp, every, resource
from passerelle.kit.version import VERSION

NOW = STARTED + 5_000_000_000


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def sent(registry: CollectorRegistry) -> dict[str, Metric]:
    """What a collector reads, by name."""
    request = encode_metrics(as_otlp(registry.collect(), Resource({"service.name": "tried"}), NOW))
    (of_resource,) = request.resource_metrics
    (scope,) = of_resource.scope_metrics
    assert of_resource.resource.attributes[0].value.string_value == "tried"
    assert (scope.scope.name, scope.scope.version) == ("passerelle", VERSION)
    assert len({metric.name for metric in scope.metrics}) == len(scope.metrics)
    return {metric.name: metric for metric in scope.metrics}


def labels(attributes: list[KeyValue]) -> dict[str, str]:
    return {one.key: one.value.string_value for one in attributes}


def test_a_counter_is_a_sum_that_only_grows_since_the_start_of_the_process(registry: CollectorRegistry) -> None:
    counter = Counter("requests", "That were answered", ("method", "status"), registry=registry)
    counter.labels("GET", "200").inc(3)
    counter.labels("POST", "409").inc()
    found = sent(registry)["requests_total"]
    assert (found.description, found.unit) == ("That were answered", "")
    assert found.sum.is_monotonic
    assert found.sum.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    points = [(labels(list(point.attributes)), point.as_double) for point in found.sum.data_points]
    assert points == [({"method": "GET", "status": "200"}, 3.0), ({"method": "POST", "status": "409"}, 1.0)]
    assert {(p.start_time_unix_nano, p.time_unix_nano) for p in found.sum.data_points} == {(STARTED, NOW)}


def test_a_gauge_is_what_it_is_now(registry: CollectorRegistry) -> None:
    gauge = Gauge("connections", "To the database", ("state",), registry=registry)
    gauge.labels("busy").set(2.5)
    found = sent(registry)["connections"]
    (point,) = found.gauge.data_points
    assert (labels(list(point.attributes)), point.as_double, point.time_unix_nano) == ({"state": "busy"}, 2.5, NOW)


def histogram_points(registry: CollectorRegistry, name: str) -> list[HistogramDataPoint]:
    found = sent(registry)[name].histogram
    assert found.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    return list(found.data_points)


def test_each_bucket_of_a_histogram_has_its_own_alone(registry: CollectorRegistry) -> None:
    histogram = Histogram("took_seconds", "How long", ("route",), buckets=(0.1, 1, 10), registry=registry)
    for seconds in (0.05, 0.1, 0.5, 99, 100):
        histogram.labels("/slow").observe(seconds)
    histogram.labels("/never")
    slow, never = histogram_points(registry, "took_seconds")
    assert labels(list(slow.attributes)) == {"route": "/slow"}
    assert list(slow.explicit_bounds) == [0.1, 1.0, 10.0]
    assert list(slow.bucket_counts) == [2, 1, 0, 2]
    assert slow.count == 5
    assert slow.sum == pytest.approx(199.65)
    assert (slow.start_time_unix_nano, slow.time_unix_nano) == (STARTED, NOW)
    assert not slow.HasField("min")
    assert not slow.HasField("max")
    assert (labels(list(never.attributes)), never.count, sum(never.bucket_counts)) == ({"route": "/never"}, 0, 0)


def test_what_has_no_number_yet_is_not_sent(registry: CollectorRegistry) -> None:
    Counter("requests", "None of which came", ("method",), registry=registry)
    assert sent(registry) == {}


def test_whose_it_is_comes_from_the_usual_variables_where_they_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = resource().attributes
    assert (ours["service.name"], ours["service.version"]) == ("passerelle", VERSION)
    assert ours["service.instance.id"] == resource().attributes["service.instance.id"], "traces and metrics have one"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "onboarding")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    told = resource().attributes
    assert (told["service.name"], told["deployment.environment.name"]) == ("onboarding", "staging")


def test_how_often_is_a_minute_or_what_the_usual_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_METRIC_EXPORT_INTERVAL", raising=False)
    assert every() == 60
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "1500")
    assert every() == 1.5


@pytest.mark.parametrize("told", ["0", "-1", "a minute", "nan", "inf", "1.5"])
def test_a_time_that_is_none_is_refused(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", told)
    with pytest.raises(CommandError, match="OTEL_METRIC_EXPORT_INTERVAL"):
        every()


async def test_a_collector_that_is_away_is_an_error_and_no_line_of_the_exporter(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and it does not listen, so whoever connects is refused
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with closing(MetricsSender(url)) as sender, pytest.raises(ConnectionError, match="metrics batch"):
            await sender.send([])
    assert not caplog.records
    assert not logging.getLogger(OTLPMetricExporter.__module__).filters
