"""What the compiler learns of an expression without running it."""

from __future__ import annotations

import pytest

from passerelle.definitions.expressions import Expression, Reference, Template


def _references(source: str) -> list[tuple[str, int, bool]]:
    found = Expression.compile(source).references
    return [(".".join(reference.path), reference.offset, reference.guarded) for reference in found]


@pytest.mark.parametrize(
    ("source", "references"),
    [
        (
            "steps.registry.body.age < parameters.limit",
            [("steps.registry.body.age", 0, False), ("parameters.limit", 26, False)],
        ),
        ("  steps.a", [("steps.a", 2, False)]),
        ("steps", [("steps", 0, False)]),
        ('steps["a"].b', [("steps.a.b", 0, False)]),
        ("steps.a[0].b", [("steps.a", 0, False)]),
        ("steps[parameters.id].b", [("steps", 0, False), ("parameters.id", 6, False)]),
        ("has(steps.a.b)", [("steps.a.b", 4, True)]),
        ("has(steps.a[parameters.i].b)", [("steps.a", 4, True), ("parameters.i", 12, False)]),
        ("has(steps.a) ? steps.a : 1", [("steps.a", 4, True), ("steps.a", 15, False)]),
        ("steps.a.size() + size(steps.b)", [("steps.a", 0, False), ("steps.b", 22, False)]),
        ("steps.list.all(x, x.a > parameters.a && has(x.b))", [("parameters.a", 24, False), ("steps.list", 0, False)]),
        ("[1].map(steps, steps.a)", []),
        ("[1].map(x, [2].map(y, x + y + item.z))", [("item.z", 30, False)]),
        ('{"steps": "steps.a"}', []),
        ("math.abs(-1)", []),
    ],
)
def test_every_chain_is_found_with_its_place(source: str, references: list[tuple[str, int, bool]]) -> None:
    assert sorted(_references(source)) == sorted(references)


def test_the_references_of_a_template_say_which_text_they_stand_in() -> None:
    template = Template.compile({"to": ["x ${steps.a.email}"], "n": "${has(record.name)}", "c": "constant"})
    assert set(template.references) == {
        Reference(("steps", "a", "email"), 4, False, ("to", 0)),
        Reference(("record", "name"), 6, True, ("n",)),
    }
