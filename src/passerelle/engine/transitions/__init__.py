"""Every rule of flow, in one pure function: `advance`.

It does no I/O. Time comes in as `now`; expressions and pure steps are evaluated on the way. Whatever happens to
an execution (it starts, a call returns, time passes, an event comes) goes through here, so that a crash between
two commits can only repeat a call to the outside, never change what follows from it.

Read on in this order; each builds on the one before it, and none calls back:

    working      the next state while it is worked out, and how a step is over
    branching    the lanes of `parallel` and `each`, and what a failure means
    stepping     going from step to step
    sending_back the end user is asked again, or an operator has it go on from an earlier step
    signals   what may happen: a call returns, time passes, an event or an answer comes, an operator decides
    advancing    `advance` itself
"""

from passerelle.engine.transitions.advancing import advance
from passerelle.engine.transitions.going_back import way_back
from passerelle.engine.transitions.refusals import NotAllowed, NotCurrent, NoWayBack
from passerelle.engine.transitions.scopes import call_key, call_shown, crashed, failure_of, scope_of
from passerelle.engine.transitions.working import PURE_STEPS_AT_ONCE

__all__ = [
    "PURE_STEPS_AT_ONCE",
    "NoWayBack",
    "NotAllowed",
    "NotCurrent",
    "advance",
    "call_key",
    "call_shown",
    "crashed",
    "failure_of",
    "scope_of",
    "way_back",
]
