"""`/theme` over HTTP: set, shown, loaded by pages; logos by content; another workspace's stays its own."""

from __future__ import annotations

import asyncio
import struct
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from passerelle.app.services import Services
from passerelle.kit.mail import Message
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.encoding import encoded
from passerelle.kit.mail.fake import FakeMail
from passerelle.themes.brand import BrandedMail
from tests.integration.secrets.product import Product, joined, opened


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining


def png(width: int = 120, height: int = 40) -> bytes:
    """A real, plain image."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress((b"\0" + b"\x2d\x56\xc9" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def data_url(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def wrong(answer: httpx.Response) -> list[tuple[str, str | None]]:
    assert answer.status_code == 400, answer.text
    return [(error["code"], error.get("pointer")) for error in answer.json()["errors"]]


async def test_without_a_theme_the_workspaces_name_and_our_colours_are_shown(product: Product) -> None:
    theme = (await product.api.get("/theme")).json()
    assert theme["name"] == "test"
    assert theme["logo"] is None
    assert theme["allowedOrigins"] == []
    assert theme["updatedDate"] is None
    assert theme["colours"]["light"]["surface"] == "#ffffff"


async def test_a_theme_is_set_shown_and_loaded_without_credentials(product: Product) -> None:
    before = (await product.services.shared.themes.of(product.workspace_id)).stylesheet
    body: dict[str, Any] = {
        "name": "Acme",
        "logo": data_url(png()),
        "font": "serif",
        "colours": {"light": {"accent": "#7A1FA2"}},
        "allowedOrigins": ["https://app.example.com/", "http://localhost:*"],
        "redirectTargets": ["https://app.example.com/welcome/"],
    }
    shown = (await product.api.put("/theme", json=body)).json()
    assert shown["colours"]["light"]["accent"] == "#7a1fa2"
    assert shown["allowedOrigins"] == ["https://app.example.com", "http://localhost:*"]
    assert shown["redirectTargets"] == ["https://app.example.com/welcome"]
    assert shown["updatedBy"] == "ops"
    assert (await product.api.get("/theme")).json() == shown
    theme = await product.services.shared.themes.of(product.workspace_id)
    anyone: dict[str, Any] = {"headers": {"Authorization": ""}}
    css = await product.api.get(theme.stylesheet, **anyone)
    assert "--accent:#7a1fa2" in css.text
    assert css.headers["content-type"].startswith("text/css")
    assert "immutable" in css.headers["cache-control"]
    assert "immutable" not in (await product.api.get(before, **anyone)).headers["cache-control"]
    logo = await product.api.get(shown["logo"], **anyone)
    assert (logo.content, logo.headers["content-type"]) == (png(), "image/png")
    assert theme.logo is not None
    assert (theme.logo.width, theme.logo.height) == (120, 40)


async def test_what_get_shows_can_be_put_back_and_keeps_the_logo(product: Product) -> None:
    await product.api.put("/theme", json={"logo": data_url(png()), "colours": {"dark": {"accent": "#ffd54f"}}})
    shown = (await product.api.get("/theme")).json()
    body = {name: value for name, value in shown.items() if name not in ("updatedDate", "updatedBy")}
    again = (await product.api.put("/theme", json=body)).json()
    assert {**again, "updatedDate": None, "version": 2} == {**shown, "updatedDate": None, "version": 2}
    assert (await product.api.put("/theme", json={})).json()["logo"] is None


@pytest.mark.parametrize(
    ("logo", "says"),
    [
        (data_url(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "svg+xml"), "SVG"),
        (data_url(b"<svg onload=alert(1)>", "png"), "SVG"),
        (data_url(b"GIF89a" + b"\0" * 20), "not PNG"),
        (data_url(b"\x89PNG\r\n\x1a\n"), "broken"),
        (data_url(b"\xff\xd8\xff" + b"\0" * 50), "broken"),
        (data_url(png(2001, 1)), "pixels"),
        (data_url(png() + b"\0" * 30_000), "30,000"),
        ("data:image/png;base64,!!!", "data URL"),
        ("https://elsewhere.example/logo.png", "data URL"),
        ("/themes/x/y.png", "data URL"),
        ("", "data URL"),
    ],
)
async def test_a_logo_that_is_none_is_refused_by_its_content(product: Product, logo: str, says: str) -> None:
    answer = await product.api.put("/theme", json={"logo": logo})
    assert wrong(answer) == [("LOGO_INVALID", "/logo")]
    assert says in answer.json()["errors"][0]["message"]


async def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_set(product: Product) -> None:
    body = {"colours": {"light": {"accent": "#ffcc00"}, "dark": {"text": "#222222"}}, "logo": data_url(b"x")}
    found = wrong(await product.api.put("/theme", json=body))
    assert {pointer for _, pointer in found} == {"/colours/light/accent", "/colours/dark/text", "/logo"}
    body = {"colour": {}, "font": "comic", "allowedOrigins": ["*"], "redirectTargets": ["/x"], "name": ""}
    found = wrong(await product.api.put("/theme", json=body))
    pointers = {pointer for _, pointer in found}
    assert pointers == {"/colour", "/font", "/allowedOrigins/0", "/redirectTargets/0", "/name"}
    assert (await product.api.get("/theme")).json()["updatedDate"] is None


async def test_another_workspace_sees_and_changes_only_its_own(product: Product) -> None:
    await product.api.put("/theme", json={"name": "Acme", "logo": data_url(png())})
    shown = (await product.api.get("/theme")).json()
    assert (await product.stranger.get("/theme")).json()["name"] == "test"
    refused = await product.stranger.put("/theme", json={"logo": shown["logo"]})
    assert wrong(refused) == [("LOGO_INVALID", "/logo")]
    await product.stranger.put("/theme", json={"name": "Other"})
    assert (await product.api.get("/theme")).json() == shown


async def test_files_that_are_not_there_are_404_and_a_theme_needs_credentials(product: Product) -> None:
    anyone = {"Authorization": ""}
    assert (await product.api.get("/theme", headers=anyone)).status_code == 401
    assert (await product.api.put("/theme", json={}, headers=anyone)).status_code == 401
    missing = await product.api.get(f"/themes/{product.workspace_id}/{'0' * 16}.png", headers=anyone)
    assert missing.status_code == 404


async def test_a_change_is_seen_at_once_here_and_within_seconds_elsewhere(product: Product) -> None:
    """Another process keeps what it read for a moment; its clock is moved past that."""
    from passerelle.kit.memory import AGE, Memory
    from passerelle.themes.repository import ThemeRepository
    from passerelle.themes.service import Themes

    now = [0.0]
    elsewhere = Themes(ThemeRepository(product.services.shared.database), memory=Memory(lambda: now[0]))
    assert (await elsewhere.of(product.workspace_id)).name == "test"
    await product.api.put("/theme", json={"name": "Acme"})
    assert (await product.services.shared.themes.of(product.workspace_id)).name == "Acme"
    assert (await elsewhere.of(product.workspace_id)).name == "test"
    now[0] += AGE
    assert (await elsewhere.of(product.workspace_id)).name == "Acme"


FONT = b"wOF2" + b"\0" * 400


async def test_a_brand_is_set_shown_and_kept(product: Product) -> None:
    """Whom messages come from, notices, contact, time zone, icon, dark logo and a font of one's own."""
    body: dict[str, Any] = {
        "logo": data_url(png()),
        "darkLogo": data_url(png(60, 20)),
        "favicon": data_url(png(32, 32)),
        "fontFile": f"data:font/woff2;base64,{b64encode(FONT).decode()}",
        "scheme": "dark",
        "notices": {"privacy": "https://example.com/privacy", "imprint": "https://example.com/imprint"},
        "contact": "help@example.com",
        "sender": {"name": "Acme Bank", "address": "hello@localhost", "replyTo": "desk@example.org"},
        "timeZone": "Europe/Warsaw",
    }
    answer = await product.api.put("/theme", json=body)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    for name in ("scheme", "contact", "sender", "timeZone"):
        assert shown[name] == body[name]
    assert shown["notices"] == {**body["notices"], "support": None}
    for name, kind, content in (
        ("darkLogo", "image/png", png(60, 20)),
        ("favicon", "image/png", png(32, 32)),
        ("fontFile", "font/woff2", FONT),
    ):
        path = shown[name].removeprefix(str(product.api.base_url).rstrip("/"))
        loaded = await product.api.get(path[path.index("/themes/") :], headers={"Authorization": ""})
        assert (loaded.status_code, loaded.headers["content-type"], loaded.content) == (200, kind, content)
    css = await product.services.shared.themes.css(product.workspace_id)
    assert "color-scheme:dark" in css
    assert "@media" not in css
    assert "@font-face" in css
    kept = {name: value for name, value in shown.items() if name not in ("updatedDate", "updatedBy")}
    again = (await product.api.put("/theme", json=kept)).json()
    assert {**again, "updatedDate": None, "version": 2} == {**shown, "updatedDate": None, "version": 2}
    assert (await product.api.put("/theme", json={})).json()["favicon"] is None


