"""The example plug-in works from its own metadata, without being installed."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.checks import PureCheck, load_checks
from passerelle.engine.kinds import Done, PureKind
from passerelle.engine.registry import load_kinds
from tests.plugged import plugged


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's check and kinds can be loaded."""
    for folder in plugged(tmp_path):
        monkeypatch.syspath_prepend(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "passerelle_example"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("4111 1111 1111 1111", "valid"),
        ("4111 1111 1111 1112", "invalid"),
        ("4111", "invalid"),
        ("٤١١١" * 4, "invalid"),
    ],
)
def test_its_check_runs_like_a_built_in_one(value: str, status: str) -> None:
    check = load_checks()["card-number"]
    assert isinstance(check, PureCheck)
    result = check.run({"value": value})
    assert result.status == status
    assert result.data == ({"lastFour": "1111"} if status == "valid" else {})


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("of", "text"),
    [("passerelle", "passerelle"), ("${parameters.document}", '{"page":1}'), ("n ${parameters.n}", "n 7")],
)
def test_its_step_kind_compiles_and_runs_like_a_built_in_one(of: str, text: str) -> None:
    document = dedent(f"""
        name: plugged
        parameters: {{document: {{type: object}}, n: {{type: number}}}}
        steps:
          - id: print
            digest: {{of: "{of}"}}
    """)
    compiled = compile_definition(document, load_kinds())
    assert compiled.problems == ()
    assert compiled.definition is not None
    step = compiled.definition.steps[0]
    assert isinstance(step.kind, PureKind)
    done = step.kind.run(step.config, {"parameters": {"document": {"page": 1}, "n": 7}})
    assert isinstance(done, Done)
    assert done.output == {"sha256": sha256(text.encode()).hexdigest()}


@pytest.mark.usefixtures("installed")
def test_the_compiler_knows_its_inputs() -> None:
    document = dedent("""
        name: plugged
        steps:
          - id: print
            digest: {off: 1}
          - id: card
            check: {name: card-number, with: {valu: "1"}}
    """)
    problems = compile_definition(document, load_kinds()).problems
    assert [str(problem) for problem in problems] == [
        "5: steps.print.digest: the key `of` is missing",
        "5: steps.print.digest.off: unknown key; did you mean `of`?",
        "7: steps.card.check.with: `card-number` needs the input `value`: The number on the card, spaces allowed.",
        "7: steps.card.check.with.valu: `card-number` has no input `valu`; did you mean `value`?",
    ]
