"""The guarded client against real connections: where it goes, where it does not, and when it stops."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from passerelle.kit.outgoing import (
    AnswerTooLarge,
    OutgoingAnswer,
    OutgoingError,
    OutgoingRefused,
    OutgoingTimeout,
    OutgoingUnreachable,
    OutgoingUnreadable,
)
from passerelle.kit.outgoing.client import CONNECTIONS_EACH, OutgoingClient, Resolve
from passerelle.kit.outgoing.rules import EgressRules
from tests.integration.kit.outgoing.loopback import Behave, Connection, Server, answering, once, serving

HELLO = answering("HTTP/1.1 200 OK\nContent-Type: text/plain", b"hello")


def knowing(**names: Sequence[str]) -> Resolve:
    """A resolver that knows these names (with `_` for the dots) and no other."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        try:
            return names[host.replace(".", "_")]
        except KeyError:
            raise socket.gaierror(socket.EAI_NONAME, "not known") from None

    return resolve


@asynccontextmanager
async def client(allow: str = "127.0.0.1", **given: object) -> AsyncIterator[OutgoingClient]:
    opened = OutgoingClient(EgressRules.parse(allow), **given)  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        await opened.close()


async def ask(
    outgoing: OutgoingClient, url: str, method: str = "GET", *, seconds: float = 5.0, limit: int = 5_000_000
) -> OutgoingAnswer:
    return await outgoing.request(
        method, url, headers={"X-Test": "1"}, content=None, timeout_seconds=seconds, max_bytes=limit
    )


async def failing(behave: Behave, kind: type[OutgoingError], **given: object) -> tuple[Server, str]:
    """What the server saw, and the error's message, where a request to it must fail."""
    async with serving(behave) as server, client() as outgoing:
        with pytest.raises(kind) as error:
            await ask(outgoing, f"http://127.0.0.1:{server.port}/path?key=s3cret", **given)  # type: ignore[arg-type]
        assert f"http://127.0.0.1:{server.port} " in error.value.message
        assert "s3cret" not in error.value.message
        return server, error.value.message


async def test_an_answer_has_status_headers_and_body() -> None:
    head = "HTTP/1.1 207 Multi-Status\nX-One: a\nX-ONE: b\nContent-Type: text/plain"
    async with serving(answering(head, b"hello")) as server, client() as outgoing:
        answer = await ask(outgoing, f"http://127.0.0.1:{server.port}/a%2Fb?c=d")
    assert (answer.status, answer.body) == (207, b"hello")
    assert answer.headers["x-one"] == "a, b"
    assert server.heads[0].startswith(b"GET /a%2Fb?c=d HTTP/1.1\r\n")


async def test_a_body_is_sent_with_its_length_and_nothing_of_ours_added() -> None:
    got = bytearray()

    async def behave(connection: Connection) -> None:
        head = await connection.head()
        got.extend(head + await connection.reader.readexactly(4))
        await connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with serving(behave) as server, client() as outgoing:
        await outgoing.request(
            "PUT",
            f"http://127.0.0.1:{server.port}/",
            headers={"Host": "other.example", "X-Name": "Żółw"},
            content=b"data",
            timeout_seconds=5,
        )
    lines = bytes(got).split(b"\r\n")
    assert lines[0] == b"PUT / HTTP/1.1"
    assert lines[-1] == b"data"
    names = {line.split(b":")[0].lower() for line in lines[1:-2]}
    assert names == {b"host", b"x-name", b"accept", b"accept-encoding", b"content-length"}
    assert "X-Name: Żółw".encode() in lines


async def test_connections_are_used_again() -> None:
    async with serving(HELLO) as server, client() as outgoing:
        for _ in range(5):
            await ask(outgoing, f"http://127.0.0.1:{server.port}/")
    assert server.connections == 1


async def test_connections_to_one_host_are_bounded() -> None:
    async with serving(HELLO) as server, client() as outgoing:
        url = f"http://127.0.0.1:{server.port}/"
        await asyncio.gather(*(ask(outgoing, url, seconds=30) for _ in range(CONNECTIONS_EACH * 3)))
    assert server.connections <= CONNECTIONS_EACH


