"""The end user's part from start to end: screens, submissions, drafts, going back, expiry."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from unittest.mock import Mock
from uuid import UUID

import pytest

from passerelle.end_user.pages.views import agreed_files
from passerelle.end_user.session.consent_copies import AgreedTexts
from passerelle.end_user.session.evidence import Reading, hash_of
from passerelle.end_user.session.models import FieldProblem
from passerelle.engine.checks import CheckResult, Reason
from passerelle.engine.checks.vat_vies import VatVies
from passerelle.engine.kinds import StepFailure, Tools
from passerelle.engine.model import Status
from passerelle.kit.errors import PasserelleError
from passerelle.kit.json import JsonObject
from passerelle.languages.service import Languages
from passerelle.workflows.service import StartRequest
from tests.integration.end_user.guests import House

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


async def test_what_was_typed_is_there_again_field_by_field_and_exactly(house: House) -> None:
    execution = await house.start(COMPANY)
    await house.save(execution, "company", {"number": "12", "hasOwners": True})
    owners = [{"name": "Zoë <b>", "share": 12.5}, {}]
    await house.save(execution, "company", {"owners": owners, "country": ""})
    await house.save(execution, "company", {"number": None})
    screen = await house.screen(execution)
    assert screen.step is not None
    assert screen.step.values == {
        "number": None,
        "hasOwners": True,
        "owners": owners,
        "country": "",
        "newsletter": True,
    }
    assert screen.step.hidden == ()


async def test_what_was_refused_is_kept_as_typed(house: House) -> None:
    execution = await house.start(COMPANY)
    await problems(house.submit(execution, "company", {"number": "12", "extra": 1}))
    screen = await house.screen(execution)
    assert screen.step is not None
    assert screen.step.values["number"] == "12"
    assert "extra" not in screen.step.values


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"extra": 1}, ("/extra", "unknown")),
        ({"number": "x" * 300_000}, ("", "tooLarge")),
        ({"number": "a\0b"}, ("/number", "characters")),
        ({"number": "\ud800"}, ("/number", "characters")),
        ({"number": 2**70}, ("/number", "characters")),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    house: House, values: dict[str, Any], place: tuple[str, str]
) -> None:
    execution = await house.start(COMPANY)
    assert set(await problems(house.save(execution, "company", values))) == {place}
    assert await house.value("SELECT count(*) FROM visitor_draft") == 0
    assert place in await problems(house.submit(execution, "company", {**FILLED, **values}))
    assert await house.value("SELECT count(*) FROM step_run") == 0


async def test_values_nested_too_deep_are_refused(house: House) -> None:
    execution = await house.start(COMPANY)
    deep: Any = {}
    for _ in range(30):
        deep = [deep]
    assert ("/owners", "tooDeep") in await problems(house.submit(execution, "company", {"owners": deep}))


async def test_many_saves_of_one_step_are_bounded(house: House) -> None:
    execution = await house.start(COMPANY)
    await house.save(execution, "company", {"number": "x" * 200_000})
    assert (None, "DRAFT_TOO_LARGE") in await problems(house.save(execution, "company", {"email": "x" * 100_000}))


async def test_hidden_fields_are_neither_required_nor_kept(house: House) -> None:
    execution = await house.start(COMPANY)
    hidden = {**FILLED, "hasOwners": False, "owners": [{"name": 7}]}
    await house.submit(execution, "company", hidden)
    view = await house.value("SELECT output FROM step_run WHERE step = 'company'")
    assert view == {**FILLED, "hasOwners": False}


async def test_a_visible_group_is_required_item_by_item(house: House) -> None:
    execution = await house.start(COMPANY)
    found = await problems(house.submit(execution, "company", {**FILLED, "hasOwners": True, "owners": []}))
    assert set(found) == {("/owners", "minItems")}
    assert found["/owners", "minItems"].parameters == {"limit": 1}


async def test_going_back_brings_what_was_typed_on_both_pages(house: House) -> None:
    execution = await house.start(COMPANY)
    await house.submit(execution, "company", {**FILLED, "newsletter": False})
    await house.save(execution, "terms", {"accepted": True})
    screen = await house.back(execution)
    assert screen.step is not None
    assert (screen.step.id, screen.step.visit, screen.step.can_go_back) == ("company", 2, False)
    assert screen.step.values == {**FILLED, "newsletter": False}
    screen = await house.submit(execution, "company", {**FILLED, "number": "9999999999"}, visit=2)
    assert screen.step is not None
    assert (screen.step.id, screen.step.visit) == ("terms", 2)
    assert screen.step.values == {"accepted": True}
    assert screen.step.config["text"]["en"] == "Of 9999999999"


async def test_what_the_second_answer_leads_around_has_no_output(house: House) -> None:
    text = """
