"""What this process counts of executions and their steps, as they are written."""

from __future__ import annotations

from typing import Final

from passerelle.engine.model import OPEN, Status, Transition
from passerelle.kit.metrics import counter, seconds

_started: Final = counter("executions_started", "Executions that this process has begun")
_ended: Final = counter("executions_ended", "Executions that this process has brought to an end", "status")
_steps: Final = counter("steps", "Attempts of steps that are over, as this process has written them", "kind", "status")
_step_took: Final = seconds("step_duration", "From the start of an attempt of a step to its end", "kind")


def count(before: Status | None, transition: Transition) -> None:
    """Note what was written. `before`: how the execution stood; None where it has just begun."""
    for run in transition.runs:
        _steps.labels(run.kind, run.status).inc()
        _step_took.labels(run.kind).observe((run.ended_at - run.started_at).total_seconds())
    status = transition.state.status
    if before is None:
        _started.inc()
    if status not in OPEN and status is not before:
        _ended.labels(status.value).inc()
