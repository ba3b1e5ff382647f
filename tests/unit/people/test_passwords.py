"""Which passwords are good enough and how they are kept; who has none is refused no sooner than who types a wrong one."""

from __future__ import annotations

import pytest

from passerelle.kit.errors import PasserelleError
from passerelle.people.passwords import LONGEST, NOBODYS, SHORTEST, Passwords, require_good


async def test_nobodys_password_costs_what_every_other_does() -> None:
    passwords = Passwords()
    kept = await passwords.hash("several words of somebody")
    # Version and parameters stand before the salt and the hash.
    assert kept.split("$")[:4] == NOBODYS.split("$")[:4]
    assert not await passwords.matches(None, "several words of somebody")
    assert await passwords.matches(kept, "several words of somebody")


@pytest.mark.parametrize(
    "password",
    ["kaktus orkiestra parasol", "KAKTUSORKIESTRAPARASOL", "łódź żagiel ścieżka gęś", "kot żółw lew sum", "🦊 lis 🐢 żółw 🐳 wieloryb"],
)  # fmt: skip
def test_no_kinds_of_characters_are_demanded_and_none_is_forbidden(password: str) -> None:
    require_good(password)


@pytest.mark.parametrize(
    "password", ["password1234", "qwertyuiop12", "Passw0rd!2024", "aaaaaaaaaaaaaaaa", "abcdefghijkl"]
)
def test_the_usual_ones_and_patterns_are_refused(password: str) -> None:
    with pytest.raises(PasserelleError, match="easy to guess"):
        require_good(password)


@pytest.mark.parametrize(
    "password", ["Wojciechowska", "wojciechowska1", "Zakopianka Ltd", "anna.wojciechowska", "passerelle2026"]
)
def test_what_is_known_of_the_person_and_of_us_is_no_password(password: str) -> None:
    with pytest.raises(PasserelleError, match="easy to guess"):
        require_good(password, ("Anna", "Wojciechowska", "anna.wojciechowska@example.com", "Zakopianka Ltd"))


def test_short_ones_are_refused_and_long_ones_taken() -> None:
    words = "kaktus orkiestra parasol lampa wieloryb rower " * 5
    for length in (SHORTEST - 1, LONGEST + 1):
        with pytest.raises(PasserelleError, match="characters"):
            require_good(words[:length])
    for length in (64, 128, LONGEST):
        require_good(words[:length])


async def test_a_password_is_taken_as_it_was_typed_to_its_last_character() -> None:
    passwords, typed = Passwords(), ("Kaktus orkiestra " * 12)[: LONGEST - 1] + " "
    kept = await passwords.hash(typed)
    assert kept.startswith("$argon2id$v=19$m=48128,t=3,p=1$")
    assert await passwords.matches(kept, typed)
    for other in (typed.strip(), typed.lower(), typed[:-1] + "x", typed[:64]):
        assert not await passwords.matches(kept, other)
