"""What a process counts of its own work, for Prometheus.

Each figure is declared once, beside the code that counts it. Labels are few and of known values: never an id, a name
that somebody chose, or an address that was asked for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

# When each began to be counted would be a third of the text, and nobody reads it.
disable_created_metrics()

REGISTRY: Final = CollectorRegistry()
"""Every figure of this process."""

STARTED: Final = time.time_ns()
"""Since when this process counts, in nanoseconds since 1970."""

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Declared:
    """A figure, by the name that Prometheus has for it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...]


DECLARED: Final[list[Declared]] = []
"""All of them; the reference page of metrics is made from it."""


def counter(name: str, about: str, *labels: str) -> Counter:
    """Something that only grows; Prometheus is told `_total` behind the name."""
    DECLARED.append(Declared(f"passerelle_{name}_total", "counter", about, labels))
    return Counter(f"passerelle_{name}", about, labels, registry=REGISTRY)


def gauge(name: str, about: str, *labels: str) -> Gauge:
    """Something that goes up and down."""
    DECLARED.append(Declared(f"passerelle_{name}", "gauge", about, labels))
    return Gauge(f"passerelle_{name}", about, labels, registry=REGISTRY)


def seconds(name: str, about: str, *labels: str, buckets: Sequence[float] = SECONDS) -> Histogram:
    """How long something takes; `_seconds` is put behind the name."""
    DECLARED.append(Declared(f"passerelle_{name}_seconds", "histogram", about, labels))
    return Histogram(f"passerelle_{name}_seconds", about, labels, buckets=buckets, registry=REGISTRY)
