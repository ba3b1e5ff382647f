"""Who has no password is refused no sooner than who types a wrong one."""

from __future__ import annotations

from passerelle.people.passwords import NOBODYS, Passwords


async def test_nobodys_password_costs_what_every_other_does() -> None:
    passwords = Passwords()
    kept = await passwords.hash("several words of somebody")
    # Version and parameters stand before the salt and the hash.
    assert kept.split("$")[:4] == NOBODYS.split("$")[:4]
    assert not await passwords.matches(None, "several words of somebody")
    assert await passwords.matches(kept, "several words of somebody")
