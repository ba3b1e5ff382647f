"""A BPMN process becomes steps in its order; whatever of the file does not, is told by its element."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from passerelle.conversions.bpmn.conditions import NotUnderstoodError, condition
from passerelle.conversions.bpmn.steps import duration
from passerelle.conversions.models import ConversionError
from passerelle.engine.registry import load_kinds
from passerelle.scenarios.running import FileOutcome, run_files
from tests.unit.conversions.passing import converted, refusal, steps, told

LOAN = Path(__file__).with_name("loan.bpmn").read_text(encoding="utf-8")
BEGIN = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><process id="p" isExecutable="true">'
END = "</process></definitions>"


def process(*elements: str, flows: str = "") -> str:
    """A file of a process. `flows`: `a>b b>c`, ways by the ids that they connect, named after them."""
    ways = []
    for way in flows.split():
        source, target = way.split(">")
        ways.append(f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"/>')
    return BEGIN + "".join((*elements, *ways)) + END


def test_a_process_becomes_steps_in_its_order() -> None:
    made = steps(converted(LOAN))
    kinds = {name: next(key for key in step if key not in ("id", "title", "onError")) for name, step in made.items()}
    assert kinds == {
        "askForTheAmount": "form", "largeWay": "switch", "lookAtIt": "review", "p1": "parallel", "approved": "review",
        "approvedWay": "switch", "paid": "event", "rest": "wait", "done": "end", "refused": "fail",
    }  # fmt: skip
    assert made["largeWay"]["switch"] == [
        {
            "when": 'steps.askForTheAmount.amount > 1000 && has(steps.askForTheAmount.kind) && steps.askForTheAmount.kind == "car"',
            "goto": "lookAtIt",
        },
        {"goto": "p1"},
    ]
    assert made["lookAtIt"]["review"] == {
        "title": "Look at it",
        "outcomes": ["done", "notDone"],
        "assignTo": "clerks",
        "within": "2d",
    }
    assert made["lookAtIt"]["onError"] == {"goto": "refused"}
    assert made["paid"]["event"] == {"name": "invoicePaid"}
    assert made["rest"]["wait"] == {"for": "90m"}
    assert made["p1"]["parallel"]["branches"].keys() == {"creditBureau", "fileThePapers"}


def test_what_is_not_carried_over_is_told_by_element() -> None:
    reasons = told(converted(LOAN))
    assert reasons.keys() == {"credit", "g2", "lost", "diagram", "dor", "ta"}
    assert "asyncBefore" in reasons["credit"]
    assert "somebody decides" in reasons["g2"]


SCENARIO = """
scenarios:
  - name: A large loan is looked at, and goes back to the beginning once
    answers:
      askForTheAmount: [{body: {amount: 5000, kind: car}}, {body: {amount: 10, kind: house}}]
      lookAtIt: {outcome: done}
      creditBureau: {status: 200}
      fileThePapers: {outcome: done}
      approved: [{outcome: "no"}, {outcome: "yes"}]
      paid: {body: {}, after: 1d}
    expect:
      status: COMPLETED
      path: [askForTheAmount, largeWay, lookAtIt, p1, approved, approvedWay, askForTheAmount, largeWay, p1, approved, approvedWay, paid, rest, done]
  - name: Where nobody looks in two days it is refused
    answers: {askForTheAmount: {body: {amount: 5000, kind: car}}}
    expect: {status: FAILED, error: {code: REFUSED}, elapsed: 2d}
