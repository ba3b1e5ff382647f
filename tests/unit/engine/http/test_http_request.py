"""What an `http` step sends, and what the timeline shows of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from passerelle.definitions.expressions import ExpressionError
from passerelle.engine.kinds import MASK, StepFailure
from passerelle.kit.outgoing.fake import SentRequest
from passerelle.kit.version import VERSION
from tests.unit.engine.http.http_steps import fake, run, shown, step


async def sent(parameters: dict[str, Any] | None = None, **config: Any) -> SentRequest:
    """The one request that a step sends."""
    outgoing = fake()
    await run(step(**config), outgoing, parameters, {"KEY": "s3cret"})
    (request,) = outgoing.requests
    return request


async def test_a_get_says_who_asks_and_which_attempt_it_belongs_to() -> None:
    request = await sent()
    assert (request.method, request.url, request.content) == ("GET", "https://host.example/x", None)
    assert request.headers == {"User-Agent": f"Passerelle/{VERSION}", "Idempotency-Key": "execution:ask:1"}
    assert request.timeout_seconds == 10


async def test_headers_of_the_definition_go_before_ours() -> None:
    headers = {"idempotency-key": "mine", "USER-AGENT": "me", "content-type": "application/vnd.x+json"}
    request = await sent(method="POST", body={}, headers=headers)
    assert request.headers == headers


async def test_values_fill_url_query_headers_and_body() -> None:
    request = await sent(
        {"a": "1/2?c", "b": "x y", "data": {"n": 1.0, "list": [1, 2]}},
        method="PUT",
        url="https://host.example/companies/${parameters.a}?v=${parameters.b}",
        query={"tag": ["t", "${parameters.b}"], "none": "${null}", "n": "${parameters.data.n}"},
        headers={"Authorization": "Bearer ${secrets.KEY}", "X-None": "${null}", "X-Number": "${1 + 1}"},
        body={"whole": "${parameters.data}", "part": "<${parameters.a}>"},
    )
    assert request.url == "https://host.example/companies/1%2F2%3Fc?v=x%20y&tag=t&tag=x%20y&n=1"
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers["X-Number"] == "2"
    assert "X-None" not in request.headers
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == b'{"whole":{"n":1.0,"list":[1,2]},"part":"<1/2?c>"}'


async def test_a_url_may_be_one_value() -> None:
    url = "https://host.example/a/b?c=d"
    assert (await sent({"url": url}, url="${parameters.url}")).url == url
    assert (await sent({"url": "https://h", "a": "/"}, url="${parameters.url}/${parameters.a}")).url == "https://h/%2F"


async def test_text_and_forms_are_sent_as_such() -> None:
    text = await sent({"a": "ż"}, method="POST", text="Hello ${parameters.a}")
    assert (text.content, text.headers["Content-Type"]) == ("Hello ż".encode(), "text/plain; charset=utf-8")
    form = await sent({"a": "b c"}, method="POST", form={"a": "${parameters.a}", "n": 1, "none": None})
    assert (form.content, form.headers["Content-Type"]) == (b"a=b+c&n=1", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(("own", "step_limit", "seconds"), [(None, None, 10), ("2s", 30, 2), (None, 30, 30)])
async def test_the_time_limit_is_the_nearest_one(own: str | None, step_limit: int | None, seconds: float) -> None:
    outgoing = fake()
    limit = timedelta(seconds=step_limit) if step_limit else None
    await run(step(**({"timeout": own} if own else {})), outgoing, step_limit=limit)
    assert outgoing.requests[0].timeout_seconds == seconds


@pytest.mark.parametrize(
    ("config", "parameters", "says"),
    [
        ({"url": "https://h/${parameters.a}/x"}, {"a": ".."}, "only dots"),
        ({"url": "https://h/.${parameters.a}/x"}, {"a": "."}, "only dots"),
        ({"query": {"q": "${parameters.data}"}}, {"data": {"s3cret": 1}}, "`q` is an object"),
        ({"headers": {"X": "${parameters.data}"}}, {"data": {"s3cret": 1}}, "the header `X` is an object"),
        ({"headers": {"X": "${parameters.a}"}}, {"a": "s3cret\r\nY: z"}, "X has a line break"),
        ({"method": "POST", "form": {"f": "${parameters.data}"}}, {"data": {}}, "`f` is an object"),
        ({"method": "POST", "text": "${parameters.data}"}, {"data": {}}, "`text` is an object"),
        ({"url": "${parameters.url}"}, {"url": "not a url"}, "space"),
    ],
)
async def test_values_that_do_not_fit_their_place_send_nothing(
    config: dict[str, Any], parameters: dict[str, Any], says: str
) -> None:
    outgoing = fake()
    with pytest.raises(StepFailure) as failure:
        await run(step(**config), outgoing, parameters)
    assert (failure.value.code, failure.value.reason) == ("HTTP_REQUEST_INVALID", None)
    assert says in failure.value.message
    assert "s3cret" not in failure.value.message
    assert outgoing.requests == []


@pytest.mark.parametrize("value", [None, "", {"s3cret": 1}])
async def test_values_that_no_path_can_hold_name_the_expression(value: Any) -> None:
    outgoing = fake()
    with pytest.raises(ExpressionError, match=r"parameters\.data") as error:
        await run(step(url="https://h/${parameters.data}"), outgoing, {"data": value})
    assert "s3cret" not in str(error.value)
    assert outgoing.requests == []


@pytest.mark.parametrize("url", ["http://user:s3cret@host.example/", "file:///etc/passwd", "http://0x7f.1/"])
async def test_urls_that_are_not_to_be_used_are_refused_for_good(url: str) -> None:
    with pytest.raises(StepFailure) as failure:
        await run(step(url="${parameters.url}"), fake(), {"url": url})
    assert (failure.value.code, failure.value.reason) == ("EGRESS_REFUSED", None)
    assert "s3cret" not in failure.value.message


# The timeline


MASKED = {"KEY": MASK, "HOST": MASK}


def test_the_timeline_shows_what_is_sent_without_secrets() -> None:
    made = step(
        method="POST",
        url="https://host.example/${parameters.a}/${secrets.KEY}",
        query={"key": "${secrets.KEY}", "b": "${parameters.b}"},
        headers={"X-Key": "${secrets.KEY}", "Authorization": "Basic ${parameters.b}", "Accept": "text/plain"},
        body={"token": "${secrets.KEY}", "a": "${parameters.a}"},
    )
    assert shown(made, {"a": "1/2", "b": "c"}, MASKED) == {
        "method": "POST",
        "url": f"https://host.example/1%2F2/{MASK}?key={MASK}&b=c",
        "headers": {"X-Key": MASK, "Authorization": MASK, "Accept": "text/plain"},
        "body": {"token": MASK, "a": "1/2"},
    }


@pytest.mark.parametrize(
    ("url", "as_shown"),
    [("${secrets.HOST}", MASK), ("https://${secrets.HOST}/x", f"https://{MASK}/x"), ("${secrets.HOST}/x", f"{MASK}/x")],
)
def test_urls_that_are_secret_show_as_the_mask(url: str, as_shown: str) -> None:
    assert shown(step(url=url), {}, MASKED)["url"] == as_shown


def test_an_expression_that_does_not_take_the_mask_does_not_stop_the_step() -> None:
    made = step(headers={"X": "${secrets.KEY.split(':')[1]}"})
    assert shown(made, {}, MASKED) == {"method": "GET", "url": MASK}


def test_an_expression_that_fails_without_secrets_fails_the_step_here_already() -> None:
    with pytest.raises(ExpressionError):
        shown(step(headers={"X": "${parameters.data.more}"}), {})
