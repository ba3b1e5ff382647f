"""What a collector receives over OTLP: one trace from a caller's request to the webhook, and what `/metrics` tells."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from tests.crash.harness import Client, Cluster, cluster, free_port, metrics

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


class Collector:
    """Takes traces and metrics; and requests of steps and webhooks, whose `traceparent` it keeps by their path."""

    def __init__(self) -> None:
        collector = self
        self.spans: list[Span] = []
        self.metrics: list[ExportMetricsServiceRequest] = []
        self.carried: dict[str, str] = {}
        self.texts = b""
        self.more = threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector.more:
                    if self.path == "/v1/traces":
                        assert self.headers["Content-Type"] == "application/x-protobuf"
                        collector.texts += body
                        read = ExportTraceServiceRequest.FromString(body)
                        for resource in read.resource_spans:
                            for scope in resource.scope_spans:
                                collector.spans += scope.spans
                    elif self.path == "/v1/metrics":
                        assert self.headers["Content-Type"] == "application/x-protobuf"
                        collector.metrics.append(ExportMetricsServiceRequest.FromString(body))
                    else:
                        collector.carried[self.path] = self.headers["traceparent"] or ""
                    collector.more.notify_all()
                content = b"" if self.path.startswith("/v1/") else b"{}"
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def of_trace(self) -> dict[str, Span]:
        """The spans of the caller's trace, by their ids."""
        return {span.span_id.hex(): span for span in self.spans if span.trace_id.hex() == TRACE}

    def wait_for(self, *names: str, seconds: float = 40) -> dict[str, Span]:
        """Until spans of these names have come; all of the trace."""
        until = time.monotonic() + seconds
        with self.more:
            while not set(names) <= {span.name for span in self.of_trace().values()}:
                come = {span.name for span in self.of_trace().values()}
                assert self.more.wait(until - time.monotonic()), f"{set(names) - come} did not come"
            return self.of_trace()

    def wait_for_metrics(self, count: int, seconds: float = 40) -> list[ExportMetricsServiceRequest]:
        """Until so many requests with metrics have come; all of them."""
        until = time.monotonic() + seconds
        with self.more:
            while len(self.metrics) < count:
                assert self.more.wait(until - time.monotonic()), f"{len(self.metrics)} of {count} came"
            return list(self.metrics)


def by_name(request: ExportMetricsServiceRequest) -> dict[str, Metric]:
    """The metrics of one request, which are of one process."""
    (of_resource,) = request.resource_metrics
    (scope,) = of_resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def whose(request: ExportMetricsServiceRequest) -> dict[str, str]:
    return {one.key: one.value.string_value for one in request.resource_metrics[0].resource.attributes}


def answered(request: ExportMetricsServiceRequest, route: str) -> float:
    """How many requests to an address a process has told of."""
    points = by_name(request)["passerelle_http_requests_total"].sum.data_points
    asked = [p for p in points if ("route", route) in {(one.key, one.value.string_value) for one in p.attributes}]
    return math.fsum(point.as_double for point in asked)


@contextmanager
def collecting() -> Iterator[Collector]:
    made = Collector()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()


@pytest.fixture
def processes(database_url: str) -> Iterator[Cluster]:
    with cluster(database_url, delay=0) as made:
        yield made


def definition(url: str) -> str:
    """The server makes the first call, a worker the second."""
    return f"""
name: traced
steps:
  - {{id: first, http: {{method: POST, url: "{url}/first?key=in-the-address", body: {{}}}}}}
  - {{id: pause, wait: {{for: 1s}}}}
  - {{id: second, http: {{method: POST, url: "{url}/second", body: {{}}}}}}
"""


