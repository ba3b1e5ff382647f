"""Which traces are written. It loads OpenTelemetry's SDK: only `passerelle.kit.tracing` asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes


class OfSomething(Sampler):
    """A part of all traces, and of each the whole. A statement or a request that belongs to nothing begins none:

    a worker asks the database many times a second whether there is work.
    """

    def __init__(self, part: float) -> None:
        self._part = part
        self._chosen = ParentBased(TraceIdRatioBased(part))

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """See `Sampler`."""
        if kind is SpanKind.CLIENT and not get_current_span(parent_context).get_span_context().is_valid:
            return SamplingResult(Decision.DROP)
        return self._chosen.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """See `Sampler`."""
        return f"OfSomething{{{self._part}}}"
