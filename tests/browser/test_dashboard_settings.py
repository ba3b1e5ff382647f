"""Settings in the dashboard: keys, members, secrets and one's own account, as an administrator uses them."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
from playwright.async_api import Page, Route, expect

from tests.acceptance.running import Dev
from tests.browser.browsing import Browse, accessible
from tests.browser.signing_in import at_work, signed_in

STEP_UP = {"fingerprint": "f", "errors": [{"code": "STEP_UP_REQUIRED", "message": "prove who you are"}]}


async def test_a_key_is_made_shown_once_used_and_revoked(browse: Browse, dev: Dev) -> None:
    name = f"crm {uuid4().hex[:6]}"
    page = await at_work(browse, dev, "/app/settings/keys")
    made = await _made_key(page, name)
    await accessible(page)
    await page.get_by_role("button", name="I have copied both").click()
    await expect(page.get_by_text(made["secret"])).to_have_count(0)
    row = page.locator("tbody tr").filter(has_text=name)
    await expect(row).to_contain_text("1 permission")
    token = await asyncio.to_thread(_authorize, dev, made)
    assert token.status_code == 200
    bearer = {"Authorization": f"Bearer {token.json()['accessToken']}", "Accept": "application/json;version=2"}
    assert (await asyncio.to_thread(_get, dev, "/tables", bearer)).status_code == 200
    await row.get_by_role("button", name=f"Revoke {name}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_have_count(0)
    assert (await asyncio.to_thread(_authorize, dev, made)).status_code == 401


async def test_where_a_fresh_proof_is_wanted_the_password_is_asked_for_and_the_change_goes_on(
    browse: Browse, dev: Dev
) -> None:
    page = await at_work(browse, dev, "/app/settings/secrets")
    browse.watched(page).refusals_expected = True
    name = f"TOKEN_{uuid4().hex[:6].upper()}"

    async def refuse(route: Route) -> None:
        await route.fulfill(status=403, json=STEP_UP)

    await page.route(f"**/secrets/{name}", refuse, times=1)
    await page.get_by_role("button", name="New secret").click()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Value", exact=True).fill("s3cret value")
    await page.get_by_role("button", name="Write").click()
    password = page.get_by_label("Your password", exact=True)
    await password.fill("not it at all")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("SIGN_IN_FAILED")).to_be_visible()
    await accessible(page)
    await password.fill(dev.demo["user"]["password"])
    await page.get_by_role("button", name="Go on").click()
    row = page.locator("tbody tr").filter(has_text=name)
    await expect(row).to_have_count(1)
    assert "s3cret value" not in await page.content()
    await row.get_by_role("button", name=f"Delete {name}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)


async def test_somebody_is_invited_the_email_sent_again_and_the_invitation_withdrawn(browse: Browse, dev: Dev) -> None:
    email = f"{uuid4().hex[:8]}@example.com"
    page = await at_work(browse, dev, "/app/settings/invitations")
    await page.get_by_role("button", name="Invite", exact=True).click()
    send = page.get_by_role("button", name="Send invitation")
    await expect(send).to_have_attribute("aria-disabled", "true")
    await page.get_by_role("textbox", name="E-mail address").fill(email)
    await page.get_by_role("radio", name="Reviewer").check()
    await accessible(page)
    await send.click()
    row = page.locator("tbody tr").filter(has_text=email)
    await expect(row).to_contain_text("Member")
    await row.get_by_role("button", name=f"Send the invitation of {email} again").click()
    await expect(page.get_by_text(f"Sent again to {email}.")).to_be_visible()
    await row.get_by_role("button", name=f"Withdraw the invitation of {email}").click()
    await page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    await expect(row).to_have_count(0)
    await page.get_by_role("combobox", name="Which invitations are shown").click()
    await page.get_by_role("option", name="Withdrawn").click()
    await expect(row).to_have_count(1)
    assert "invitations=CANCELLED" in page.url


async def test_nobody_locks_themselves_out(browse: Browse, dev: Dev) -> None:
    page = await at_work(browse, dev, "/app/settings/members")
    row = page.locator("tbody tr").filter(has_text=dev.demo["user"]["email"])
    deactivate = row.get_by_role("button", name="Deactivate")
    await expect(deactivate).to_have_attribute("aria-disabled", "true")
    await expect(deactivate).to_have_accessible_description("This is you: somebody else has to do this.")


async def test_the_account_is_changed_and_another_session_ended(browse: Browse, dev: Dev) -> None:
    await signed_in(browse, dev, "/app/settings/account")
    page = await signed_in(browse, dev, "/app/settings/account")
    name = page.get_by_label("Last name", exact=True)
    before = await name.input_value()
    await name.fill("<b>Nowak</b>")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Your account is saved.")).to_be_visible()
    await page.reload()
    await expect(name).to_have_value("<b>Nowak</b>")
    await name.fill(before)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Your account is saved.")).to_be_visible()
    sessions = page.locator("section").filter(has=page.get_by_role("heading", name="Where you are signed in"))
    await expect(sessions.get_by_text("This browser")).to_have_count(1)
    others = sessions.get_by_role("button", name="End", exact=True)
    there = await others.count()
    assert there > 0
    await others.first.click()
    await expect(others).to_have_count(there - 1)


async def _made_key(page: Page, name: str) -> dict[str, str]:
    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name", exact=True).fill(name)
    make = page.get_by_role("button", name="Make key")
    await expect(make).to_have_attribute("aria-disabled", "true")
    await page.get_by_role("checkbox", name="can_view_workspace").check()
    await make.click()
    shown = page.locator("[data-shown]")
    await expect(shown).to_have_count(2)
    key, secret = await shown.all_inner_texts()
    return {"key": key, "secret": secret}


def _authorize(dev: Dev, made: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{dev.demo['baseUrl']}/auth/authorize", json=made)


def _get(dev: Dev, path: str, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(f"{dev.demo['baseUrl']}{path}", headers=headers)
