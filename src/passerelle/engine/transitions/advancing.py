"""`advance`: from a state and a signal to what follows."""

from __future__ import annotations

import math
from datetime import datetime

from passerelle.definitions.model import Definition
from passerelle.engine.kinds import Announcement
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import State, Transition
from passerelle.engine.signals import (
    Answered,
    AskedAgain,
    Called,
    Cancelled,
    ChildBegan,
    ChildEnded,
    Elapsed,
    EventCame,
    Retried,
    Signal,
    Started,
    Submitted,
    TakenOver,
    WentBack,
)
from passerelle.engine.transitions import signals
from passerelle.engine.transitions.sending_back import asked_again
from passerelle.engine.transitions.stepping import run
from passerelle.engine.transitions.working import PURE_STEPS_AT_ONCE, Draft
from passerelle.kit.work import EXECUTION_STEPS, Meter, metered


def advance(
    definition: Definition,
    state: State,
    signal: Signal,
    now: datetime,
    *,
    here: int | None = None,
    steps_at_once: int = PURE_STEPS_AT_ONCE,
) -> Transition:
    """What follows when `signal` comes to pass at `now`.

    here           steps of work until it is too heavy to be done at once: `TooHeavyError`, and nothing has come of it
    steps_at_once  the most pure steps that run; the others are left for after the next commit

    A call, a timer or an event that the execution no longer waits for changes nothing: it lost a race.
    Raises `NotAllowed` where a person asked for something that the status does not allow, and `Refusal` where a
    step does not take an answer; `WorkSpentError` where the execution has cost what one may, `TooMuchKeptError`
    where its outputs are more than may be kept.
    """
    before = 0 if isinstance(signal, Retried) else state.spent
    ending = isinstance(signal, Cancelled)  # which is always possible
    with metered(Meter(total=math.inf if ending else EXECUTION_STEPS - before, here=here)) as meter:
        draft = Draft(definition, state, now, meter, steps_at_once)
        _work_out(draft, signal)
        # After `Moved` only the status may be another one: the other revision may ask the end user again, or no more.
        run(draft)
        return draft.transition(before=state.status, signal=signal, spent=before + meter.used)


def _work_out(draft: Draft, signal: Signal) -> None:  # noqa: PLR0912 - a case for each signal
    match signal:
        case Started():
            draft.events.append(Announcement("workflow.started"))
            draft.go_on(ROOT, 0)
        case Called():
            signals.called(draft, signal)
        case TakenOver():
            signals.taken_over(draft)
        case Elapsed():
            signals.elapsed(draft)
        case EventCame():
            signals.event_came(draft, signal.event)
        case Answered():
            signals.answered(draft, signal)
        case Submitted():
            signals.submitted(draft, signal)
        case WentBack():
            signals.went_back(draft, signal)
        case AskedAgain():
            asked_again(draft, signal)
        case ChildBegan():
            signals.child_began(draft, signal.child)
        case ChildEnded():
            signals.child_ended(draft, signal)
        case Cancelled():
            signals.cancel(draft, signal)
        case Retried():
            signals.retry(draft, signal.revision_id, signal.step)
