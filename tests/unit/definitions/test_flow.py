"""The ways through a list of steps, against a search that is too slow but plainly right."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.flow import Flow


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    size = draw(st.integers(1, 8))
    following = st.lists(st.integers(0, size), max_size=3, unique=True).map(tuple)
    return Flow(tuple(draw(st.lists(following, min_size=size, max_size=size))))


def after(flow: Flow, number: int) -> set[int]:
    """All that may come after a step."""
    found: set[int] = set()
    waiting = list(flow.following[number])
    while waiting:
        step = waiting.pop()
        if step not in found:
            found.add(step)
            waiting.extend(flow.following[step] if step < flow.end else ())
    return found


@given(flows())
def test_what_leads_to_what(flow: Flow) -> None:
    for number in range(flow.end):
        assert {later for later in range(flow.end + 1) if flow.leads_to(number, later)} == after(flow, number)


@given(flows())
def test_a_step_is_unreachable_if_nothing_leads_to_it(flow: Flow) -> None:
    assert set(flow.unreachable()) == set(range(flow.end)) - after(flow, 0) - {0}


@given(flows())
def test_endless_loops_are_those_that_no_way_leaves(flow: Flow) -> None:
    reachable = after(flow, 0) | {0}
    endless = {
        number
        for number in range(flow.end)
        if number in reachable and number in after(flow, number) and flow.end not in after(flow, number)
    }
    loops = list(flow.endless())
    assert sorted(number for loop in loops for number in loop) == sorted(endless), "each once"
    for loop in loops:
        assert all(other in after(flow, number) for number in loop for other in loop)
