"""The end user's part from start to end: screens, submissions, drafts, going back, expiry."""

from __future__ import annotations

from typing import Any

import pytest
from guests import House

from passerelle.engine.model import Status
from passerelle.errors import PasserelleError
from passerelle.executions.visitor.models import FieldProblem

COMPANY = """
name: company
title: {en: Company, pl: Firma}
parameters:
  country: {type: string, default: PL}
expiresAfter: 2h
steps:
  - id: company
    form:
      title: {en: Your company, pl: Twoja firma}
      prefill: {country: "${parameters.country}"}
      schema:
        type: object
        required: [number, email]
        properties:
          number: {type: string, title: {en: Number, pl: Numer}, pattern: "^[0-9]{10}$"}
          email: {type: string, format: email, pii: contact}
          country: {type: string, enum: [PL, DE]}
          newsletter: {type: boolean, default: true}
          hasOwners: {type: boolean}
          owners:
            type: array
            minItems: 1
            visibleWhen: "form.hasOwners"
            items:
              type: object
              required: [name, share]
              properties:
                name: {type: string, pii: identity}
                share: {type: number, exclusiveMinimum: 0, maximum: 100}
  - id: score
    set: {length: "${size(steps.company.number)}"}
  - id: terms
    consent: {title: {en: Terms, pl: Warunki}, text: {en: "Of ${steps.company.number}", pl: "Firmy ${steps.company.number}"}, version: "2026-01"}
  - id: paid
    title: {en: Payment, pl: Wpłata}
    event: {within: 30d}
  - id: thanks
    message: {title: {en: Thanks, pl: Dzięki}, text: {en: "Done, ${steps.company.email}", pl: "Gotowe, ${steps.company.email}"}, redirect: "https://example.com/${steps.company.country}"}
"""
FILLED = {"number": "1234567890", "email": "a@example.com", "country": "PL", "newsletter": True}


async def problems(awaited: Any) -> dict[tuple[str | None, str], Any]:
    with pytest.raises(PasserelleError) as caught:
        await awaited
    return {
        (problem.pointer, problem.keyword if isinstance(problem, FieldProblem) else problem.code): problem
        for problem in caught.value.problems
    }


async def test_the_whole_part_of_an_end_user(house: House) -> None:
    execution = await house.start(COMPANY, locale="pl")
    screen = await house.screen(execution)
    assert (screen.status, screen.locale, screen.languages, screen.progress) == (
        Status.RUNNING,
        "pl",
        ("en", "pl"),
        (1, 2),
    )
    assert screen.step is not None
    assert (screen.step.id, screen.step.visit, screen.step.kind) == ("company", 1, "form")
    assert screen.step.values == {"country": "PL", "newsletter": True}
    assert screen.step.hidden == ("/properties/owners",)
    assert screen.step.schema is not None
    assert screen.step.schema["properties"]["number"]["title"] == {"en": "Number", "pl": "Numer"}
    assert not screen.step.can_go_back
    view = await house.executions.find(house.workspace_id, execution)
    assert view.waiting_for == [{"step": "company", "kind": "form"}]

    screen = await house.submit(execution, "company", FILLED)
    assert screen.step is not None
    assert (screen.step.id, screen.step.kind, screen.step.can_go_back) == ("terms", "consent", True)
    assert screen.step.config["text"] == {"en": "Of 1234567890", "pl": "Firmy 1234567890"}
    assert screen.progress == (2, 2)

    screen = await house.submit(execution, "terms", {"accepted": True})
    assert (screen.status, screen.step, screen.background) == (
        Status.AWAITING,
        None,
        ({"en": "Payment", "pl": "Wpłata"},),
    )
    assert screen.done
    await house.executions.receive(house.workspace_id, execution, "paid", None, execution)
    screen = await house.screen(execution)
    assert (screen.status, screen.step, screen.progress) == (Status.COMPLETED, None, (2, 2))
    assert screen.end is not None
    assert screen.end.config["text"]["en"] == "Done, a@example.com"
    assert screen.redirect == "https://example.com/PL"
    result = await house.executions.result(house.workspace_id, execution)
    assert result.result["company"] == FILLED
    assert {key: result.result["terms"][key] for key in ("accepted", "version")} == {
        "accepted": True,
        "version": "2026-01",
    }
    assert await house.events(execution) == [
        "workflow.started",
        "workflow.status_changed",
        "workflow.awaiting",
        "workflow.status_changed",
        "workflow.completed",
        "workflow.status_changed",
    ]


async def test_everything_that_is_wrong_is_told_at_once(house: House) -> None:
    execution = await house.start(COMPANY)
    wrong = {
        "number": "12",
        "country": "FR",
        "hasOwners": True,
        "owners": [{"name": "<script>alert(1)</script>", "share": 0}, {"share": "all", "age": 3}],
        "extra": 1,
    }
    found = await problems(house.submit(execution, "company", wrong))
    assert set(found) == {
        ("/number", "pattern"),
        ("/email", "required"),
        ("/country", "enum"),
        ("/owners/0/share", "exclusiveMinimum"),
        ("/owners/1/name", "required"),
        ("/owners/1/share", "type"),
        ("/owners/1/age", "unknown"),
        ("/extra", "unknown"),
    }
    assert found["/country", "enum"].parameters == {"options": ["PL", "DE"]}
    assert found["/email", "required"].code == "FIELD_REQUIRED"
    assert found["/extra", "unknown"].code == "FIELD_UNKNOWN"
    assert "alert" not in "".join(problem.message for problem in found.values())
    assert (await house.screen(execution)).step is not None
