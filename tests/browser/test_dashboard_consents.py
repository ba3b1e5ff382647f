"""Consents in the dashboard: what somebody has really read, and how far it is proved who that was."""

from __future__ import annotations

from playwright.async_api import expect

from tests.acceptance.running import Dev, pushed
from tests.browser.browsing import PHONE, Browse, accessible
from tests.browser.signing_in import at_work
from tests.browser.visiting import at, go_on, made_link, named

AGREED = """
name: agreed-in-polish
title: Agreed
steps:
  - id: you
    form:
      title: {en: You, pl: O Tobie}
      schema: {type: object, required: [name], properties: {name: {type: string, title: {en: Name, pl: Nazwa}, pii: identity}}}
  - id: terms
    consent:
      title: {en: Consent, pl: Zgoda}
      text: {en: "I agree that ${steps.you.name} checks me.", pl: "Zgadzam się, aby firma ${steps.you.name} mnie sprawdziła."}
      version: "3"
"""


async def test_a_consent_shows_what_was_read_and_how_far_it_proves_who_it_was(browse: Browse, dev: Dev) -> None:
    """What somebody has really read and agreed to in another language, on pages of their own."""
    with dev.api() as api:
        definition = pushed(api, AGREED)
        link, execution = made_link(api, definition, email="ewa@example.com", lang="pl")
    person = await browse.open(PHONE, locale="pl")
    await person.goto(link)
    await person.get_by_role("button", name="Rozpocznij").click()
    await named(person, "/name").fill("Wieloryb")
    await go_on(person).click()
    await at(person, "terms")
    await person.locator("#accepted").check()
    await go_on(person).click()
    await expect(person.get_by_role("heading", name="Wszystko gotowe")).to_be_visible()

    page = await at_work(browse, dev, f"/app/executions/{execution}")
    consents = page.locator("section").filter(has=page.get_by_role("heading", name="Consents"))
    await expect(consents.get_by_text("Polish")).to_be_visible()
    await expect(consents.get_by_text("had the link")).to_be_visible()
    await expect(consents.get_by_text("Wieloryb")).to_have_count(0)
    await expect(consents.get_by_text("ewa@example.com")).to_have_count(0)
    await accessible(page)
    await consents.get_by_role("switch", name="Show personal values").click()
    await expect(consents.locator("blockquote")).to_contain_text("Zgadzam się, aby firma Wieloryb mnie sprawdziła.")
    await expect(consents.get_by_text("ewa@example.com")).to_be_visible()
    assert await consents.locator("blockquote").get_attribute("lang") == "pl"
    await consents.get_by_role("link", name="In the audit").click()
    await expect(page.get_by_role("link", name="giveConsent")).to_have_count(1)
