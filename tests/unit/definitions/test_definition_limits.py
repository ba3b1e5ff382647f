"""A definition is refused for its size before anything is made of it, and not every problem of it is told."""

from __future__ import annotations

import time

from passerelle.definitions.compiler import MOST_STEPS, compile_definition
from passerelle.definitions.problems import MOST_TOLD
from passerelle.engine.registry import load_kinds

KINDS = load_kinds()


def test_more_steps_than_there_may_be_are_refused_at_once() -> None:
    text = "name: many\nsteps:\n" + "".join(f"- {{id: s{at}, set: {{x: 1}}}}\n" for at in range(22_000))
    started = time.thread_time()
    (problem,) = compile_definition(text, KINDS).problems
    assert problem.message.startswith("has 22,000 steps; 1,000 are the most")
    assert time.thread_time() - started < 10


def test_steps_inside_of_steps_count() -> None:
    inner = "".join(f"        - {{id: s{at}, set: {{x: 1}}}}\n" for at in range(MOST_STEPS))
    text = f"name: many\nsteps:\n- id: all\n  each:\n    in: ${{[1]}}\n    steps:\n{inner}"
    assert "1,001 steps" in compile_definition(text, KINDS).problems[0].message


def test_problems_beyond_a_hundred_are_counted() -> None:
    text = "name: wrong\nsteps:\n" + "".join(f"- {{id: s{at}, sett: 1}}\n" for at in range(400))
    problems = compile_definition(text, KINDS).problems
    assert len(problems) == MOST_TOLD + 1
    assert problems[-1].message == "and 300 more from here on; mend these first"


def test_steps_inside_of_too_many_steps_are_refused() -> None:
    """Their items multiply: thirty levels of three items are more than there are atoms to count them with."""
    text, indent = "name: deep\nsteps:\n", ""
    for level in range(10):
        text += f"{indent}- id: e{level}\n{indent}  each:\n{indent}    in: ${{[1,2,3]}}\n{indent}    steps:\n"
        indent += "    "
    text += f"{indent}- {{id: last, set: {{x: 1}}}}\n"
    found = [problem.message for problem in compile_definition(text, KINDS).problems]
    assert "stands inside of more than 8 steps; run a part by a `workflow` step" in found
