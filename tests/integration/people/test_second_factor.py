"""The second factor: switched on with a picture, asked for, good once, and what helps without the phone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pyotp

from tests.integration.people.browsing import PASSWORD, Tab
from tests.integration.people.conftest import Home
from tests.integration.people.test_invitations import emails, link_in
from tests.integration.people.test_signing_in import NEXT_PASSWORD, code_of, sql

CODE = re.compile(r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>")


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def code_at(secret: str, steps: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30 * steps))


async def switched_on(tab: Tab) -> tuple[str, str, list[str]]:
    """Set up an authenticator app; its secret, the code that was used for it, and the recovery codes."""
    asked = await tab.submit_to("/set-up", "/set-up/begin")
    found = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', asked.text)
    assert found is not None, asked.text
    secret = found[1].replace(" ", "")
    fields = {"_token": field(asked, "_token"), "sealed": field(asked, "sealed")}
    wrong = await tab.client.post("/set-up/confirm", data={**fields, "code": "000000"})
    assert wrong.status_code == 401
    used = code_at(secret)
    done = await tab.client.post("/set-up/confirm", data={**fields, "code": used})
    assert done.status_code == 200, done.text
    return secret, used, CODE.findall(done.text)


async def test_a_sign_in_asks_for_a_code_that_is_good_once(home: Home) -> None:
    secret, used, codes = await switched_on(await home.signed_in())
    assert len(set(codes)) == 10
    tab = home.tab()
    half = await tab.sign_in("anna@example.com", PASSWORD)
    assert half.headers["location"].startswith("/sign-in/code")
    # Half a sign-in is none.
    assert code_of(await tab.client.get("/me")) == "SESSION_OVER"
    # The code with which it was set up was used.
    assert (await tab.submit("/sign-in/code", code=used)).status_code == 401

    following = code_at(secret, 1)
    assert (await tab.submit("/sign-in/code", code=following)).status_code == 303
    assert (await tab.client.get("/me")).json()["session"]["factors"] == ["password", "totp"]

    other = home.tab()
    await other.sign_in("anna@example.com", PASSWORD)
    again = await other.submit("/sign-in/code", code=following)
    assert again.status_code == 401
    assert code_of(await other.client.get("/me")) == "SESSION_OVER"


async def test_a_recovery_code_helps_once(home: Home) -> None:
    _, _, codes = await switched_on(await home.signed_in())
    for code, status in ((codes[0].upper().replace("-", " "), 303), (codes[0], 401), (codes[1], 303)):
        tab = home.tab()
        await tab.sign_in("anna@example.com", PASSWORD)
        assert (await tab.submit("/sign-in/code", code=code)).status_code == status


async def test_codes_cannot_be_guessed(home: Home) -> None:
    _, _, codes = await switched_on(await home.signed_in())
    await sql(home, "DELETE FROM attempt_count")
    tab = home.tab()
    await tab.sign_in("anna@example.com", PASSWORD)
    statuses = [(await tab.submit("/sign-in/code", code="000000")).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert (await tab.submit("/sign-in/code", code=codes[0])).status_code == 429


async def test_whoever_may_resets_it_and_everything_of_the_person_ends(home: Home) -> None:
    tab = await home.signed_in()
    await switched_on(tab)
    reset = await home.product.api.post(f"/organizations/users/{home.owner.id}/reset-mfa")
    assert (reset.status_code, reset.json()["secondFactor"]) == (200, False)
    assert code_of(await tab.client.get("/me")) == "SESSION_OVER"
    assert (await home.tab().sign_in("anna@example.com", PASSWORD)).headers["location"] == "/app"


async def test_changing_it_needs_a_fresh_sign_in(home: Home) -> None:
    tab = await home.signed_in()
    await switched_on(tab)
    await sql(home, "UPDATE user_session SET authenticated_at = now() - interval '11 minutes'")
    page = await tab.client.get("/set-up")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?again&next=/set-up")
    assert (await tab.client.post("/set-up/off", data={})).headers["location"] == "/sign-in?again&next=/set-up"
    assert (await home.tab().sign_in("anna@example.com", PASSWORD)).headers["location"].startswith("/sign-in/code")


async def test_recovery_codes_and_the_apps_secret_are_not_kept_as_they_are(home: Home) -> None:
    secret, _, codes = await switched_on(await home.signed_in())
    connection = await asyncpg.connect(home.product.database_url)
    hashes = [row["code_hash"] for row in await connection.fetch("SELECT code_hash FROM recovery_code")]
    user = await connection.fetchval("SELECT app_user::text FROM app_user WHERE id = $1", home.owner.id)
    await connection.close()
    assert len(set(hashes)) == len(codes) == 10
    for code in codes:
        assert not any(code in kept or code.replace("-", "") in kept for kept in hashes)
    assert secret not in user


async def test_a_new_password_by_email_leaves_the_second_factor_in_place(home: Home) -> None:
    _, _, codes = await switched_on(await home.signed_in())
    await home.tab().submit("/forgot", email="anna@example.com")
    (email,) = await emails(home)
    tab = home.tab()
    reset = await tab.submit(link_in(email), password=NEXT_PASSWORD)
    assert reset.headers["location"].startswith("/sign-in/code")
    assert code_of(await tab.client.get("/me")) == "SESSION_OVER"
    again = home.tab()
    assert (await again.sign_in("anna@example.com", NEXT_PASSWORD)).headers["location"].startswith("/sign-in/code")
    assert (await again.submit("/sign-in/code", code=codes[0])).status_code == 303


async def test_the_audit_says_who_reset_whose_second_factor(home: Home) -> None:
    await switched_on(await home.signed_in())
    assert (await home.product.api.post(f"/organizations/users/{home.owner.id}/reset-mfa")).status_code == 200
    tab = await home.signed_in()
    answer = await tab.api("GET", "/audit", params={"of": "organization", "action": "resetUserFactors"})
    [entry] = answer.json()["data"]
    assert (entry["object"]["id"], entry["outcome"]) == (str(home.owner.id), "done")
    assert (entry["by"]["type"], entry["by"]["name"]) == ("key", "ops")
