"""The flow of a definition as text: everything is in it, and twice the same."""

from __future__ import annotations

import re
import time
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest
from typer.testing import CliRunner

from passerelle.cli.main import app
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.kinds import KindRegistry
from passerelle.engine.registry import load_kinds
from passerelle.graphs.mermaid import mermaid
from passerelle.graphs.models import Graph, graph_of

EXAMPLES = Path(__file__).parents[3] / "examples"

FLOW = """
    name: flow
    steps:
      - id: side
        parallel:
          branches:
            tax: [{id: a, when: 'parameters["x<y"] == 1', set: {x: 1}}]
            bank: [{id: b, fail: {code: NO, message: no}}]
      - {id: many, each: {in: "${[1, 2]}", steps: [{id: c, set: {x: 1}, onError: {goto: c}}]}}
      - id: route
        title: {en: Which way?, pl: Którędy?}
        switch:
          - {when: "size(steps.many.items) > 3 && true", goto: last}
          - {when: "size(steps.many.items) > 2 && true", goto: side}
      - {id: stop, end: {}}
      - {id: last, set: {x: 1}}
    parameters: {"x<y": {type: number}}
"""


@cache
def kinds() -> KindRegistry:
    return load_kinds()


def graph(text: str) -> Graph:
    compiled = compile_definition(dedent(text), kinds())
    assert compiled.definition is not None, compiled.problems
    return graph_of(compiled.definition)


def test_mermaid_has_conditions_at_the_ways_and_inner_steps_in_groups() -> None:
    assert mermaid(graph(FLOW)) == dedent(
        """\
        flowchart TD
          begin((" "))
          subgraph step_side["side<br>parallel"]
            subgraph list_0_step_side["tax"]
              begin_0_side((" "))
              when_a{" "}
              step_a["a<br>set"]
              finish_0_side(((" ")))
              begin_0_side --> when_a
              when_a -->|"parameters[#34;x#60;y#34;] == 1"| step_a
              when_a -->|"otherwise"| finish_0_side
              step_a --> finish_0_side
            end
            subgraph list_1_step_side["bank"]
              begin_1_side((" "))
              step_b[["b<br>fail"]]
              finish_1_side(((" ")))
              begin_1_side --> step_b
            end
          end
          subgraph step_many["many<br>each"]
            subgraph list_0_step_many["steps"]
              begin_0_many((" "))
              step_c["c<br>set"]
              finish_0_many(((" ")))
              begin_0_many --> step_c
              step_c --> finish_0_many
              step_c -.->|"on error"| step_c
            end
          end
          step_route{"Which way?<br>route · switch"}
          step_stop["stop<br>end"]
          step_last["last<br>set"]
          finish(((" ")))
          begin --> step_side
          step_side --> step_many
          step_many --> step_route
          step_route -->|"size(steps.many.items) #62; 3 #38;#38; true"| step_last
          step_route -->|"size(steps.many.items) #62; 2 #38;#38; true"| step_side
          step_route -->|"otherwise"| step_stop
          step_stop --> finish
          step_last --> finish
        """
    )


@pytest.mark.parametrize("name", ["company-check", "company-onboarding", "customer-onboarding"])
def test_the_examples_are_drawn_the_same_every_time(name: str) -> None:
    text = (EXAMPLES / name / f"{name}.yaml").read_text(encoding="utf-8")
    assert mermaid(graph(text)) == mermaid(graph(text))
    ids = re.findall(r"^ +(?:subgraph )?(\w+)[\[({]", mermaid(graph(text)), re.MULTILINE)
    assert len(ids) == len(set(ids))


def test_a_large_definition_is_drawn_in_a_moment() -> None:
    steps = [
        f"  - {{id: s{n}, when: 'parameters.x > {n}', set: {{x: 1}}, onError: {{goto: s{min(n + 5, 99)}}}}}"
        for n in range(100)
    ]
    large = graph("name: large\nparameters: {x: {type: number}}\nsteps:\n" + "\n".join(steps))
    begun = time.perf_counter()
    mermaid(large)
    assert time.perf_counter() - begun < 5


def test_it_knows_what_a_form_calls_its_fields() -> None:
    """So that who reads what was entered need not know the names that programs use."""
    form = "{title: You, schema: {type: object, properties: {n: {type: string, title: {en: Name, pl: Imię}}, m: {}}}}"
    [node] = [one for one in graph(f"name: a\nsteps: [{{id: you, form: {form}}}]").nodes if one.step == "you"]
    assert node.fields == {"n": {"en": "Name", "pl": "Imię"}}


def test_the_command_prints_the_flow_and_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: a\nsteps: [{id: a, set: {x: 1}}]")
    assert CliRunner().invoke(app, ["graph", str(file)]).output.startswith("flowchart TD\n")
    file.write_text("name: a\nsteps: [{id: a, sett: {x: 1}}]")
    result = CliRunner().invoke(app, ["graph", str(file)])
    assert result.exit_code == 1
    assert "did you mean `set`?" in str(result.exception)
