"""Which addresses are public, and what `PASSERELLE_EGRESS_ALLOW` may say."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.kit.outgoing.rules import EgressRules, is_public, odd_address

NOBODY = EgressRules()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.64.0.1",
        "100.100.100.200",
        "0.0.0.0",
        "0.1.2.3",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:0808:0808::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "100::1",
        "5f00::1",
    ],
)
def test_addresses_that_are_not_the_internet_are_refused(address: str) -> None:
    assert not NOBODY.allows(ip_address(address), 443)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00:1450:4001:81b::200e"],
)
def test_public_addresses_are_allowed_in_every_form(address: str) -> None:
    assert NOBODY.allows(ip_address(address), 443)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_whatever_python_calls_private_is_never_public(address: IPv4Address) -> None:
    """A second opinion on our own list: the standard library's, of whatever release runs this."""
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert not is_public(address)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_wrapping_an_address_in_ipv6_changes_nothing(address: IPv4Address) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        wrapped = IPv6Address(int(IPv6Address(prefix)) + int(address))
        assert is_public(wrapped) == is_public(address)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0x7f000001", "017700000001", "127.1", "127.0.0.1.", "0x", "1.2.3.4.5"]
)
def test_addresses_in_an_odd_spelling_are_recognised(host: str) -> None:
    assert odd_address(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "1password.example", "0x7f.example", "a.b1"])
def test_names_and_usual_spellings_are_not_odd(host: str) -> None:
    assert not odd_address(host)


def test_each_kind_of_entry_is_understood() -> None:
    rules = EgressRules.parse(
        " 10.1.0.0/16, 192.168.7.7 ,Registry.Internal, api.internal:8443,127.0.0.1:8090, [fd00::1]:443, fd00:2::/32,"
    )
    assert rules.allows(ip_address("10.1.2.3"), 1)
    assert not rules.allows(ip_address("10.2.0.1"), 1)
    assert rules.allows(ip_address("192.168.7.7"), 80)
    assert not rules.allows(ip_address("192.168.7.8"), 80)
    assert rules.allows(ip_address("127.0.0.1"), 8090)
    assert not rules.allows(ip_address("127.0.0.1"), 8091)
    assert rules.allows(ip_address("fd00::1"), 443)
    assert not rules.allows(ip_address("fd00::1"), 80)
    assert rules.allows(ip_address("fd00:2::9"), 80)
    assert rules.allows_name("registry.internal", 80)
    assert rules.allows_name("REGISTRY.internal.", 8080)
    assert rules.allows_name("api.internal", 8443)
    assert not rules.allows_name("api.internal", 80)
    assert not rules.allows_name("other.internal", 8443)


def test_an_allowed_network_covers_its_addresses_wrapped_in_ipv6() -> None:
    assert EgressRules.parse("10.0.0.0/8").allows(ip_address("::ffff:10.0.0.1"), 80)


@pytest.mark.parametrize("text", ["", "  ", ",", " , "])
def test_nothing_means_that_nothing_is_allowed(text: str) -> None:
    assert EgressRules.parse(text) == EgressRules()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("10.0.0.5/8", "has bits beyond its prefix: write 10.0.0.0/8"),
        ("10.0.0.0/33", "is not a network"),
        ("http://registry", "is not a network"),
        ("registry:0", "port"),
        ("registry:99999", "port"),
        ("registry:http", "port"),
        ("*.internal", "is none of"),
        ("żółw.internal", "xn--"),
        ("0x7f.1", "is none of"),
        ("2130706433", "is none of"),
        ("a b", "is none of"),
        ("[::1", "is none of"),
        ("[10.0.0.1]", "is none of"),
        (":8080", "is none of"),
    ],
)
def test_a_wrong_entry_is_named_with_what_would_be_right(entry: str, says: str) -> None:
    with pytest.raises(ValueError, match="PASSERELLE_EGRESS_ALLOW") as error:
        EgressRules.parse(f"10.0.0.0/8, {entry}")
    assert repr(entry) in str(error.value)
    assert says in str(error.value)


def test_every_wrong_entry_is_listed() -> None:
    with pytest.raises(ValueError, match=r"'a b'.*'c d'"):
        EgressRules.parse("a b, ok.internal, c d")


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_either_rules_or_a_clear_error(text: str) -> None:
    try:
        EgressRules.parse(text)
    except ValueError as error:
        message = str(error)
    else:
        return
    assert message.startswith("PASSERELLE_EGRESS_ALLOW: ")
