"""The `email` step: languages, receivers, values, and what its failures say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.expressions import ExpressionError
from passerelle.definitions.model import Step
from passerelle.engine.kinds import OutsideKind, StepFailure, Tools
from passerelle.engine.registry import load_kinds
from passerelle.kit.json import dumps
from passerelle.kit.mail import MailError, MailLater, MailNever, MailTimeout
from passerelle.kit.mail.fake import FakeMail
from tests.unit.engine.steps.compiling import compile_step

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NoOutgoing: Any = None
HELLO = {"to": "${parameters.p.email}", "subject": "Hello", "body": "Hi"}
BOTH = {**HELLO, "subject": {"en": "Hello", "pl": "Cześć"}, "body": {"en": "Hi", "pl": "Witaj"}}


def scope(locale: str | None = None, **values: Any) -> dict[str, Any]:
    p = {"email": "anna@example.com", **values}
    return {"parameters": {"p": p}, "steps": {}, "execution": {"language": locale}}


async def send(step: Step, mail: FakeMail | None = None, locale: str | None = None, **values: Any) -> Any:
    assert isinstance(step.kind, OutsideKind)
    return await step.kind.call(step.config, scope(locale, **values), Tools(NoOutgoing, NOW, mail=mail), "0198:one:1")


async def test_the_output_names_the_message_and_its_receivers() -> None:
    mail = FakeMail()
    step = compile_step("email", {**HELLO, "to": ["${parameters.p.email}", "B <b@example.com>"], "cc": "c@example.com"})
    assert await send(step, mail) == {
        "messageId": "<0198.one.1@passerelle.test>",
        "to": ["anna@example.com", "b@example.com"],
    }
    assert [address.mailbox for address in mail.sent[0].receivers] == [
        "anna@example.com", "b@example.com", "c@example.com",
    ]  # fmt: skip
    assert mail.sent[0].date == NOW


async def test_a_list_computed_by_an_expression_is_taken() -> None:
    mail = FakeMail()
    await send(compile_step("email", HELLO), mail, email=["a@example.com", "b@example.com"])
    assert len(mail.sent[0].to) == 2


@pytest.mark.parametrize(
    ("locale", "subject"),
    [("pl", "Cześć"), ("pl-PL", "Cześć"), ("PL_pl", "Cześć"), ("en-GB", "Hello"), ("de", "Hello"), (None, "Hello")],
)
async def test_the_language_is_the_executions_else_the_first(locale: str | None, subject: str) -> None:
    mail = FakeMail()
    await send(compile_step("email", BOTH), mail, locale)
    assert (mail.sent[0].subject, mail.sent[0].text) in {("Cześć", "Witaj"), ("Hello", "Hi")}
    assert mail.sent[0].subject == subject


async def test_markdown_goes_out_as_html_and_as_plain_text() -> None:
    mail = FakeMail()
    body = {
        "en": "# Hi\n\nYour **account**:\n\n- [open it](https://a.example)\n- or <https://b.example>",
        "pl": "*Witaj*",
    }
    step = compile_step("email", {**HELLO, "body": body, "format": "markdown"})
    await send(step, mail, "en")
    assert mail.sent[0].text == "Hi\n\nYour account:\n\n- open it (https://a.example)\n- or https://b.example"
    html = mail.sent[0].html or ""
    assert '<li><a href="https://a.example">open it</a></li>' in html
    assert '<html lang="en">' in html
    await send(step, mail, "pl")
    assert '<html lang="pl">' in (mail.sent[1].html or "")


async def test_values_in_markdown_are_text_and_lead_nowhere() -> None:
    mail = FakeMail()
    step = compile_step(
        "email", {**HELLO, "body": "${parameters.p.name} [x](${parameters.p.url})", "format": "markdown"}
    )
    await send(step, mail, name="<b>[Tom](https://evil.example)</b> *now*\n# Big", url="javascript:alert(1)")
    html = mail.sent[0].html or ""
    assert "&lt;b&gt;[Tom](https://evil.example)&lt;/b&gt; *now*<br />\n# Big" in html
    assert "<a" not in html
    assert mail.sent[0].text.startswith("<b>[Tom](https://evil.example)</b> *now*\n# Big")


@pytest.mark.parametrize("body", ["word\n" * 5_000, "*a **b " * 400 + "c" + "** x*" * 400])
async def test_markdown_that_would_take_too_long_or_too_deep_fails_the_step(body: str) -> None:
    step = compile_step("email", {**HELLO, "body": body, "format": "markdown"})
    with pytest.raises(ExpressionError, match="Markdown"):
        await send(step, FakeMail(), name="Ada", url="x")


def test_markdown_makes_the_html_itself() -> None:
    step: Any = {"id": "one", "email": {**HELLO, "format": "markdown", "html": "<p>Hi</p>"}}
    compiled = compile_definition(dumps({"name": "test", "steps": [step]}), load_kinds())
    assert any("leave one of them out" in problem.message for problem in compiled.problems)


async def test_values_are_escaped_in_html_and_only_there() -> None:
    mail = FakeMail()
    value = "<b>\"Tom\" & 'Co'</b>"
    step = compile_step(
        "email", {**HELLO, "body": "${parameters.p.name}", "html": '<p title="${parameters.p.name}">${parameters.p.name}</p>'}
    )  # fmt: skip
    await send(step, mail, name=value)
    safe = "&lt;b&gt;&quot;Tom&quot; &amp; &#x27;Co&#x27;&lt;/b&gt;"
    assert mail.sent[0].text == value
    assert mail.sent[0].html == f'<p title="{safe}">{safe}</p>'


async def test_numbers_become_text_also_where_they_are_all_there_is() -> None:
    mail = FakeMail()
    await send(compile_step("email", {**HELLO, "subject": "${parameters.p.n}"}), mail, n=70.5)
    assert mail.sent[0].subject == "70.5"


@pytest.mark.parametrize("values", [{}, {"name": None}])
@pytest.mark.parametrize("key", ["subject", "body", "html"])
async def test_a_missing_value_fails_and_nothing_is_sent(key: str, values: dict[str, Any]) -> None:
    mail = FakeMail()
    step = compile_step("email", {**HELLO, key: "Dear ${parameters.p.name}"})
    with pytest.raises(ExpressionError) as failed:
        await send(step, mail, **values)
    assert failed.value.expression == "parameters.p.name"
    assert mail.sent == []


@pytest.mark.parametrize(
    ("email", "says"),
    [
        (None, "`to` has no address"),
        ("  ", "`to` has no address"),
        (5, "`to` has no address"),
        ([], "`to` is an empty list"),
        (["a@example.com", ""], "`to[1]` has no address"),
        ("nobody", "`to` is no e-mail address: it needs an @"),
        ("a@example.com\r\nBcc: evil@example.com", "`to` is no e-mail address"),
        ([f"a{n}@example.com" for n in range(101)], "101 receivers, and 100 are the most"),
    ],
)
async def test_receivers_that_are_none_fail_clearly_and_are_never_retried(email: Any, says: str) -> None:
    mail = FakeMail()
    with pytest.raises(StepFailure) as failed:
        await send(compile_step("email", HELLO), mail, email=email)
    assert (failed.value.code, failed.value.reason, mail.sent) == ("EMAIL_INVALID", None, [])
    assert says in failed.value.message
    assert "evil" not in failed.value.message


@pytest.mark.parametrize(
    ("error", "code", "reason", "again"),
    [
        (MailLater("No connection."), "EMAIL_NOT_TAKEN", "connection", True),
        (MailTimeout("Too slow."), "EMAIL_NOT_TAKEN", "timeout", True),
        (MailLater("Not now.", code=451, reply="greylisted"), "EMAIL_NOT_TAKEN", "451", True),
        (MailNever("No.", code=550, reply="unknown user"), "EMAIL_REFUSED", "550", False),
        (MailNever("No server."), "EMAIL_REFUSED", None, False),
    ],
)
async def test_what_is_retried_by_itself(error: MailError, code: str, reason: str | None, again: bool) -> None:
    step = compile_step("email", HELLO)
    with pytest.raises(StepFailure) as failed:
        await send(step, FakeMail([error]))
    assert (failed.value.code, failed.value.reason, failed.value.message) == (code, reason, error.message)
    assert failed.value.details == (None if error.code is None else {"reply": f"{error.code} {error.reply}"})
    assert step.retry is not None
    assert step.retry.covers(failed.value.reason) is again


async def test_without_a_mail_server_it_says_what_to_set() -> None:
    with pytest.raises(StepFailure, match="set PASSERELLE_SMTP_URL"):
        await send(compile_step("email", HELLO))


def test_the_timeline_shows_to_whom_and_what() -> None:
    step = compile_step("email", {**BOTH, "html": "<p>Hi</p>"} | {"html": {"en": "<p>Hi</p>", "pl": "<p>Cześć</p>"}})
    assert isinstance(step.kind, OutsideKind)
    assert step.kind.describe(step.config, scope("pl")) == {
        "to": "anna@example.com",
        "subject": "Cześć",
        "body": "Witaj",
    }


def test_an_address_that_stands_in_the_definition_is_checked_at_once() -> None:
    text = dumps({"name": "a", "steps": [{"id": "one", "email": {**HELLO, "to": ["a@example.com", "nobody"]}}]})
    (problem,) = compile_definition(text, load_kinds()).problems
    assert str(problem).endswith("steps.one.email.to[1]: is no e-mail address: it needs an @ between name and domain")