async def test_what_is_wrong_with_a_brand_is_told_by_name(product: Product) -> None:
    for body, code, pointer in (
        ({"sender": {"address": "ceo@bank.example"}}, "SENDER_NOT_ALLOWED", "/sender/address"),
        ({"fontFile": data_url(png())}, "LOGO_INVALID", "/fontFile"),
        ({"favicon": "https://example.com/x.png"}, "LOGO_INVALID", "/favicon"),
        ({"timeZone": "Europe/Atlantis"}, "FIELD_INVALID", "/timeZone"),
        ({"notices": {"privacy": "javascript:alert(1)"}}, "FIELD_INVALID", "/notices/privacy"),
        ({"sender": {"name": "A <b@c.example>"}}, "FIELD_INVALID", "/sender/name"),
    ):
        assert (code, pointer) in wrong(await product.api.put("/theme", json=body)), body


async def test_messages_of_a_workspace_come_from_its_own_sender(product: Product) -> None:
    mail = FakeMail()
    await product.api.put("/theme", json={"sender": {"name": "Acme", "replyTo": "desk@example.org"}})
    branded = BrandedMail(mail, product.services.shared.themes)
    to = (MailAddress.parse("ada@example.com"),)
    now = datetime(2026, 1, 5, tzinfo=UTC)
    await branded.send(Message("a", now, to, "Hello", "Hello", workspace_id=product.workspace_id))
    (message,) = mail.sent
    assert b"From: Acme <no-reply@passerelle.test>" in encoded(message, mail.sender).replace(b'"', b"")
    assert b"Reply-To: desk@example.org" in encoded(message, mail.sender)
    await branded.send(Message("b", now, to, "Hello", "Hello"))
    assert mail.sent[1].sender is None


async def test_whoever_changes_an_older_theme_is_told_whose_it_would_undo(product: Product) -> None:
    first = (await product.api.put("/theme", json={"name": "One", "version": 0})).json()
    assert first["version"] == 1
    second = await product.api.put("/theme", json={"name": "Two", "version": 1})
    assert (second.status_code, second.json()["version"]) == (200, 2)
    refused = await product.api.put("/theme", json={"name": "Three", "version": 1})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "THEME_CHANGED")
    assert "version 2" in refused.json()["errors"][0]["message"]
    assert (await product.api.get("/theme")).json()["name"] == "Two"
    assert (await product.api.put("/theme", json={"name": "Four"})).json()["version"] == 3


async def test_of_two_that_have_seen_the_same_theme_one_sets_it(product: Product) -> None:
    bodies = [{"name": f"n{number}", "version": 0} for number in range(4)]
    answers = await asyncio.gather(*(product.api.put("/theme", json=body) for body in bodies))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