"""


def test_the_steps_do_what_the_process_says(tmp_path: Path) -> None:
    """Played by the engine itself: a translation that passes `check` may still go another way."""
    (tmp_path / "loan.yaml").write_text(converted(LOAN).text, encoding="utf-8")
    (tmp_path / "loan.test.yaml").write_text(SCENARIO, encoding="utf-8")
    (outcome,) = run_files([tmp_path / "loan.test.yaml"], load_kinds())
    assert isinstance(outcome, FileOutcome)
    assert outcome.problems == ()
    assert [
        (one.scenario.name, one.differences, one.played.problems) for one in outcome.outcomes if not one.passed
    ] == []


def test_branches_that_do_not_meet_in_a_join_of_their_own_are_told() -> None:
    file = process(
        '<startEvent id="s"/><parallelGateway id="g"/><task id="a"/><task id="b"/><task id="c"/><endEvent id="e"/>',
        flows="s>g g>a g>b a>c b>c c>e",
    )
    reasons = told(converted(file))
    assert "only the first" in reasons["g"]
    assert "no way" in reasons["b"]


def test_branches_that_end_by_themselves_run_side_by_side() -> None:
    file = process(
        '<startEvent id="s"/><task id="x"/><task id="a"/><task id="b"/><endEvent id="e1"/><endEvent id="e2"/>',
        flows="s>x x>a x>b a>e1 b>e2",
    )
    made = steps(converted(file))
    assert made["x2"]["parallel"]["branches"].keys() == {"a", "b"}


def test_a_message_or_a_timer_is_an_event_with_a_limit() -> None:
    file = process(
        '<startEvent id="s"/><eventBasedGateway id="g"/><endEvent id="e"/><task id="late"/>'
        '<intermediateCatchEvent id="m"><messageEventDefinition/></intermediateCatchEvent>'
        '<intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>PT4H</timeDuration></timerEventDefinition></intermediateCatchEvent>',
        flows="s>g g>m g>t m>e t>late late>e",
    )
    made = steps(converted(file))
    assert made["m"] == {"id": "m", "title": "m", "event": {"name": "m", "within": "4h"}, "onError": {"goto": "late"}}


def test_a_sub_process_and_several_instances() -> None:
    file = process(
        '<startEvent id="s"/><subProcess id="sub"><startEvent id="is"/><serviceTask id="call"><multiInstanceLoopCharacteristics isSequential="true"/></serviceTask>'
        '<exclusiveGateway id="ig"/><endEvent id="i1"/><task id="more"/>'
        '<sequenceFlow id="x1" sourceRef="is" targetRef="call"/><sequenceFlow id="x2" sourceRef="call" targetRef="ig"/>'
        '<sequenceFlow id="x3" sourceRef="ig" targetRef="i1" name="enough"/><sequenceFlow id="x4" sourceRef="ig" targetRef="more" name="more"/></subProcess>'
        '<callActivity id="other" calledElement="Check Company"/><endEvent id="e"/>',
        flows="s>sub sub>other other>e",
    )
    made = steps(converted(file))
    assert made["callEach"]["each"]["atOnce"] == 1
    assert made["other"]["workflow"] == {"definition": "check-company"}
    assert list(made)[-2:] == ["other", "end"]


def test_a_form_of_the_other_tool_and_a_connector() -> None:
    form = '{"components": [{"type": "textfield", "key": "city", "label": "City", "validate": {"required": true, "minLength": 2}}, {"type": "text", "id": "t"}, {"type": "select", "key": "size", "values": [{"value": "s", "label": "Small"}]}]}'
    file = process(
        f'<extensionElements><zeebe:userTaskForm id="f1">{form.replace("<", "&lt;")}</zeebe:userTaskForm></extensionElements>'
        '<startEvent id="s"/><userTask id="u"><extensionElements><zeebe:formDefinition formKey="camunda-forms:bpmn:f1"/></extensionElements></userTask>'
        '<serviceTask id="h"><extensionElements><zeebe:ioMapping><zeebe:input source="https://a.example/x" target="url"/><zeebe:input source="put" target="method"/></zeebe:ioMapping></extensionElements></serviceTask>',
        flows="s>u u>h",
    )
    done = converted(file)
    assert steps(done)["u"]["form"]["schema"]["required"] == ["city"]
    assert steps(done)["h"]["http"] == {"method": "PUT", "url": "https://a.example/x"}
    assert {"f1", "camunda-forms:bpmn:f1"} & told(done).keys()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<a/>", "no BPMN"),
        ("<definitions", "not XML"),
        ('<!DOCTYPE d [<!ENTITY a "b">]>' + process("<task id='a'/>"), "document type"),
        ('<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + process("<task id='a'/>").replace("<process", "&b;<process"), "document type"),
        ('<!DOCTYPE d SYSTEM "file:///etc/passwd">' + process("<task id='a'/>"), "document type"),
        (process("<subProcess id='a'>" * 70 + "</subProcess>" * 70), "deeper than 60"),
        (process("<textAnnotation/>" * 50_001), "more than 50,000"),
        (process(*(f"<task id='t{n}'/>" for n in range(801))), "801 nodes"),
        (process(), "nothing to do"),
        (BEGIN.replace('<process id="p" isExecutable="true">', "") + "</definitions>", "no `process`"),
        ("<?xml version='1.0' encoding='nonsense'?><a/>", "not XML"),
    ],
)  # fmt: skip
def test_what_is_no_process_is_refused_with_a_reason(content: str, reason: str) -> None:
    with pytest.raises(ConversionError, match=reason):
        converted(content)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("${amount > 1000}", "number(amount) > 1000"),
        ("#{approved}", "boolean(approved)"),
        (
            '= decision = "yes" and not(late)',
            'string(decision) == "yes" && !(boolean(late))'.replace("!(boolean(late))", "!((boolean(late)))"),
        ),
        ("${a eq 'x' || (b lt 2.5 && !c)}", 'string(a) == "x" || (number(b) < 2.5 && !(boolean(c)))'),
        ("${execution.getVariable('x')}", None),
        ("${a > 'x' > 3}", None),
        ("${a == b}", None),
        ("", None),
        ("${" + "(" * 30 + "a" + ")" * 30 + "}", None),
        ("${secrets}", "boolean(secrets)"),
    ],
)
def test_conditions_are_carried_over_where_they_mean_the_same(text: str, expression: str | None) -> None:
    if expression is None:
        with pytest.raises(NotUnderstoodError):
            condition(text, lambda name, kind: (f"{kind}({name})", True))
    else:
        assert condition(text, lambda name, kind: (f"{kind}({name})", True)) == expression


def test_what_may_be_missing_is_asked_for_first() -> None:
    assert condition("${a == 1 && b != 'x' && c}", lambda name, _: (name, False)) == (
        'has(a) && a == 1 && !(has(b) && b == "x") && has(c) && c'
    )


@pytest.mark.parametrize(
    ("text", "length"),
    [("P2D", "2d"), ("PT90M", "90m"), ("P1Y", "365d"), ("P1M", "30d"), ("PT0.5S", None), ("P1W", "7d"), ("PT36H", "36h"), ("P", None), ("R3/PT1H", None), ("P99Y", None)],
)  # fmt: skip
def test_lengths_of_time(text: str, length: str | None) -> None:
    assert duration(text) == length


TAGS = ["startEvent", "endEvent", "task", "userTask", "serviceTask", "scriptTask", "receiveTask", "callActivity", "exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "intermediateCatchEvent", "intermediateThrowEvent", "subProcess"]  # fmt: skip
INSIDE = ["", "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>", "<messageEventDefinition/>", "<errorEventDefinition/>", "<multiInstanceLoopCharacteristics/>", "<standardLoopCharacteristics/>", "<camunda:x/>", '<extensionElements><camunda:formData><camunda:formField id="a" type="boolean"/></camunda:formData></extensionElements>', '<task id="inner"/><task id="inner2"/><sequenceFlow id="i" sourceRef="inner" targetRef="inner2"/>', '<linkEventDefinition name="l"/>']  # fmt: skip
CONDITIONS = ["", "${a}", "${a == 1}", "${a == 'x'}", "= b > 2", "${x.y()}", "${if}"]
NODE = some.tuples(
    some.sampled_from(TAGS), some.sampled_from(INSIDE), some.sampled_from(["", "Name", "${secrets.K}", "if", "ä: [b]"])
)
WAY = some.tuples(
    some.integers(0, 9), some.integers(0, 9), some.sampled_from(CONDITIONS), some.sampled_from(["", "yes", "${x}"])
)
EDGE = some.tuples(some.integers(0, 9), some.integers(0, 9), some.sampled_from(INSIDE), some.booleans())


@settings(max_examples=150, deadline=None)
@given(
    nodes=some.lists(NODE, min_size=1, max_size=10),
    ways=some.lists(WAY, max_size=16),
    edges=some.lists(EDGE, max_size=2),
)
def test_whatever_the_graph_the_result_passes_check_and_every_node_is_a_step_or_told(
    nodes: Any, ways: Any, edges: Any
) -> None:
    parts = [f"<{tag} id='n{n}' name={quoteattr(name)}>{inside}</{tag}>" for n, (tag, inside, name) in enumerate(nodes)]
    for n, (source, target, text, name) in enumerate(ways):
        inner = f"<conditionExpression>{text}</conditionExpression>" if text else ""
        parts.append(
            f"<sequenceFlow id='f{n}' name={quoteattr(name)} sourceRef='n{source}' targetRef='n{target}'>{inner}</sequenceFlow>"
        )
    for n, (host, target, inside, cancels) in enumerate(edges):
        parts.append(
            f"<boundaryEvent id='b{n}' attachedToRef='n{host}' cancelActivity='{str(cancels).lower()}'>{inside}</boundaryEvent>"
        )
        parts.append(f"<sequenceFlow id='bf{n}' sourceRef='b{n}' targetRef='n{target}'/>")
    why = refusal(process(*parts), "bpmn")
    assert why is None or any(reason in why for reason in ("no beginning", "nothing to do", "has no way out"))
