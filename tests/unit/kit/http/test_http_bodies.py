"""Bodies: what is read, and how everything that is wrong is said at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError, field_validator
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.http.bodies import BODY_LIMIT, AnyJsonBody, Body, read_raw_json, read_text, validate
from passerelle.kit.http.fields import Explanations, explain, pointer

B = TypeVar("B", bound=Body)

ANY: TypeAdapter[Any] = TypeAdapter(AnyJsonBody)


async def read(given: Request, model: type[B], *, limit: int = BODY_LIMIT) -> B:
    """As a route reads the body of an endpoint that declares `model`."""
    return validate(await read_raw_json(given, limit=limit), model)


async def read_json(given: Request) -> Any:
    """As a route reads the body of an endpoint that takes any JSON."""
    try:
        return ANY.validate_python(await read_raw_json(given))
    except ValidationError as error:
        raise PasserelleError(400, explain(error.errors(), None, Any)) from None


CASE_MOVED = Code("TEST_CASE_MOVED", 400, "For these tests.")
TABLE_NEEDED = Code("TEST_TABLE_NEEDED", 400, "For these tests.")


class Phone(Body):
    country_code: str
    number: str


class Sample(Body):
    workflow_definition_id: UUID
    record_id: UUID | None = None
    amount: int | str | None = None
    count: int = Field(default=1, ge=1, le=9)
    locale: str | None = Field(default=None, max_length=5)
    expires_at: AwareDatetime | None = None
    parameters: dict[str, Any] | None = None
    phones: list[Phone] | None = None

    when_unknown: ClassVar[Explanations] = {"caseId": (CASE_MOVED, "send recordId instead")}

    @field_validator("locale")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value == "xx":
            raise ValueError("there is no language xx: send en or pl")
        return value


class Named(Body):
    table: str

    when_missing: ClassVar[Explanations] = {"table": (TABLE_NEEDED, "name the table")}


ID = "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"


def problems(raw: bytes | dict[str, Any], model: type[Body] = Sample) -> dict[tuple[str, str | None], str]:
    """What is wrong with a body, by code and pointer."""
    with pytest.raises(PasserelleError) as caught:
        validate(raw if isinstance(raw, bytes) else json.dumps(raw).encode(), model)
    assert caught.value.status == 400
    found = {(problem.code, problem.pointer): problem.message for problem in caught.value.problems}
    assert len(found) == len(caught.value.problems)
    return found


def test_a_right_body_is_read() -> None:
    body = validate(
        json.dumps({"workflowDefinitionId": ID, "parameters": {"a": [1, 2.5, None]}, "amount": "7"}).encode(),
        Sample,
    )

    assert body.workflow_definition_id == UUID(ID)
    assert body.parameters == {"a": [1, 2.5, None]}
    assert (body.amount, body.count) == ("7", 1)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems(
        {
            "recordId": "x",
            "count": "3",
            "locale": "polish",
            "recordID": ID,
            "parameters": [],
            "phones": [{"countryCode": 48}],
        }
    )

    assert set(found) == {
        ("FIELD_REQUIRED", "/workflowDefinitionId"),
        ("FIELD_INVALID", "/recordId"),
        ("FIELD_TYPE", "/count"),
        ("FIELD_INVALID", "/locale"),
        ("FIELD_UNKNOWN", "/recordID"),
        ("FIELD_TYPE", "/parameters"),
        ("FIELD_TYPE", "/phones/0/countryCode"),
        ("FIELD_REQUIRED", "/phones/0/number"),
    }


def test_messages_say_what_is_wrong_and_what_would_be_right() -> None:
    found = problems(
        {"workflowDefinitionId": 7, "recordId": "x", "count": 10, "locale": "xx", "expiresAt": "2026-01-05T09:00:00"}
    )

    assert found[("FIELD_TYPE", "/workflowDefinitionId")].startswith("`workflowDefinitionId` must be a UUID")
    assert found[("FIELD_INVALID", "/recordId")].endswith('it is "x"')
    assert found[("FIELD_INVALID", "/count")] == "`count`: input should be less than or equal to 9"
    assert found[("FIELD_INVALID", "/locale")] == "`locale`: there is no language xx: send en or pl"
    assert "with its zone" in found[("FIELD_INVALID", "/expiresAt")]


@pytest.mark.parametrize(
    ("sent", "place", "hint"),
    [
        ({"workflowDefinitionID": ID}, "/workflowDefinitionID", "did you mean `workflowDefinitionId`?"),
        ({"workflow_definition_id": ID}, "/workflow_definition_id", "did you mean `workflowDefinitionId`?"),
        ({"zzz": 1}, "/zzz", "the fields are `workflowDefinitionId`"),
        ({"phones": [{"numbr": "1"}]}, "/phones/0/numbr", "did you mean `number`?"),
        ({"a/b~c": 1}, "/a~1b~0c", "is not a field here"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_known_one(sent: dict[str, Any], place: str, hint: str) -> None:
    assert hint in problems(sent)[("FIELD_UNKNOWN", place)]


def test_a_field_may_have_an_error_of_its_own() -> None:
    assert problems({"workflowDefinitionId": ID, "caseId": ID}) == {
        ("TEST_CASE_MOVED", "/caseId"): "send recordId instead"
    }
    assert problems({}, Named) == {("TEST_TABLE_NEEDED", "/table"): "name the table"}


def test_null_is_absent_for_a_field_of_another_version() -> None:
    sent = {"workflowDefinitionId": ID, "caseId": None, "parameters": {"caseId": None}}

    body = validate(json.dumps(sent).encode(), Sample)

    assert body.parameters == {"caseId": None}
    assert problems({"workflowDefinitionId": ID, "unknown": None}) != {}


def test_the_alternatives_of_a_field_are_one_problem() -> None:
    found = problems({"workflowDefinitionId": ID, "amount": []})

    assert list(found) == [("FIELD_TYPE", "/amount")]
    assert "must be an integer" in found[("FIELD_TYPE", "/amount")]
    assert "must be a string" in found[("FIELD_TYPE", "/amount")]


@pytest.mark.parametrize("value", ["1", 1.5, True, None])
def test_types_are_strict(value: Any) -> None:
    assert ("FIELD_TYPE", "/count") in problems({"workflowDefinitionId": ID, "count": value})


@pytest.mark.parametrize(
    ("raw", "code", "hint"),
    [
        (b"", "BODY_NOT_JSON", "the body is empty"),
        (b" \n", "BODY_NOT_JSON", "the body is empty"),
        (b'{"a": 1,\n "b": }', "BODY_NOT_JSON", "line 2, column 7"),
        (b"{'a': 1}", "BODY_NOT_JSON", "line 1, column 2"),
        (b'{"a": NaN}', "BODY_NOT_JSON", "line 1, column 7"),
        (b'{"a": "\xff"}', "BODY_NOT_JSON", "UTF-8"),
        (b'{"a": "\\ud800"}', "BODY_NOT_JSON", "surrogate"),
        ('{"a": "ż"}'.encode("utf-16"), "BODY_NOT_JSON", "UTF-16"),
        ('{"a": "ż"}'.encode("utf-16-le"), "BODY_NOT_JSON", "UTF-16"),
        ('{"a": "ü"}'.encode("latin-1"), "BODY_NOT_JSON", "it may be Latin-1"),
        (b'{"a": 1e400}', "BODY_NOT_JSON", "a number is too large: send it as a string"),
        (b'{"a": ' + b"7" * 400 + b"}", "BODY_NOT_JSON", "a number is too large: send it as a string"),
        (b"[" * 10_000, "BODY_TOO_DEEP", "200 levels"),
        (b'{"parameters": ' + b'{"a":' * 300 + b"1" + b"}" * 301, "BODY_TOO_DEEP", "200 levels"),
        (b'{"x": ' + b"[" * 300 + b"]" * 300 + b"}", "BODY_TOO_DEEP", "200 levels"),
        (b"[]", "BODY_NOT_OBJECT", "must be a JSON object"),
        (b'"text"', "BODY_NOT_OBJECT", "must be a JSON object"),
        (b"null", "BODY_NOT_OBJECT", "must be a JSON object"),
    ],
)
def test_what_is_no_json_object_is_refused(raw: bytes, code: str, hint: str) -> None:
    found = problems(raw)

    assert list(found) == [(code, None)]
    assert hint in found[(code, None)]


def test_nul_is_refused_wherever_it_stands() -> None:
    found = problems({"workflowDefinitionId": ID, "locale": "\0", "parameters": {"a": [{"b": "x\0"}], "k\0": 1}})

    assert set(found) == {
        ("FIELD_INVALID", "/locale"),
        ("FIELD_INVALID", "/parameters/a/0/b"),
        ("FIELD_INVALID", "/parameters/k\0"),
    }


def test_a_backslash_before_u0000_is_text() -> None:
    raw = b'{"workflowDefinitionId": "' + ID.encode() + b'", "parameters": {"a": "\\\\u0000"}}'

    assert validate(raw, Sample).parameters == {"a": "\\u0000"}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_an_integer_beyond_64_bits_is_refused_not_rounded(number: int) -> None:
    found = problems({"workflowDefinitionId": ID, "parameters": {"a": [number]}})

    assert list(found) == [("FIELD_INVALID", "/parameters/a/0")]
    assert "send it as a string" in found[("FIELD_INVALID", "/parameters/a/0")]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


def _storable(value: Any) -> bool:
    if isinstance(value, dict):
        return all("\0" not in key and _storable(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(_storable(inner) for inner in value)
    if isinstance(value, str):
        return "\0" not in value
    return not isinstance(value, int) or -(2**63) <= value < 2**63


@given(json_values)
def test_parameters_come_in_as_they_were_sent_or_not_at_all(value: Any) -> None:
    """Whatever stands in a body is kept exactly, or refused: nothing is rounded, cut or dropped."""
    raw = json.dumps({"workflowDefinitionId": ID, "parameters": {"value": value}}).encode()
    if _storable(value):
        assert validate(raw, Sample).parameters == {"value": value}
    else:
        with pytest.raises(PasserelleError):
            validate(raw, Sample)


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_read_or_refused(raw: bytes) -> None:
    with pytest.raises(PasserelleError) as caught:
        validate(raw, Sample)
    assert caught.value.status == 400


def test_a_pointer_escapes_its_parts() -> None:
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"


def request(*chunks: bytes, content_type: str | None = "application/json", length: int | None = None) -> Request:
    """A request whose body comes in `chunks`; more reads than that fail the test."""
    headers = [] if content_type is None else [(b"content-type", content_type.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    waiting = list(chunks)

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    return Request({"type": "http", "headers": headers}, receive)


async def code_of(read_it: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(PasserelleError) as caught:
        await read_it()
    return caught.value.status, caught.value.problems[0].code


async def test_a_body_may_come_in_parts() -> None:
    assert await read(request(b'{"ta', b'ble": "x"', b"}"), Named) == Named(table="x")


async def test_an_announced_body_that_is_too_large_is_not_read() -> None:
    refused = await code_of(lambda: read(request(length=BODY_LIMIT + 1), Named))

    assert refused == (413, "BODY_TOO_LARGE")


async def test_an_unannounced_body_is_read_no_further_than_the_limit() -> None:
    large = request(b"x" * 600_000, b"x" * 600_000, *[b"never read"] * 50)

    assert await code_of(lambda: read(large, Named)) == (413, "BODY_TOO_LARGE")
    assert (await large.receive())["body"] == b"never read"


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    raw = b'{"table": "' + b"x" * 80 + b'"}'

    assert len((await read(request(raw), Named, limit=len(raw))).table) == 80
    assert await code_of(lambda: read(request(raw), Named, limit=len(raw) - 1)) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize(
    "content_type",
    [None, "application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json", "text/json"],
)
async def test_json_by_any_name_and_no_name_is_taken(content_type: str | None) -> None:
    assert await read(request(b'{"table": "x"}', content_type=content_type), Named)


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "application/xml", "jsonx"],
)
async def test_what_is_clearly_not_json_is_refused(content_type: str) -> None:
    sent = request(b"{}", content_type=content_type)

    assert await code_of(lambda: read(sent, Named)) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_may_be_absent_only_where_it_is_optional() -> None:
    assert await read_raw_json(request(b"", content_type=None), optional=True) == b""
    assert await code_of(lambda: read(request(b""), Named)) == (400, "BODY_NOT_JSON")


def test_a_byte_order_mark_is_passed_over() -> None:
    assert validate(b"\xef\xbb\xbf" + b'{"table": "x"}', Named) == Named(table="x")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"table": "x", "table": "y"}',
        b'{"table": "x", "t\\u0061ble": "y"}',
        b'{"table": "a: b", "table":"c"}',
    ],
)
def test_a_name_that_stands_twice_is_refused(raw: bytes) -> None:
    """Which of the two was meant, nobody can tell."""
    found = problems(raw, Named)

    assert found == {("FIELD_INVALID", None): "`table` stands twice in one object: send it once"}


def test_the_same_name_in_two_objects_is_no_repetition() -> None:
    raw = json.dumps({"workflowDefinitionId": ID, "parameters": {"a": {"x: 1": 1}, "b": [{"x: 1": '"x":'}]}}).encode()

    assert validate(raw, Sample).parameters == {"a": {"x: 1": 1}, "b": [{"x: 1": '"x":'}]}


async def test_any_json_value_can_be_read() -> None:
    assert await read_json(request(b'[1, {"a": null}]')) == [1, {"a": None}]
    assert await code_of(lambda: read_json(request(b'["\\u0000"]'))) == (400, "FIELD_INVALID")
    assert await code_of(lambda: read_json(request(b"[" * 500 + b"]" * 500))) == (400, "BODY_TOO_DEEP")
    assert await code_of(lambda: read_json(request(b"18446744073709551616"))) == (400, "FIELD_INVALID")


async def test_text_is_read_in_its_media_types() -> None:
    yaml = ("application/yaml", "text/yaml")

    assert (
        await read_text(request("name: żółw".encode(), content_type="Text/YAML; charset=utf-8"), yaml) == "name: żółw"
    )
    assert (await code_of(lambda: read_text(request(b"x"), yaml)))[0] == 415
    assert await code_of(lambda: read_text(request(b"\xff", content_type=None), yaml)) == (400, "BODY_NOT_TEXT")
    assert await code_of(lambda: read_text(request(b"a\0", content_type=None), yaml)) == (400, "BODY_NOT_TEXT")


async def test_a_client_that_goes_away_ends_the_reading() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await read(Request({"type": "http", "headers": []}, receive), Named)
