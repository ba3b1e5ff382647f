"""Traces over OTLP, where they are asked for. Where they are not, each of these compares with None and returns.

A trace goes along with work that goes on elsewhere: `here` is kept with a job or a state, and `span(parent=…)` goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from passerelle.kit.errors import CommandError
from passerelle.kit.version import VERSION

if TYPE_CHECKING:
    import aiohttp
    from opentelemetry.trace import Span, Tracer, TracerProvider

LEAVING: Final = 5
"""Seconds for what is left to be sent at the end."""
_NOTHING: Final[AbstractContextManager[None]] = nullcontext()


@dataclass(slots=True)
class _Tracing:
    tracer: Tracer | None = None
    provider: TracerProvider | None = None


_tracing: Final = _Tracing()


def is_on() -> bool:
    """Whether traces are written."""
    return _tracing.tracer is not None


def span(
    name: str, *, kind: str = "INTERNAL", parent: str | None = None, facts: Mapping[str, str] | None = None
) -> AbstractContextManager[Span | None]:
    """The block as one span. What is raised in it is noted, as the name of its class: texts may quote values.

    kind     as OpenTelemetry has them: `SERVER`, `CLIENT`, `CONSUMER`, `INTERNAL`
    parent   a `traceparent` to go on from; else the span around this one, if there is one
    facts    attributes
    """
    return _NOTHING if _tracing.tracer is None else _spanned(_tracing.tracer, name, kind, parent, facts)


def here() -> str | None:
    """The present span as a `traceparent` (W3C Trace Context), for what goes on elsewhere; None where there is none."""
    if _tracing.tracer is None:
        return None
    from opentelemetry.propagate import inject  # noqa: PLC0415 - loaded only where traces are written

    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def _spanned(
    tracer: Tracer, name: str, kind: str, parent: str | None, facts: Mapping[str, str] | None
) -> Iterator[Span]:
    from opentelemetry.propagate import extract  # noqa: PLC0415
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415

    context = None if parent is None else extract({"traceparent": parent})
    with tracer.start_as_current_span(
        name, context, SpanKind[kind], facts, record_exception=False, set_status_on_exception=False
    ) as spanned:
        try:
            yield spanned
        except Exception as error:
            spanned.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def of_clients() -> Sequence[aiohttp.TraceConfig]:
    """What the client of requests to the outside takes: each is a span, and carries `traceparent`.

    Of addresses only host and port are told: the rest may hold secrets.
    """
    if _tracing.tracer is None:
        return ()
    from opentelemetry.instrumentation.aiohttp_client import create_trace_config  # noqa: PLC0415

    return (create_trace_config(url_filter=lambda url: str(url.origin()), tracer_provider=_tracing.provider),)


@asynccontextmanager
async def written(url: str | None, part: float) -> AsyncIterator[None]:
    """Write traces to a collector while the block runs; none where `url` is None.

    url    the collector's, without `/v1/traces`; its headers and the rest come from `OTEL_…`
    part   of the traces that begin here, from 0 to 1; who asks with a `traceparent` decides for theirs

    Raises `CommandError` where the libraries are not installed.
    """
    if url is None:
        yield
        return
    provider, instrumented = _begin(url, part)
    try:
        yield
    finally:
        _tracing.tracer = None
        instrumented.uninstrument()
        await asyncio.to_thread(provider.force_flush, LEAVING * 1000)
        await asyncio.to_thread(provider.shutdown)


def _begin(url: str, part: float) -> tuple[Any, Any]:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from passerelle.kit.otlp import resource  # noqa: PLC0415
        from passerelle.kit.sampling import OfSomething  # noqa: PLC0415
    except ImportError:
        raise CommandError(
            "PASSERELLE_OTLP_URL: traces and metrics need more than is installed here: pip install 'passerelle[otel]'"
        ) from None
    provider = TracerProvider(sampler=OfSomething(part), resource=resource(), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    instrumented = AsyncPGInstrumentor()
    instrumented.instrument(tracer_provider=provider)
    _tracing.tracer, _tracing.provider = provider.get_tracer("passerelle", VERSION), provider
    return provider, instrumented
