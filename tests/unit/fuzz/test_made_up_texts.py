"""What reads texts of others takes any text: it gives a value or its own refusal, and nothing else is ever raised.

`PASSERELLE_EXAMPLES` says how many texts; `make fuzz` sends many more, and lets Atheris look for such as reach new lines
(`tests.fuzz_texts`).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.expressions import Expression, ExpressionError, ExpressionProblem
from passerelle.engine.checks.mrz import Mrz
from passerelle.engine.registry import load_kinds
from passerelle.kit.durations import parse_duration
from passerelle.kit.errors import CommandError, PasserelleError
from passerelle.kit.http.media_types import negotiate
from passerelle.kit.http.pages import Cursors, limit_of
from passerelle.kit.mail import MailNever, Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.encoding import encoded
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.retry_after import retry_after
from passerelle.kit.secrets import SecretBox
from passerelle.kit.sizes import parse_size
from passerelle.kit.timetable import parse_timetable
from passerelle.kit.work import Meter, WorkError, metered
from passerelle.lists.files import BrokenFile, read_entries
from passerelle.records.slices import slices
from passerelle.tables.files import read_table

MANY = settings(
    max_examples=int(os.environ.get("PASSERELLE_EXAMPLES", "80")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
NOW = datetime(2026, 1, 5, tzinfo=UTC)
CURSORS = Cursors(SecretBox(["k" * 40]))
ODD = st.text(st.characters(codec="utf-8"), max_size=200)


T = TypeVar("T")


def outcome(act: Callable[[], T]) -> tuple[PasserelleError | ValueError | None, T | None]:
    """What it was refused with, or what came of it."""
    try:
        return None, act()
    except (PasserelleError, ValueError) as refusal:
        return refusal, None


def of(*parts: str) -> st.SearchStrategy[str]:
    """Texts that are nearly right: parts of those that are, with anything between them."""
    return st.lists(st.one_of(st.sampled_from(parts), st.sampled_from(parts), ODD), max_size=20).map("".join)


EXPRESSIONS = of(
    "parameters", ".", "a", "b", "steps", "[", "]", "(", ")", "{", "}", "'x'", '"', "\\", "1", "-", "9223372036854775807", "1e308",
    "0x7f", " + ", " * ", " / ", " % ", " == ", " < ", " in ", " && ", " || ", "!", " ? ", " : ", ",", "size(", "has(", ".map(x, ", ".all(y, ",
    ".matches('(a+)+$')", ".split(',')", "timestamp(", "duration(", "'2026-01-01T00:00:00Z'", "int(", "string(", "null", "true", ".filter(z, ",
)  # fmt: skip
ACCEPTS = of(
    "application/json", "*/*", "application/*", ";", "version", "=", "1", "2", "q", "0.5", ",", " ", '"', "\\", "charset=utf-8", "99999999999", "text/html",
)  # fmt: skip
ADDRESSES = of(
    "anna",
    "@",
    "example",
    ".",
    "com",
    "<",
    ">",
    '"',
    " ",
    "\r\n",
    "Bcc: x@y.z",
    ",",
    "żółw",
    "xn--",
    "[127.0.0.1]",
    "(",
    ")",
    "=?utf-8?q?",
)
LINES = of(
    "P<",
    "I<UTO",
    "ERIKSSON<<ANNA<MARIA",
    "<<<<<<<<<<",
    "L898902C3",
    "6UTO7408122F1204159ZE184226B",
    "0",
    "9",
    "\n",
    "ż",
    "AC",
    "XX",
)
ROWS = of(
    "id",
    "name",
    "birthDate",
    ",",
    ";",
    "\t",
    '"',
    '""',
    "\n",
    "\r\n",
    "\r",
    "1",
    "Żółw",
    "\ufeff",
    "\0",
    "1990-01-01",
    "a,b,c\n",
)


@MANY
@given(
    EXPRESSIONS,
    st.dictionaries(
        st.sampled_from(["a", "b"]),
        st.one_of(st.integers(), st.floats(), ODD, st.none(), st.lists(st.integers(), max_size=5)),
    ),
)
@example("parameters.a.matches('(a+)+$')", {"a": "a" * 5_000})
@example("1 / 0", {})
@example("-9223372036854775808 % -1", {})
def test_an_expression_is_refused_or_gives_a_value_or_its_error(source: str, parameters: dict[str, Any]) -> None:
    try:
        expression = Expression.compile(source)
    except ExpressionProblem:
        return
    with suppress(ExpressionError, WorkError), metered(Meter(each=20_000, total=20_000)):
        expression.evaluate({"parameters": parameters, "steps": {}, "execution": {}})


@MANY
@given(ACCEPTS)
def test_any_accept_header_is_answered_in_a_version_or_refused(accept: str) -> None:
    refusal, version = outcome(lambda: negotiate(accept, available=(1, 2)))
    assert version in (1, 2) or (isinstance(refusal, PasserelleError) and refusal.status in (400, 406))


@MANY
@given(st.one_of(ODD, st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_a_cursor_that_was_made_up_is_refused(cursor: str) -> None:
    with pytest.raises(PasserelleError) as refusal:
        CURSORS.decode(cursor, bound_to=["list"])
    assert refusal.value.problems[0].code == "CURSOR_INVALID"


@MANY
@given(st.dictionaries(ODD, st.one_of(st.integers(-(2**53), 2**53), ODD), max_size=4), st.data())
def test_a_cursor_with_a_changed_character_is_refused(position: dict[str, Any], data: st.DataObject) -> None:
    made = CURSORS.encode(position, bound_to="list")
    assert CURSORS.decode(made, bound_to="list") == position
    place = data.draw(st.integers(0, len(made) - 2))  # the last one may have bits that mean nothing
    other = data.draw(st.sampled_from("ABCDabcd0123-_").filter(lambda one: one != made[place]))
    with pytest.raises(PasserelleError):
        CURSORS.decode(made[:place] + other + made[place + 1 :], bound_to="list")


@MANY
@given(st.one_of(ROWS.map(str.encode), st.binary(max_size=500)))
def test_a_list_of_names_is_read_or_refused_with_its_lines(content: bytes) -> None:
    with suppress(BrokenFile):
        read_entries(content)


@MANY
@given(st.one_of(ROWS.map(str.encode), st.binary(max_size=500)))
def test_rows_are_cut_so_that_none_is_lost(content: bytes) -> None:
    with NamedTemporaryFile(suffix=".csv") as rows:
        path = Path(rows.name)
        path.write_bytes(content)
        try:
            cut = list(slices(path, "csv"))
        except CommandError:
            return
    assert sum(one.rows for one in cut) <= content.count(b"\n") + content.count(b"\r") + 1
    assert [one.first for one in cut] == sorted(one.first for one in cut)


@MANY
@given(st.one_of(LINES, st.lists(LINES, max_size=4)), ODD, st.dates().map(str))
def test_the_lines_of_a_document_are_judged_whatever_they_are(lines: Any, surname: str, day: str) -> None:
    result = Mrz().run({"lines": lines, "surname": surname[:200], "birthDate": day, "today": day})
    assert result.status in ("valid", "invalid", "unknown")


@MANY
@given(ADDRESSES)
def test_an_address_is_taken_or_refused_and_never_repeated(text: str) -> None:
    refusal, address = outcome(lambda: MailAddress.parse(text))
    if address is None:
        assert len(text) < 5 or text not in str(refusal)
        return
    assert not set("\r\n\0") & set(address.mailbox + address.name)
    assert MailAddress.parse(address.mailbox).mailbox == address.mailbox


@MANY
@given(ODD, ODD, ODD)
def test_no_word_of_a_message_becomes_a_header_of_its_own(subject: str, name: str, text: str) -> None:
    receiver = MailAddress("anna@example.com", name)
    message = Message(
        "key", NOW, (receiver,), f"{subject}\r\nBcc: eve@example.com", f"{text}\n.\n", reply_to=(receiver,)
    )
    try:
        content = encoded(message, MailAddress("no-reply@example.com"))
    except MailNever:  # a control character
        return
    head, _, _ = content.partition(b"\r\n\r\n")
    names = [line.split(b":")[0].lower() for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    assert b"bcc" not in names
    assert len(names) == len(set(names))


REFUSING: dict[str, Callable[[str], object]] = {
    "duration": parse_duration,
    "size": parse_size,
    "timetable": parse_timetable,
    "mail server": SmtpServer.parse,
}


@MANY
@given(
    what=st.sampled_from(sorted(REFUSING)),
    text=of(
        "1",
        "9",
        "s",
        "m",
        "h",
        "d",
        ".",
        "GB",
        "-",
        "tue",
        "daily",
        " ",
        ":",
        "09:00",
        "2026-12-01T09:00Z/",
        ",",
        "smtp://",
        "@",
        "[",
        "%zz",
        "99999999999999999999",
    ),
)
def test_a_setting_is_read_or_refused(what: str, text: str) -> None:
    with suppress(ValueError):
        REFUSING[what](text)


@MANY
@given(st.one_of(ODD, st.integers().map(str), st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT"))))
def test_what_a_receiver_asks_for_is_a_time_or_nothing(text: str) -> None:
    asked = retry_after(text, NOW)
    assert asked is None or asked >= timedelta()


@MANY
@given(st.one_of(ODD, st.integers().map(str), st.integers(-2, 600).map(str)))
def test_a_limit_is_one_or_is_refused(text: str) -> None:
    refusal, limit = outcome(lambda: limit_of(text))
    if limit is None:
        assert isinstance(refusal, PasserelleError)
        assert refusal.problems[0].code == "LIMIT_INVALID"
    else:
        assert 1 <= limit <= 500


@MANY
@given(
    of(
        "name",
        ": ",
        "people",
        "\n",
        "fields",
        ":\n",
        "  - ",
        "{name: a, type: text}",
        "type",
        "[",
        "]",
        "{",
        "}",
        "&a",
        "*a",
        "!!",
        "|",
        "999999999999999999999",
        "- ",
    )
)
def test_a_table_in_a_file_is_read_or_its_problems_are_told(text: str) -> None:
    read_table(text)


DEFINITIONS = of(
    "name: a\n", "steps:\n", "- id: f\n", "- id: g\n", "  form: {title: F, schema: {type: object, properties: {a: {type: string, visibleWhen: form.b}}}}\n",
    "  check: {name: iban, with: {value: '${steps.f.a}'}}\n", "  review: {title: R, outcomes: [yes, no], within: 1d}\n", "  http: {url: 'https://a.example/${parameters.n}'}\n",
    "  when: parameters.n > 1\n", "  each: {in: '${parameters.l}', as: row, steps: [{id: i, set: {x: '${row}'}}]}\n", "  switch: [{when: steps.f.a > 1, goto: f}, {goto: g}]\n",
    "  parallel: {branches: {a: [{id: p, set: {x: 1}}], b: [{id: q, end: {}}]}}\n", "  record: {upsert: {a: 1}, by: a}\n", "  retry: {attempts: 99999999999}\n", "  timeout: 1s\n",
    "  onError: {goto: f}\n", "parameters: {n: {type: number, default: 1}, l: {type: list}}\n", "result: {a: '${steps.f}'}\n", "expiresAfter: 2d\n", "record: {table: t}\n",
    "${", "}", "- ", "  ", "\n", ": ", "&a ", "*a", "<<: *a\n", "!!binary |\n", "---\n", "{", "[", "]", "'", '"', "#", "|\n", ">-\n",
)  # fmt: skip
KINDS = load_kinds()


@MANY
@given(DEFINITIONS)
@example("a: &a [*a]")
def test_a_definition_is_compiled_or_all_that_is_wrong_is_told(text: str) -> None:
    compiled = compile_definition(text, KINDS)
    assert (compiled.definition is None) == bool(compiled.problems)
    assert all(one.line >= 1 and one.message for one in compiled.problems)