name: detour
steps:
  - id: first
    form: {title: First, schema: {type: object, properties: {more: {type: boolean}}}}
  - id: second
    when: "has(steps.first.more) && steps.first.more"
    form: {title: Second, schema: {type: object, properties: {text: {type: string}}}}
  - id: told
    set: {second: "${has(steps.second)}"}
  - id: last
    message: {title: Last, text: "${steps.told.second}"}
  - id: paid
    event: {}
"""
    execution = await house.start(
        text.replace("message: {title: Last, text:", "consent: {title: Last, version: '1', text:")
    )
    await house.submit(execution, "first", {"more": True})
    await house.submit(execution, "second", {"text": "x"})
    await house.back(execution)
    await house.back(execution)
    screen = await house.submit(execution, "first", {"more": False}, visit=2)
    assert screen.step is not None
    assert (screen.step.id, screen.step.config["text"]) == ("last", "false")
    await house.submit(execution, "last", {"accepted": True}, visit=screen.step.visit)
    await house.executions.receive(house.workspace_id, execution, "paid", None, execution)
    result = (await house.executions.result(house.workspace_id, execution)).result
    assert sorted(result) == ["first", "last", "told"]


async def test_nobody_goes_back_over_an_effect(house: House) -> None:
    text = """
name: effects
steps:
  - id: first
    form: {title: First, schema: {type: object, properties: {a: {type: string}}}}
  - id: pause
    wait: {for: 1m}
  - id: second
    form: {title: Second, schema: {type: object, properties: {b: {type: string}}}}