async def test_a_connection_that_the_server_closed_meanwhile_does_not_fail_the_next_request() -> None:
    async with serving(once(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as server, client() as outgoing:
        for _ in range(3):
            assert (await ask(outgoing, f"http://127.0.0.1:{server.port}/")).body == b"ok"
    assert server.connections == 3


@pytest.mark.parametrize("status", [b"200 OK", b"204 No Content", b"304 Not Modified"])
async def test_what_stands_behind_an_answer_is_not_taken_for_the_next(status: bytes) -> None:
    """Were it, whoever sends it would answer for others."""
    behind = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"
    behave = once(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n" + behind)
    async with serving(behave) as server, client() as outgoing:
        bodies = {(await ask(outgoing, f"http://127.0.0.1:{server.port}/")).body for _ in range(3)}
    assert (bodies, server.connections) == ({b""}, 3)


async def test_cookies_are_not_carried_to_the_next_request() -> None:
    """One client serves every workspace."""
    behave = answering("HTTP/1.1 200 OK\nSet-Cookie: session=s3cret; Path=/")
    async with serving(behave) as server, client() as outgoing:
        for _ in range(2):
            await ask(outgoing, f"http://127.0.0.1:{server.port}/")
    assert b"s3cret" not in server.heads[1]


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(HELLO) as proxy, serving(HELLO) as server, client() as outgoing:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await ask(outgoing, f"http://127.0.0.1:{server.port}/")
    assert (proxy.connections, server.connections) == (0, 1)


# Where it does not go


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "127.0.0.2",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "127.1",
    ],
)
async def test_this_machine_and_its_network_are_not_reached(host: str) -> None:
    async with serving(HELLO) as server, client(allow="") as outgoing:
        with pytest.raises(OutgoingRefused):
            await ask(outgoing, f"http://{host}:{server.port}/")
    assert server.connections == 0


async def test_the_refusal_says_what_the_operator_can_do() -> None:
    async with client(allow="") as outgoing:
        with pytest.raises(OutgoingRefused, match=r"127\.0\.0\.1:8090 to PASSERELLE_EGRESS_ALLOW"):
            await ask(outgoing, "http://127.0.0.1:8090/secret?key=secret")


async def test_a_name_that_resolves_to_a_private_address_is_refused_without_showing_it() -> None:
    async with client(allow="", resolve=knowing(evil_example=["10.1.2.3", "::1"])) as outgoing:
        with pytest.raises(OutgoingRefused, match=r"evil\.example") as error:
            await ask(outgoing, "http://evil.example/")
    assert "10.1.2.3" not in error.value.message


async def test_only_the_allowed_ones_of_several_addresses_are_used() -> None:
    async with serving(HELLO) as server:
        names = knowing(mixed_example=["10.9.9.9", "127.0.0.1"])
        async with client(allow="127.0.0.1", resolve=names) as outgoing:
            assert (await ask(outgoing, f"http://mixed.example:{server.port}/")).body == b"hello"


async def test_a_name_that_changes_its_address_after_the_check_gains_nothing() -> None:
    """Rebinding: the first answer may be reached, the later ones may not. The connection goes to the first."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers)

    async with serving(HELLO) as server, client(allow="127.0.0.2", resolve=resolve) as outgoing:
        url = f"http://rebind.example:{server.port}/"
        with pytest.raises(OutgoingUnreachable):
            await ask(outgoing, url)
        assert asked == ["rebind.example"]
        with pytest.raises(OutgoingRefused):
            await ask(outgoing, url)
    assert server.connections == 0


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with serving(HELLO) as inner:
        moved = answering(f"HTTP/1.1 302 Found\nLocation: http://127.0.0.1:{inner.port}/")
        async with serving(moved) as outer, client() as outgoing:
            answer = await ask(outgoing, f"http://127.0.0.1:{outer.port}/")
    assert answer.status == 302
    assert answer.headers["location"].endswith(f":{inner.port}/")
    assert inner.connections == 0


@pytest.mark.parametrize(
    ("allow", "host", "passes"),
    [
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.0/8", "registry.test", True),
        ("127.0.0.1", "registry.test", True),
        ("registry.test", "registry.test", True),
        ("registry.test", "REGISTRY.test.", True),
        ("registry.test", "127.0.0.1", False),
        ("registry.test", "other.test", False),
        ("registry.test:{port}", "registry.test", True),
        ("registry.test:1", "registry.test", False),
        ("127.0.0.1:{port}", "127.0.0.1", True),
        ("127.0.0.1:1", "127.0.0.1", False),
        ("10.0.0.0/8", "127.0.0.1", False),
    ],
)
async def test_the_operator_allows_networks_names_and_ports(allow: str, host: str, passes: bool) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with serving(HELLO) as server, client(allow.format(port=server.port), resolve=resolve) as outgoing:
        url = f"http://{host}:{server.port}/"
        if passes:
            assert (await ask(outgoing, url)).body == b"hello"
        else:
            with pytest.raises(OutgoingRefused):
                await ask(outgoing, url)
    assert server.connections == int(passes)


async def test_a_connection_for_one_name_is_not_used_for_another() -> None:
    """A kept connection must not carry requests past the check."""
    async with serving(HELLO) as server:
        names = knowing(good_test=["127.0.0.1"], evil_test=["127.0.0.1"])
        async with client("good.test", resolve=names) as outgoing:
            await ask(outgoing, f"http://good.test:{server.port}/")
            for host in ("evil.test", "127.0.0.1"):
                with pytest.raises(OutgoingRefused):
                    await ask(outgoing, f"http://{host}:{server.port}/")


@pytest.mark.parametrize("host", ["nowhere.example", "a" * 64 + ".example"])
async def test_a_name_that_nobody_knows_is_named(host: str) -> None:
    async with client() as outgoing:
        with pytest.raises(OutgoingUnreachable, match=f"The name {host} was not found"):
            await ask(outgoing, f"http://{host}/")


# When it stops


async def forever(connection: Connection) -> None:
    await connection.head()
    await connection.reader.read()


async def dripping(connection: Connection) -> None:
    """Every byte comes soon enough for a limit on single reads."""
    await connection.head()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        await connection.send(b"x")
        await asyncio.sleep(0.02)


async def dripping_head(connection: Connection) -> None:
    await connection.head()
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000:
        await connection.send(bytes([byte]))
        await asyncio.sleep(0.02)


async def only_hints(connection: Connection) -> None:
    await connection.head()
    while True:
        await connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await asyncio.sleep(0.02)


async def silent(connection: Connection) -> None:
    await connection.reader.read(1)
    await asyncio.Event().wait()


@pytest.mark.parametrize("behave", [forever, dripping_head, only_hints, silent])
async def test_whoever_takes_too_long_is_cut_at_the_deadline(behave: Behave) -> None:
    begun = time.monotonic()
    _, message = await failing(behave, OutgoingTimeout, seconds=0.2)
    assert time.monotonic() - begun < 2
    assert "within 0.2 s" in message


async def test_a_body_that_nobody_reads_is_cut_at_the_deadline() -> None:
    async with serving(silent) as server, client() as outgoing:
        with pytest.raises(OutgoingTimeout):
            await outgoing.request(
                "POST",
                f"http://127.0.0.1:{server.port}/",
                headers={},
                content=b"x" * 50_000_000,
                timeout_seconds=0.2,
            )


async def test_a_resolver_that_hangs_is_cut_at_the_deadline() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with client(resolve=resolve) as outgoing:
        with pytest.raises(OutgoingTimeout):
            await ask(outgoing, "http://slow.example/", seconds=0.1)


async def test_the_client_is_as_good_as_new_after_many_deadlines() -> None:
    """Requests that were cut must give their places in the pool back."""
    async with serving(forever) as slow, serving(HELLO) as server, client() as outgoing:
        url = f"http://127.0.0.1:{slow.port}/"
        asked = [ask(outgoing, url, seconds=0.2) for _ in range(CONNECTIONS_EACH * 5)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {OutgoingTimeout}
        assert (await ask(outgoing, f"http://127.0.0.1:{server.port}/")).body == b"hello"


async def endless(connection: Connection) -> None:
    """1 GB, announced or not."""
    await connection.head()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1_000):
        await connection.send(b"x" * 1_000_000)


async def endless_chunks(connection: Connection) -> None:
    await connection.head()
    await connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"%x\r\n" % 1_000_000 + b"x" * 1_000_000 + b"\r\n"
    for _ in range(1_000):
        await connection.send(chunk)


@pytest.mark.parametrize("behave", [endless, endless_chunks])
async def test_an_answer_of_a_gigabyte_is_cut_early(behave: Behave) -> None:
    tracemalloc.start()
    try:
        server, message = await failing(behave, AnswerTooLarge, limit=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "more than 1,000,000 bytes" in message
    assert server.sent < 20_000_000
    assert peak < 20_000_000


async def test_a_compression_bomb_is_cut_early() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    await failing(answering("HTTP/1.1 200 OK\nContent-Encoding: gzip", bomb), AnswerTooLarge, limit=1_000_000)


async def test_a_compressed_answer_is_decoded() -> None:
    behave = answering("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b"hello"))
    async with serving(behave) as server, client() as outgoing:
        assert (await ask(outgoing, f"http://127.0.0.1:{server.port}/")).body == b"hello"
    assert b"Accept-Encoding: gzip\r\n" in server.heads[0]


async def test_head_has_no_body_whatever_its_headers_say() -> None:
    behave = once(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\nContent-Encoding: gzip\r\n\r\n")
    async with serving(behave) as server, client() as outgoing:
        assert (await ask(outgoing, f"http://127.0.0.1:{server.port}/", "HEAD")).body == b""


# What is not an answer


async def reset(connection: Connection) -> None:
    await connection.head()
    lingering = struct.pack("ii", 1, 0)
    connection.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingering)


LONG = b"x" * 400_000


@pytest.mark.parametrize(
    ("behave", "says"),
    [(reset, "reset the connection before it had answered"), (once(), "without an answer")],
)
async def test_broken_connections_are_named(behave: Behave, says: str) -> None:
    _, message = await failing(behave, OutgoingUnreachable)
    assert says in message


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "before its answer was complete"),
        (once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"), "before its answer was complete"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Le"), "answered 200, but closed the connection within the headers"),
        (dripping, "not complete within 3 s"),
        (once(b"SSH-2.0-OpenSSH_9.2\r\n"), "not HTTP"),
        (once(b"HTTP/1.1 abc OK\r\n\r\n"), "not HTTP"),
        (once(b"HTTP/1.1 200 OK\r\nX\x00Y: 1\r\n\r\n"), "has a header"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"), "has a header"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "has a header"),
        (once(b"HTTP/1.1 200 OK\r\nX: " + LONG + b"\r\n\r\n"), "has a header"),
        (once(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_001 + b"\r\n"), "has a header"),
        (once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "answered 200, but its body"),
        (once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n"), "answered 200, but its body"),
        (once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", b"z"), "answered 200, but its body"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x01"), "gzip"),
        (once(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"), "content encoding"),
    ],
)
async def test_an_answer_that_cannot_be_read_is_no_broken_connection(behave: Behave, says: str) -> None:
    _, message = await failing(behave, OutgoingUnreadable, seconds=3)
    assert says in message


async def test_nobody_listening_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with client() as outgoing:
            with pytest.raises(OutgoingUnreachable, match="refused"):
                await ask(outgoing, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x01",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokxxxx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nxxxx",
    ],
)
async def test_where_the_status_counts_nothing_else_of_the_answer_does(sent: bytes) -> None:
    """As for webhooks: whoever answers 200 has got it, whatever follows."""
    async with serving(once(sent)) as server, client() as outgoing:
        answer = await outgoing.request_status(
            "POST", f"http://127.0.0.1:{server.port}/", headers={}, content=b"x", timeout_seconds=5, max_bytes=100
        )
    assert answer.status == 200
