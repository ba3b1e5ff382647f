"""The first example decides as its README says, with the real compiler and engine and the example's own register."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import OutsideKind, StepFailure, Tools
from passerelle.engine.lanes import ROOT
from passerelle.engine.model import Identity, State, Status
from passerelle.engine.registry import load_kinds
from passerelle.engine.signals import Called, Elapsed, Signal, Started
from passerelle.engine.transitions import advance, scope_of
from passerelle.kit.json import Json
from passerelle.kit.outgoing import OutgoingAnswer
from passerelle.kit.outgoing.fake import FakeOutgoing, SentRequest
from tests.unit.examples.loading import EXAMPLES, load_program

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
register = load_program("company-check/register.py")


@pytest.fixture(scope="module")
def definition() -> Definition:
    text = (EXAMPLES / "company-check/company-check.yaml").read_text(encoding="utf-8")
    compiled = compile_definition(text, load_kinds())
    assert compiled.problems == ()
    assert compiled.definition is not None
    return compiled.definition


def outgoing(**misbehaviour: Any) -> FakeOutgoing:
    """The way to the register, without a network."""
    program = register.Register(clock=lambda: NOW, **misbehaviour)

    def respond(request: SentRequest) -> OutgoingAnswer:
        status, body = program.answer(request.url.removeprefix("http://localhost:8090"))
        return OutgoingAnswer(status, {"content-type": "application/json"}, json.dumps(body).encode())

    return FakeOutgoing(respond)


async def run(definition: Definition, client: FakeOutgoing, **parameters: Json) -> State:
    """Runs until there is nothing more to do; a wait for the next attempt is over at once."""
    given = {
        name: parameter.default for name, parameter in definition.parameters.items() if parameter.default is not None
    }
    identity = Identity(
        UUID(int=1), UUID(int=2), UUID(int=3), definition.execution_type, given | parameters, NOW, "API"
    )
    signal: Signal = Started()
    state, now = State(identity, UUID(int=4)), NOW
    while True:
        state = advance(definition, state, signal, now).state
        if state.runnable:
            signal = await _call(definition, state, client)
        elif state.wake_at is not None:
            signal, now = Elapsed(), state.wake_at
        else:
            return state


async def _call(definition: Definition, state: State, client: FakeOutgoing) -> Called:
    position = state.lanes[ROOT]
    step = definition.steps[definition.positions[str(position.step)]]
    assert isinstance(step.kind, OutsideKind)
    call = Called(ROOT, str(position.step), position.visit, position.attempt, NOW)
    try:
        scope = scope_of(definition, state, NOW)
        return replace(call, output=await step.kind.call(step.config, scope, Tools(client, NOW), "key"))
    except StepFailure as failure:
        return replace(call, failure=failure)


@pytest.mark.parametrize(
    ("parameters", "decision", "reasons", "score"),
    [
        ({"nip": "7740001454"}, "approve", [], 0),
        ({"nip": "774-000-14-54", "krs": "0000028860", "regon": "610188201"}, "approve", [], 0),
        ({"nip": "7740001454", "iban": "PL06 1600 1127 1843 9838 2000 0034"}, "approve", [], 0),
        ({"nip": "7740001454", "vat": "7740001454", "lei": "259400VVMM70CQREJT74"}, "approve", [], 0),
        ({"nip": "1111111111"}, "approve", ["VAT_EXEMPT"], 20),
        ({"nip": "1234563218"}, "reject", ["NOT_REGISTERED_FOR_VAT"], 100),
        ({"nip": "7740001454", "krs": "0000006865"}, "reject", ["KRS_DIFFERS"], 50),
        ({"nip": "7740001454", "regon": "010001345"}, "reject", ["REGON_DIFFERS"], 50),
        ({"nip": "7740001454", "iban": "PL61109010140000071219812874"}, "reject", ["ACCOUNT_NOT_LISTED"], 60),
        ({"nip": "9999999982"}, "unknown", ["NOT_IN_REGISTER"], None),
    ],
)
async def test_the_decision(
    definition: Definition, parameters: dict[str, str], decision: str, reasons: list[str], score: int | None
) -> None:
    state = await run(definition, outgoing(), **parameters)
    assert state.status is Status.COMPLETED, state.error
    assert (state.result["decision"], state.result["reasons"], state.result["score"]) == (decision, reasons, score)


async def test_wrong_numbers_are_rejected_all_at_once_without_asking_the_register(definition: Definition) -> None:
    client = outgoing()
    wrong = {"nip": "7740001455", "regon": "1", "krs": "1", "vat": "PL1", "lei": "1", "iban": "PL1"}
    state = await run(definition, client, **wrong)
    assert state.result["decision"] == "reject"
    kinds = ("NIP", "REGON", "KRS", "VAT", "LEI", "IBAN")
    assert state.result["reasons"] == [f"{kind}_NOT_VALID" for kind in kinds]
    assert client.requests == []


async def test_the_result_says_who_it_is_and_how_to_prove_that_the_register_was_asked(definition: Definition) -> None:
    client = outgoing()
    result = (await run(definition, client, nip="7740001454", iban="PL06160011271843983820000034")).result
    assert result["company"] == {
        "nip": "7740001454",
        "name": "ORLEN SPÓŁKA AKCYJNA",
        "vatStatus": "Czynny",
        "registered": "1993-07-05",
    }
    assert result["bank"] == "BNP Paribas Bank Polska Spółka Akcyjna"
    assert len(result["registerRequest"]) == 13
    assert [request.url for request in client.requests] == [
        "http://localhost:8090/api/search/nip/7740001454?date=2026-01-05"
    ]


async def test_a_register_that_fails_now_and_then_changes_nothing(definition: Definition) -> None:
    client = outgoing(fail_every=2)
    await run(definition, client, nip="7740001454")
    state = await run(definition, client, nip="7740001454")
    assert state.result["decision"] == "approve"
    assert len(client.requests) == 3


async def test_a_register_that_always_fails_fails_the_execution(definition: Definition) -> None:
    client = outgoing(fail_every=1)
    state = await run(definition, client, nip="7740001454")
    assert state.status is Status.FAILED
    assert (state.error or {})["step"] == "register"
    assert len(client.requests) == 4
