"""One trace from a caller's request through server and worker to the webhook, as a collector receives it over OTLP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.crash.harness import Client, Cluster, cluster, free_port

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}


class Collector:
    """Takes traces; and requests of steps and webhooks, whose `traceparent` it keeps by their path."""

    def __init__(self) -> None:
        collector = self
        self.spans: list[Span] = []
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
                    else:
                        collector.carried[self.path] = self.headers["traceparent"] or ""
                    collector.more.notify_all()
                content = b"" if self.path == "/v1/traces" else b"{}"
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


def test_a_collector_that_is_away_holds_nothing_up(processes: Cluster) -> None:
    environment = {"PASSERELLE_OTLP_URL": f"http://127.0.0.1:{free_port()}", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    process, url = processes.serve(environment=environment)
    assert httpx.get(f"{url}/health/ready").status_code == 200
    process.terminate()
    assert process.wait(20) == 0


def test_nothing_of_it_is_loaded_where_nobody_asked_for_it() -> None:
    program = (
        "import sys, json, passerelle.cli.main, passerelle.app.processes; "
        "print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry.sdk')]))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(loaded.stdout) == []
