"""The page of the dashboard and its files: what comes with them, and what does when nothing is built."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from passerelle.dashboard.endpoints import router
from passerelle.kit.http import errors


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<meta nonce="%NONCE%"><script type="module" src="/app/assets/a.js"></script>')
    (tmp_path / "assets" / "a.js").write_text("let a")
    (tmp_path / "assets" / "a.js.br").write_bytes(b"br")
    (tmp_path / "assets" / "a.js.gz").write_bytes(b"gz")
    (tmp_path / "scheme.js").write_text("let b")
    return tmp_path


def client(folder: Path) -> httpx.AsyncClient:
    app = FastAPI()
    errors.install(app)
    app.include_router(router(folder))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://passerelle.test")


@pytest.mark.parametrize("path", ["/app", "/app/", "/app/executions/0198?status=FAILED", "/app/index.html"])
async def test_every_address_is_the_page_with_a_policy_of_its_own(built: Path, path: str) -> None:
    first, second = await client(built).get(path), await client(built).get(path)
    nonce = re.search('nonce="([^"]+)"', first.text)
    assert first.status_code == 200
    assert nonce is not None
    assert f"'nonce-{nonce[1]}'" in first.headers["content-security-policy"]
    assert first.text != second.text, "a nonce is used once"
    assert first.headers["cache-control"] == "no-store"


async def test_no_script_but_its_own_can_run_and_nobody_can_frame_it(built: Path) -> None:
    policy = (await client(built).get("/app")).headers["content-security-policy"]
    rules = dict(one.strip().split(" ", 1) for one in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


@pytest.mark.parametrize(("accepts", "sent"), [("gzip, br", b"br"), ("gzip", b"gz"), ("identity", b"let a")])
async def test_files_are_compressed_beforehand_and_kept_for_good(built: Path, accepts: str, sent: bytes) -> None:
    async with client(built).stream("GET", "/app/assets/a.js", headers={"Accept-Encoding": accepts}) as answer:
        assert b"".join([part async for part in answer.aiter_raw()]) == sent
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_file_whose_name_does_not_change_is_asked_for_each_time(built: Path) -> None:
    assert (await client(built).get("/app/scheme.js")).headers["cache-control"] == "no-cache"


async def test_a_build_beside_a_running_server_is_served_at_once(built: Path) -> None:
    assert (await client(built).get("/app/assets/b.js")).status_code == 404
    (built / "assets" / "a.js").unlink()
    (built / "assets" / "b.js").write_text("let b")
    assert (await client(built).get("/app/assets/b.js")).text == "let b"
    assert (await client(built).get("/app/assets/a.js")).status_code == 404


@pytest.mark.parametrize("path", ["/app/assets/old.js", "/app/assets/../index.html", "/app/assets/%2e%2e/secret"])
async def test_a_file_that_is_not_there_is_not_answered_with_the_page(built: Path, path: str) -> None:
    answer = await client(built).get(path)
    assert answer.status_code == 404 or "nonce" in answer.text
    assert "javascript" not in answer.headers["content-type"]


async def test_nothing_outside_of_the_folder_is_served(built: Path) -> None:
    (built.parent / "secret.txt").write_text("secret")
    for path in ("/app/../secret.txt", "/app/%2e%2e/secret.txt", "/app/..%2fsecret.txt", "/app//etc/passwd"):
        assert "secret" not in (await client(built).get(path)).text
        assert "root:" not in (await client(built).get(path)).text


async def test_without_built_files_the_page_says_how_to_build_them(tmp_path: Path) -> None:
    answer = await client(tmp_path).get("/app/executions")
    assert answer.status_code == 503
    assert "make web" in answer.text