"""
    execution = await house.start(text)
    screen = await house.submit(execution, "first", {"a": "x"})
    assert (screen.status, screen.step, screen.background) == (Status.RUNNING, None, ("pause",))
    assert screen.progress == (2, 2)
    with pytest.raises(PasserelleError, match=r"not any more|over"):
        await house.back(execution)
    await house.due(execution, timedelta(minutes=2))
    screen = await house.screen(execution)
    assert screen.step is not None
    assert (screen.step.id, screen.step.can_go_back) == ("second", False)
    assert (None, "NO_WAY_BACK") in await problems(house.back(execution))


async def test_a_second_submission_changes_nothing_and_another_one_is_late(house: House) -> None:
    execution = await house.start(COMPANY)
    await house.submit(execution, "company", FILLED)
    again = await house.submit(execution, "company", FILLED)
    assert again.step is not None
    assert again.step.id == "terms"
    assert (None, "STEP_NOT_CURRENT") in await problems(
        house.submit(execution, "company", {**FILLED, "number": "0000000000"})
    )
    assert (None, "STEP_NOT_CURRENT") in await problems(house.save(execution, "company", {"number": "1"}))
    assert (None, "STEP_NOT_CURRENT") in await problems(house.submit(execution, "terms", {"accepted": True}, visit=2))
    assert await house.value("SELECT count(*) FROM step_run WHERE step = 'company'") == 1


async def test_of_fifty_submissions_at_once_one_wins(house: House) -> None:
    execution = await house.start(COMPANY)

    async def attempt(number: int) -> bool:
        try:
            await house.submit(execution, "company", {**FILLED, "number": f"{number:010}"})
        except PasserelleError as error:
            return str(error.problems[0].code) != "STEP_NOT_CURRENT"
        return True

    won = await asyncio.gather(*(attempt(number) for number in range(50)))
    assert won.count(True) == 1
    output = await house.value("SELECT output FROM step_run WHERE step = 'company'")
    assert output["number"] == f"{won.index(True):010}"


async def test_a_minute_has_room_for_a_person_not_for_a_thousand_submissions(house: House) -> None:
    execution = await house.start(COMPANY)
    refused = 0
    for _ in range(100):
        found = await problems(house.submit(execution, "company", {}))
        if (None, "TOO_MANY_SUBMISSIONS") in found:
            refused += 1
    assert refused == 40
    other = await house.start(COMPANY)
    assert (await house.submit(other, "company", FILLED)).step is not None


@pytest.mark.parametrize("moment", ["untouched", "half-way"])
async def test_the_end_users_time_ends(house: House, moment: str) -> None:
    execution = await house.start(COMPANY)
    await house.save(execution, "company", {"number": "1"})
    if moment == "half-way":
        await house.submit(execution, "company", FILLED)
    await house.due(execution, timedelta(hours=1, minutes=59))
    assert (await house.screen(execution)).status is Status.RUNNING
    await house.due(execution, timedelta(minutes=1))
    screen = await house.screen(execution)
    assert (screen.status, screen.step, screen.end) == (Status.EXPIRED, None, None)
    assert (await house.events(execution))[-2:] == ["workflow.expired", "workflow.status_changed"]
    assert await house.value("SELECT count(*) FROM visitor_draft") == 0
    step = "company" if moment == "untouched" else "terms"
    assert (None, "STEP_NOT_CURRENT") in await problems(house.submit(execution, step, FILLED))


async def test_a_submission_after_the_end_counts_as_late_even_if_no_timer_came(house: House) -> None:
    execution = await house.start(COMPANY)
    house.clock.move(timedelta(hours=3))
    screen = await house.submit(execution, "company", FILLED)
    assert (screen.status, screen.step) == (Status.EXPIRED, None)


async def test_an_end_user_who_is_done_is_done_in_time(house: House) -> None:
    execution = await house.start(COMPANY)
    await house.submit(execution, "company", FILLED)
    await house.submit(execution, "terms", {"accepted": True})
    await house.due(execution, timedelta(days=2))
    assert (await house.screen(execution)).status is Status.AWAITING


async def test_a_consent_is_given_or_refused_and_keeps_the_text_that_was_shown(house: House) -> None:
    execution = await house.start(COMPANY, locale="pl")
    await house.submit(execution, "company", FILLED)
    for refused in ({}, {"accepted": False}, {"accepted": "yes"}, {"accepted": True, "more": 1}):
        found = await problems(house.submit(execution, "terms", refused))
        assert {place for place, _ in found} <= {"/accepted", "/more"}
    reading = Reading("code", "en", "Terms", "Of 1234567890", "I agree", "2026-01")
    await house.sessions.submit(house.workspace_id, execution, "terms", 1, {"accepted": True}, reading=reading)
    kept = await house.value("SELECT input FROM step_run WHERE step = 'terms'")
    assert (kept["version"], kept["language"], kept["by"]) == ("2026-01", "en", {"proof": "code"})
    assert "1234567890" not in str(kept), "the text is encrypted, with the values in it"
    (told,) = await house.sessions.evidence.read(house.workspace_id, execution, personal=True)
    assert (told.facts["text"], told.facts["language"], told.accepted) == ("Of 1234567890", "en", True)
    assert told.statement is not None
    assert hash_of(told.statement) == told.hash == kept["hash"]
    (hidden,) = await house.sessions.evidence.read(house.workspace_id, execution, personal=False)
    assert (hidden.statement, hidden.hash, hidden.facts["address"]) == (None, told.hash, "•••")


async def test_where_nothing_can_print_no_copy_is_offered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    execution = await house.start(COMPANY)
    await house.submit(execution, "company", FILLED)
    reading = Reading("code", "en", "Terms", "Of 1234567890", "I agree", "2026-01")
    await house.sessions.submit(house.workspace_id, execution, "terms", 1, {"accepted": True}, reading=reading)
    screen = await house.screen(execution)
    english = Languages().words(["en"])
    assert [one["title"] for one in agreed_files(screen, english)] == ["Terms"]
    monkeypatch.setattr("passerelle.kit.pdf.find_spec", lambda _name: None)
    assert agreed_files(screen, english) == []
    copies = AgreedTexts(house.sessions, Mock(), Mock(), Mock())
    with pytest.raises(PasserelleError) as refused:
        await copies.copy(house.workspace_id, execution, "terms", 1)
    assert (refused.value.status, refused.value.problems[0].code) == (501, "PDF_NOT_INSTALLED")


async def test_whoever_waits_hears_of_a_change_at_once(house: House) -> None:
    execution = await house.start(COMPANY)
    seq = (await house.screen(execution)).seq
    assert await house.sessions.changed(house.workspace_id, execution, seq, 0) == seq
    waiting = [asyncio.create_task(house.sessions.changed(house.workspace_id, execution, seq, 60)) for _ in range(20)]
    async with asyncio.timeout(10):
        await house.sessions.changes.hears.wait()
        await house.submit(execution, "company", FILLED)
        heard = await asyncio.gather(*waiting)
    assert set(heard) == {(await house.screen(execution)).seq}


async def test_a_message_between_two_steps_waits_for_its_button(house: House) -> None:
    text = """
name: messages
steps:
  - id: hello
    message: {title: Hello, text: "Read this.", button: Go on}
  - id: form
    form: {title: Form, schema: {type: object, properties: {a: {type: string}}}}
  - id: bye
    message: {title: Bye, text: "Bye."}