def test_one_trace_leads_from_the_caller_to_the_webhook(processes: Cluster) -> None:
    with collecting() as collector:
        environment = {
            "PASSERELLE_OTLP_URL": collector.url,
            "PASSERELLE_OTLP_PART": "0",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        _, url = processes.serve(environment=environment)
        processes.worker(environment=environment)
        client = Client(processes)
        client.push(url, definition(collector.url))
        hook = {"url": f"{collector.url}/hook", "events": ["workflow.completed"]}
        assert httpx.post(f"{url}/webhooks/endpoints", json=hook, headers=client.headers).status_code == 201
        body = {"workflowDefinitionId": client.definition_id}
        answer = httpx.post(f"{url}/workflows", json=body, headers={**client.headers, **SENT})
        assert answer.status_code == 200, answer.text
        spans = collector.wait_for("POST /workflows", "job execution.continue", "step http", "webhook")

        by_name = {span.name: span for span in spans.values()}
        assert by_name["POST /workflows"].parent_span_id.hex() == SPAN
        assert {span.parent_span_id.hex() for span in spans.values()} - spans.keys() == {SPAN}, "a span hangs loose"
        assert sum(span.name == "step http" for span in spans.values()) == 2
        assert any(span.name in ("INSERT", "SELECT", "WITH", "UPDATE") for span in spans.values()), sorted(by_name)
        for path in ("/first?key=in-the-address", "/second", "/hook"):
            version, trace, parent, _ = collector.carried[path].split("-")
            assert (version, trace) == ("00", TRACE)
            assert spans[parent].kind == Span.SPAN_KIND_CLIENT
        assert {span.trace_id.hex() for span in collector.spans} == {TRACE}, "nobody asked for others"
        assert b"in-the-address" not in collector.texts
        assert client.headers["Authorization"].split()[-1].encode() not in collector.texts


def test_what_prometheus_is_told_is_sent_again_and_again(processes: Cluster) -> None:
    with collecting() as collector:
        environment = {"PASSERELLE_OTLP_URL": collector.url, "OTEL_METRIC_EXPORT_INTERVAL": "500"}
        _, url = processes.serve(environment=environment)
        assert httpx.get(f"{url}/health/ready").status_code == 200
        told = {family.name: family for family in text_string_to_metric_families(metrics(url))}
        # One that is on its way may have been collected before.
        request = collector.wait_for_metrics(len(collector.metrics) + 2)[-1]

        found = by_name(request)
        kinds = {"counter": "sum", "gauge": "gauge", "histogram": "histogram"}
        prometheus = {
            family.name + ("_total" if family.type == "counter" else ""): kinds[family.type]
            for family in told.values()
            if family.samples
        }
        sent = {name: metric.WhichOneof("data") for name, metric in found.items()}
        assert prometheus.items() <= sent.items(), prometheus.items() - sent.items()
        assert answered(request, "/health/ready") == 1
        counter = found["passerelle_http_requests_total"].sum
        assert counter.is_monotonic
        assert counter.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        assert all(0 < point.start_time_unix_nano < point.time_unix_nano for point in counter.data_points)
        took = found["passerelle_http_request_duration_seconds"].histogram.data_points
        assert all(sum(point.bucket_counts) == point.count for point in took)
        assert whose(request)["service.name"] == "passerelle"


def test_what_was_counted_last_is_sent_at_the_stop(processes: Cluster) -> None:
    with collecting() as collector:
        environment = {"PASSERELLE_OTLP_URL": collector.url}
        server, url = processes.serve(environment=environment)
        worker = processes.worker(environment=environment)
        assert httpx.get(f"{url}/health/ready").status_code == 200
        server.terminate()
        assert server.wait(20) == 0
        (of_server,) = collector.wait_for_metrics(1)
        assert answered(of_server, "/health/ready") == 1
        worker.terminate()
        assert worker.wait(20) == 0
        of_worker = collector.wait_for_metrics(2)[1]
        assert "passerelle_loop_held_seconds" in by_name(of_worker)
        assert whose(of_server)["service.instance.id"] != whose(of_worker)["service.instance.id"]


def test_a_collector_that_is_away_holds_nothing_up(processes: Cluster, tmp_path: Path) -> None:
    environment = {
        "PASSERELLE_OTLP_URL": f"http://127.0.0.1:{free_port()}",
        "PASSERELLE_LOG_LEVEL": "warning",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
    }
    process, url = processes.serve(environment=environment, log=tmp_path / "log")
    assert httpx.get(f"{url}/health/ready").status_code == 200
    process.terminate()
    assert process.wait(20) == 0
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    of_metrics = [line["event"] for line in lines if "metrics batch" in json.dumps(line)]
    assert of_metrics.count("metrics.last_not_sent") == 1
    assert set(of_metrics) <= {"repeating.fails", "metrics.last_not_sent"}
    assert of_metrics.count("repeating.fails") <= 1


def test_a_collector_that_never_answers_ends_no_process_by_force(processes: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            "PASSERELLE_OTLP_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
        }
        process, url = processes.serve(environment=environment)
        assert httpx.get(f"{url}/health/ready", headers=SENT).status_code == 200
        process.terminate()
        assert process.wait(30) == 0


def test_nothing_of_it_is_loaded_where_nobody_asked_for_it() -> None:
    program = (
        "import sys, json, passerelle.cli.main, passerelle.app.processes; "
        "print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry.sdk')]))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(loaded.stdout) == []
