"""What lives under a path of a host: the prefix is taken off what comes in and put on what goes out."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from passerelle.app.settings import SettingsError, load
from passerelle.kit.http.prefix import PathPrefix, path_of, strict_cookie

PAGE = (
    '<link rel="stylesheet" href="/assets/a.css"><form action="/l/x/start" data-start="/l/x/challenge">'
    '<a href="//cdn.example/x">b</a><a href="https://other.example/">c</a><p data-source="/name">a="/b"</p>'
)
FOUND = (
    '<link rel="stylesheet" href="/in/here/assets/a.css"><form action="/in/here/l/x/start" '
    'data-start="/in/here/l/x/challenge"><a href="//cdn.example/x">b</a><a href="https://other.example/">c</a>'
    '<p data-source="/name">a="/b"</p>'
)


def client(prefix: str) -> httpx.AsyncClient:
    app = FastAPI()

    @app.api_route("/page", methods=["GET", "HEAD"])
    async def page(request: Request) -> Response:
        response = Response(PAGE, media_type="text/html; charset=utf-8")
        response.set_cookie("a", "b", path="/x/1")
        response.set_cookie("c", "d")
        response.headers["Link"] = '</workflows>; rel="successor-version", <https://x.example/>; rel="deprecation"'
        response.headers["Seen"] = request.headers.get("accept-encoding", "none")
        return response

    @app.get("/")
    async def root() -> Response:
        return RedirectResponse("/page", 303)

    @app.get("/data")
    async def data() -> dict[str, str]:
        return {"href": ' href="/x"'}

    return httpx.AsyncClient(transport=httpx.ASGITransport(PathPrefix(app, prefix)), base_url="http://x.example")


@pytest.mark.parametrize("path", ["/in/here/page", "/page"])
async def test_pages_cookies_and_links_have_the_prefix_whether_the_proxy_takes_it_off_or_not(path: str) -> None:
    async with client("/in/here") as api:
        answer = await api.get(path)
        assert answer.text == FOUND
        assert answer.headers.get_list("set-cookie") == [
            "a=b; Path=/in/here/x/1; SameSite=lax", "c=d; Path=/in/here/; SameSite=lax",
        ]  # fmt: skip
        assert answer.headers["link"].startswith("</in/here/workflows>; ")
        assert "<https://x.example/>" in answer.headers["link"]
        assert int(answer.headers["content-length"]) == len(FOUND)
        assert answer.headers["seen"] == "none", "a page that is compressed could not be read again"


async def test_redirects_have_it_and_data_is_left_alone() -> None:
    async with client("/in/here") as api:
        for path in ("/in/here", "/in/here/", "/"):
            assert (await api.get(path)).headers["location"] == "/in/here/page"
        assert (await api.get("/in/here/data")).json() == {"href": ' href="/x"'}
        assert (await api.get("/in/hereabouts/data")).status_code == 404
        assert (await api.head("/in/here/page")).status_code == 200


async def test_without_a_prefix_nothing_is_touched() -> None:
    async with client("") as api:
        assert (await api.get("/page")).text == PAGE


def test_the_prefix_is_the_path_of_the_public_address() -> None:
    assert path_of("https://example.com") == path_of("https://example.com/") == ""
    assert path_of(load(public_url="https://example.com/in/here/").public_url or "") == "/in/here"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"public_url": "example.com/x"}, "must look like https://example.com"),
        ({"public_url": "https://example.com/?a=b"}, "must look like https://example.com"),
        ({"trusted_proxies": "10.0.0.0/8, proxy.internal"}, "PASSERELLE_TRUSTED_PROXIES"),
        ({"database_url": "mysql://a:b@h/x"}, "PASSERELLE_DATABASE_URL: must begin with postgresql://"),
    ],
)
def test_a_wrong_address_is_told_at_the_start(given: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(**given)


def test_proxies_are_addresses_and_networks() -> None:
    assert load(trusted_proxies="10.0.0.0/8, ::1,").proxies == ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("public_url", "name"),
    [
        ("https://example.com", "__Host-a"),
        ("https://example.com/in/here", "__Secure-a"),
        ("http://localhost:8080", "a"),
    ],
)
def test_a_cookie_has_the_strictest_name_that_browsers_take(public_url: str, name: str) -> None:
    assert strict_cookie("a", public_url) == name
