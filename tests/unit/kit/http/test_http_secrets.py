"""PASSERELLE_SECRET_KEY: what it must be, what is derived from it, and how it is rotated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit.secrets import CannotDecryptError, SecretBox, SecretKeyError, generate_key

OLD, NEW = "old-" * 10, "new-" * 10


@given(st.binary(max_size=200))
def test_what_is_encrypted_comes_back(plain: bytes) -> None:
    box = SecretBox([OLD])

    encrypted = box.encrypt(plain)

    assert box.decrypt(encrypted) == plain
    assert len(plain) < 4 or plain not in encrypted


def test_a_new_key_in_front_opens_what_the_old_one_closed_and_closes_with_itself() -> None:
    before = SecretBox([OLD]).encrypt(b"x")
    rotated = SecretBox([NEW, OLD])

    assert rotated.decrypt(before) == b"x"
    assert SecretBox([NEW]).decrypt(rotated.encrypt(b"y")) == b"y"


def test_without_its_key_nothing_opens_and_the_message_says_what_to_do() -> None:
    with pytest.raises(CannotDecryptError, match=r"put the key .* back into the list"):
        SecretBox([NEW]).decrypt(SecretBox([OLD]).encrypt(b"x"))


def test_an_altered_secret_does_not_open() -> None:
    encrypted = bytearray(SecretBox([OLD]).encrypt(b"x"))
    encrypted[20] ^= 1

    with pytest.raises(CannotDecryptError):
        SecretBox([OLD]).decrypt(bytes(encrypted))


def test_each_purpose_and_each_key_has_its_own_bytes() -> None:
    box = SecretBox([NEW, OLD])

    derived = {box.derive("a"), box.derive("b"), *box.derive_all("a"), SecretBox([OLD]).derive("b")}

    assert len(derived) == 4
    assert all(len(one) == 32 for one in derived)
    assert box.derive("a") == box.derive_all("a")[0] == SecretBox([NEW]).derive("a")


def test_the_setting_is_a_list() -> None:
    assert SecretBox.from_setting(f" {NEW}, {OLD} ").derive_all("a") == SecretBox([NEW, OLD]).derive_all("a")


def test_a_generated_key_can_be_used() -> None:
    assert SecretBox.from_setting(generate_key())
    assert generate_key() != generate_key()


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("", "is empty"),
        (" , ", "is empty"),
        ("short", "key 1 has 5 characters, 32 are the least"),
        (f"{NEW},short", "key 2 has 5 characters"),
        ("with a space " * 5, "key 1 has a space"),
        ("ż" * 40, "key 1 has a space or a character outside of ASCII"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_clear_sentence_without_the_key(setting: str, hint: str) -> None:
    with pytest.raises(SecretKeyError) as caught:
        SecretBox.from_setting(setting)

    message = str(caught.value)
    assert hint in message
    assert "openssl rand -base64 32" in message
    assert "\n" not in message
    assert "short" not in message
