"""`advance`: from a state and a happening to what follows."""

from __future__ import annotations

from datetime import datetime

from passerelle.definitions.model import Definition
from passerelle.engine.kinds import Announcement
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import (
    Answered,
    Called,
    Cancelled,
    ChildBegan,
    ChildEnded,
    Elapsed,
    EventCame,
    Happening,
    Moved,
    Retried,
    Started,
    State,
    Submitted,
    Transition,
    WentBack,
)
from passerelle.engine.transitions.happenings import Happenings


def advance(definition: Definition, state: State, happening: Happening, now: datetime) -> Transition:
    """What follows when `happening` comes to pass at `now`.

    A call, a timer or an event that the execution no longer waits for changes nothing: it lost a race.
    Raises `NotAllowed` where a person asked for something that the status does not allow, and `Refusal` where a
    step does not take an answer.
    """
    work = Happenings(definition, state, now)
    match happening:
        case Started():
            work.events.append(Announcement("workflow.started"))
            work.go_on(ROOT, 0)
        case Called():
            work.called(happening)
        case Elapsed():
            work.elapsed()
        case EventCame():
            work.event_came(happening.event)
        case Answered():
            work.answered(happening)
        case Submitted():
            work.submitted(happening)
        case WentBack():
            work.went_back(happening)
        case ChildBegan():
            work.child_began(happening.child)
        case ChildEnded():
            work.child_ended(happening)
        case Cancelled():
            work.cancel(happening)
        case Retried():
            work.retry(happening.revision_id)
        case Moved():
            pass  # only the status may be another one: the other revision may ask the end user again, or no more
    work.run()
    return work.transition(before=state.status, happening=happening)
