"""Keys, secrets and tokens: their form, their hashes, and how failed sign-ins are counted."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from passerelle.accounts.attempts import FailedAttempts
from passerelle.accounts.credentials import (
    SecretHasher,
    digest,
    new_organization_token,
    new_public_id,
    new_refresh_token,
    new_secret,
)
from passerelle.kit.clock import MovedClock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.rates import Rates


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (new_public_id, r"psk_[\w-]{22}"),
        (new_secret, r"pss_[\w-]{43}"),
        (new_organization_token, r"pso_[\w-]{43}"),
        (new_refresh_token, r"psr_[\w-]{43}"),
    ],
)
def test_credentials_tell_what_they_are_and_are_never_the_same(make: Callable[[], str], form: str) -> None:
    made = {make() for _ in range(50)}

    assert len(made) == 50
    assert all(re.fullmatch(form, one) for one in made)


async def test_a_secret_is_kept_as_argon2id_and_matches_only_itself() -> None:
    hasher = SecretHasher()
    secret = new_secret()

    kept = await hasher.hash(secret)

    assert kept.startswith("$argon2id$")
    assert secret not in kept
    assert await hasher.matches(kept, secret)
    assert not await hasher.matches(kept, new_secret())


async def test_nobodys_secret_does_not_match_either() -> None:
    """An unknown key is compared with a hash that is made for it; knowing its secret opens nothing."""
    assert not await SecretHasher().matches(None, "nobody's secret")


def test_a_digest_is_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


async def fail(attempts: FailedAttempts, times: int, key: str, address: str) -> None:
    for _ in range(times):
        await attempts.note(key, address, known=True)


def is_turned_away(attempts: FailedAttempts, key: str, address: str) -> bool:
    try:
        attempts.require_fewer(key, address)
    except PasserelleError as refusal:
        return refusal.status == 429 and int(refusal.headers["Retry-After"]) > 0
    return False


async def test_ten_failures_of_a_key_from_one_address_turn_that_address_away_and_no_other() -> None:
    attempts = FailedAttempts(Rates(MovedClock()))
    await fail(attempts, 9, "key", "10.0.0.1")
    assert not is_turned_away(attempts, "key", "10.0.0.1")

    await fail(attempts, 1, "key", "10.0.0.1")

    assert is_turned_away(attempts, "key", "10.0.0.1")
    assert not is_turned_away(attempts, "key", "10.0.0.2")
    assert not is_turned_away(attempts, "other", "10.0.0.1")


async def test_an_address_that_tries_many_keys_is_turned_away_from_those_that_do_not_exist() -> None:
    """And never from one that does: behind the address may sit a whole company."""
    attempts = FailedAttempts(Rates(MovedClock()))
    for index in range(60):
        await attempts.note(f"key-{index}", "10.0.0.1", known=False)

    with pytest.raises(PasserelleError):
        attempts.require_fewer_unknown("10.0.0.1")
    attempts.require_fewer_unknown("10.0.0.2")
    assert not is_turned_away(attempts, "one that exists", "10.0.0.1")


async def test_failures_with_keys_that_exist_keep_nobody_else_out() -> None:
    attempts = FailedAttempts(Rates(MovedClock()))
    for index in range(100):
        await fail(attempts, 1, f"key-{index}", "10.0.0.1")
    assert not is_turned_away(attempts, "another", "10.0.0.1")
    attempts.require_fewer_unknown("10.0.0.1")