"""
    execution = await house.start(text)
    screen = await house.screen(execution)
    assert screen.step is not None
    assert (screen.step.kind, screen.step.config["button"], screen.progress) == ("message", "Go on", (1, 2))
    await house.submit(execution, "hello")
    screen = await house.submit(execution, "form", {"a": ""})
    assert screen.status is Status.COMPLETED
    assert screen.end is not None
    assert (screen.end.id, screen.redirect) == ("bye", None)
    assert (await house.executions.result(house.workspace_id, execution)).result == {"form": {}}


async def test_a_run_that_needs_a_user_is_refused_and_one_that_is_cancelled_shows_nothing(house: House) -> None:
    execution = await house.start(COMPANY)
    view = await house.executions.find(house.workspace_id, execution)
    found = await problems(house.executions.run(house.workspace_id, StartRequest(UUID(int=9), view.definition_id)))
    assert ("/workflowDefinitionId", "WORKFLOW_NEEDS_USER") in found
    await house.executions.cancel(house.workspace_id, execution, None)
    screen = await house.screen(execution)
    assert (screen.status, screen.step, screen.background, screen.end) == (Status.CANCELLED, None, (), None)


async def test_another_workspace_sees_and_does_nothing(house: House) -> None:
    execution = await house.start(COMPANY)
    for awaited in (
        house.sessions.screen(UUID(int=7), execution),
        house.sessions.submit(UUID(int=7), execution, "company", 1, FILLED),
        house.sessions.save(UUID(int=7), execution, "company", 1, {"number": "1"}),
        house.sessions.back(UUID(int=7), execution),
    ):
        assert (None, "WORKFLOW_NOT_FOUND") in await problems(awaited)


ASKING = """
name: asking
steps:
  - id: ask
    form:
      title: Your company
      schema:
        type: object
        required: [name]
        properties:
          name: {type: string}
          vat: {type: string, check: vat-vies}
  - id: done
    message: {title: Done, text: Thank you.}
"""


async def test_a_check_at_a_field_asks_somebody_outside_when_it_is_left_and_at_continue(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each value once; who does not answer keeps nobody from going on; more than thirty a minute are refused."""
    asked: list[str] = []

    async def answer(self: VatVies, inputs: JsonObject, tools: Tools) -> CheckResult:
        asked.append(inputs["value"])
        if inputs["value"] == "silent":
            raise StepFailure("CHECK_UNAVAILABLE", "no answer")
        return CheckResult("invalid", (Reason("NOT_FOUND", "there is none"),))

    monkeypatch.setattr(VatVies, "run", answer)
    execution = await house.start(ASKING)
    screen = await house.screen(execution)
    assert screen.step is not None
    assert screen.step.asked == ("/properties/vat",)
    (told,) = await house.sessions.look_up(screen, {"vat": "PL1"}, "/vat")
    assert (told.pointer, told.keyword, told.parameters["reason"]) == ("/vat", "check", "NOT_FOUND")
    assert await house.sessions.look_up(screen, {"vat": "PL1"}, "/name") == ()
    found = await problems(house.submit(execution, "ask", {"vat": "PL1"}))
    assert set(found) == {("/vat", "check"), ("/name", "required")}
    assert asked == ["PL1"]
    for number in range(29):
        await house.sessions.look_up(screen, {"vat": f"PL{number + 2}"}, "/vat")
    with pytest.raises(PasserelleError) as caught:
        await house.sessions.look_up(screen, {"vat": "PL99"}, "/vat")
    assert caught.value.problems[0].code == "TOO_MANY_SUBMISSIONS"
    house.clock.move(timedelta(minutes=2))
    assert (await house.submit(execution, "ask", {"name": "Acme", "vat": "silent"})).end is not None


async def test_the_number_of_a_page_goes_on_by_one_whatever_branches_leave_out(house: House) -> None:
    page = "form: {{title: {0}, schema: {{type: object, properties: {{a: {{type: string}}}}}}}}".format
    text = f"""
name: branches
steps:
  - id: kind
    {page("kind")}
  - id: which
    switch: [{{when: "steps.kind.a == 'long'", goto: first}}, {{goto: last}}]
  - id: first
    {page("first")}
  - id: second
    when: "steps.first.a == 'more'"
    {page("second")}
  - id: third
    {page("third")}
  - id: last
    {page("last")}
"""
    for answers, shown in (
        ({"kind": "short"}, [(1, 5), (2, 2)]),
        ({"kind": "long", "first": "x", "third": "x"}, [(1, 5), (2, 5), (3, 4), (4, 4)]),
        ({"kind": "long", "first": "more", "second": "x", "third": "x"}, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]),
    ):
        execution = await house.start(text)
        screens = [await house.screen(execution)]
        for step, answer in answers.items():
            screens.append(await house.submit(execution, step, {"a": answer}))
        assert [screen.progress for screen in screens] == shown
        back = await house.back(execution)
        assert back.progress == shown[-2][:1] + back.progress[1:], "and back by one"
