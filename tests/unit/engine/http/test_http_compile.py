"""What `check` finds in an `http` step."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from passerelle.definitions.model import Retry
from tests.unit.engine.http.http_steps import KIND, problems, step


def test_the_smallest_step_is_a_get_that_expects_success_and_is_retried() -> None:
    made = step()
    assert (made.config.method, made.config.expect, made.config.timeout) == ("GET", ("2xx",), None)
    assert made.config.max_bytes == 5_000_000
    assert made.retry == Retry()


def test_everything_can_be_said() -> None:
    made = step(
        method="POST",
        headers={"Authorization": "Bearer ${secrets.KEY}"},
        query={"a": "${parameters.a}"},
        body={"b": ["${parameters.b}"]},
        expect=[200, "4xx"],
        maxSize="10MB",
        timeout="5s",
    )
    assert made.config.expect == ("200", "4xx")
    assert made.config.max_bytes == 10 * 1024**2
    assert made.config.timeout == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("config", "where", "says"),
    [
        ({"url": "ftp://host"}, "http.url", "https://"),
        ({"url": "host.example/x"}, "http.url", "https://"),
        ({"url": "https://h/${parameters.}"}, "http.url", ""),
        ({"method": "TRACE"}, "http.method", "TRACE"),
        ({"headers": {"Content-Length": "1"}}, 'http.headers["Content-Length"]', "set by Passerelle itself"),
        ({"headers": {"host": "x"}}, "http.headers.host", "set by Passerelle itself"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, 'http.headers["x-a"]', "twice"),
        ({"headers": {"X A": "1"}}, "http.headers", "a header's name"),
        ({"method": "POST", "body": {}, "text": "a"}, "http.text", "by `body` already"),
        ({"method": "POST", "text": "a", "form": {"a": "b"}}, "http.form", "by `text` already"),
        ({"body": {"a": 1}}, "http.body", "GET sends no body"),
        ({"method": "HEAD", "form": {}}, "http.form", "HEAD sends no body"),
        ({"expect": []}, "http.expect", ""),
        ({"expect": ["ok"]}, "http.expect", "2xx"),
        ({"expect": [100]}, "http.expect", "200"),
        ({"maxSize": "21MB"}, "http.maxSize", "from 1B to 20MB"),
        ({"maxSize": "0B"}, "http.maxSize", "from 1B to 20MB"),
        ({"timeout": "6m"}, "http.timeout", "at most 5m"),
        ({"timeout": "0s"}, "http.timeout", "longer than 0s"),
        ({"follow": True}, "http", "follow"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(config: dict[str, Any], where: str, says: str) -> None:
    found = problems(**config)
    assert len(found) == 1, found
    assert f".{where}" in found[0]
    assert says in found[0]


def test_everything_wrong_is_found_at_once() -> None:
    found = problems(body={}, headers={"Host": "x"}, timeout="1h")
    assert len(found) == 3


def test_every_property_of_the_schema_is_described() -> None:
    """Editors show it."""
    assert all("description" in value for value in KIND.schema["properties"].values())
