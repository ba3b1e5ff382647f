"""Where requests may go: public addresses, and what the operator allows besides.

The special-purpose blocks are those of IANA's registries (RFC 6890 and its updates), written out because
`ipaddress.is_global` differs between Python's patch releases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

SETTING: Final = "PASSERELLE_EGRESS_ALLOW"

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(block) for block in text.split())


_SPECIAL: Final = _networks(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
    "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 "
    "198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "168.63.129.16/32 "  # public by number, but inside Azure the host's own agent
    "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All of IPv6 that is given out for the internet; loopback, local, multicast and the rest lie outside."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""Carries an IPv4 address to the IPv4 internet (RFC 6052): on a network without IPv4 it is the way there."""

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)


def address_of(host: str) -> Address | None:
    """The address that `host` spells in its usual form, or None."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def odd_address(host: str) -> bool:
    """Whether `host` is an IPv4 address in a spelling that only some programs understand.

    `2130706433`, `0x7f.1` and `017700000001` all mean 127.0.0.1 to them. The rule is the URL Standard's: a
    host whose last part is a number is an address.
    """
    last = host.rstrip(".").rpartition(".")[2]
    return address_of(host) is None and _NUMBER.fullmatch(last) is not None


def is_public(address: Address) -> bool:
    """Whether `address` belongs to the internet, and not to this machine, its network or its provider."""
    carried = _carried(address)
    if carried is not None:
        return is_public(carried)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _SPECIAL)


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address only wraps."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped


def is_local(host: str) -> bool:
    """Whether a host, as it is written, is of this machine or its network: an address, or a name that says so."""
    name = host.rstrip(".").lower()
    address = address_of(name.strip("[]"))
    if address is not None:
        return not is_public(address)
    return odd_address(name) or "." not in name or name.endswith((".localhost", ".local", ".internal", ".lan"))


def local_warning(host: str) -> str:
    """The sentence about a host of this network in what is written for production."""
    return (
        f"`{host}` is of a private network or of the machine itself: `passerelle dev` goes there, and in production "
        f"the request is refused (EGRESS_REFUSED) unless the operator names it in {SETTING}"
    )


@dataclass(frozen=True, slots=True)
class EgressRules:
    """What the operator allows although it is not public. A port of None means every port."""

    networks: tuple[tuple[Network, int | None], ...] = ()
    names: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def parse(cls, text: str) -> EgressRules:
        """The rules that `10.0.0.0/8, registry.internal, 127.0.0.1:8090, [fd00::1]:443` spells.

        Networks, addresses, names, and the latter two with a port, separated by commas. A name allows whatever
        it resolves to. Raises `ValueError` that lists every entry that is none of these.
        """
        networks: list[tuple[Network, int | None]] = []
        names: set[tuple[str, int | None]] = set()
        wrong: list[str] = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            try:
                what, port = _entry(entry.lower())
            except ValueError as error:
                wrong.append(f"{entry!r} {error}")
                continue
            if isinstance(what, str):
                names.add((what, port))
            else:
                networks.append((what, port))
        if wrong:
            raise ValueError(f"{SETTING}: " + "; ".join(wrong))
        return cls(tuple(networks), frozenset(names))

    def allows_name(self, host: str, port: int) -> bool:
        """Whether everything that `host` resolves to is allowed at this port."""
        name = host.rstrip(".").lower()
        return (name, None) in self.names or (name, port) in self.names

    def allows(self, address: Address, port: int) -> bool:
        """Whether a connection to `address` is."""
        if is_public(address):
            return True
        forms = (address, _carried(address) or address)
        return any(
            wanted in (None, port) and any(form in network for form in forms) for network, wanted in self.networks
        )

    def allowed(self, addresses: Iterable[str], port: int) -> list[str]:
        """Those of `addresses`, in their order, to which a connection is allowed."""
        return [text for text in addresses if self.allows(ip_address(text), port)]


def _entry(text: str) -> tuple[Network | str, int | None]:
    """One entry: a network or a name, and its port. Raises `ValueError` that says what is wrong with it."""
    if "/" in text:
        return _network(text), None
    if address_of(text) is not None:
        return ip_network(text), None
    host, colon, port = text.rpartition(":")
    if colon:
        return _host(host), _port(port)
    return _host(text), None


def _network(text: str) -> Network:
    try:
        wide = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not a network: write it like 10.0.0.0/8 or fd00::/8") from None
    if ip_address(text.partition("/")[0]) != wide.network_address:
        raise ValueError(f"has bits beyond its prefix: write {wide}")
    return wide


def _host(text: str) -> Network | str:
    bracketed = text.startswith("[") and text.endswith("]")
    address = address_of(text[1:-1] if bracketed else text)
    if address is not None and bracketed == (address.version == 6):
        return ip_network(address)
    if address is None and not odd_address(text) and _NAME.fullmatch(text.rstrip(".")):
        return text.rstrip(".")
    raise ValueError(
        "is none of: a network (10.0.0.0/8), an address (10.0.0.5, [fd00::1]), a name (registry.internal, "
        "international ones in their xn-- form), or one of the latter two with a port (10.0.0.5:8090)"
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ValueError("has a port that is not a number from 1 to 65535")
    return int(text)
