"""What is checked before anything is resolved or sent.

The URL that is sent to and the one that the guard looks at are the same object, so no two parsers can
disagree about where it leads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from yarl import URL

from passerelle.kit.outgoing import OutgoingInvalid, OutgoingRefused
from passerelle.kit.outgoing.rules import address_of, odd_address

LONGEST: Final = 8_000
"""Characters of a URL; servers are asked to take that many (RFC 9110, 4.1), and many take no more."""

_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_KEPT: Final = "%/:?#[]@!$&'()*+,;=~|^`{}<>\"\\"
"""Besides letters, digits and `-._`: what stays as the caller wrote it. Only other alphabets are encoded."""


def target_of(url: str) -> URL:
    """The URL to send to; its path and query go out byte for byte as the caller wrote them.

    Raises `OutgoingInvalid` where `url` is not a URL, `OutgoingRefused` where it is not to be used. No
    message repeats any part of it but scheme and host.
    """
    if len(url) > LONGEST:
        raise OutgoingInvalid(f"The URL is longer than {LONGEST} characters.")
    if _CONTROL.search(url):
        raise OutgoingInvalid("The URL has a space or a control character: percent-encode it.")
    try:
        parsed, parts = URL(url), urlsplit(url)
    except ValueError:
        raise OutgoingInvalid("The URL is malformed: write it like https://host/path.") from None
    if parsed.scheme not in ("http", "https"):
        raise OutgoingRefused("The URL does not begin with http:// or https://: nothing else is allowed.")
    if "@" in parts.netloc:
        raise OutgoingRefused("The URL carries a user name or a password: send an Authorization header instead.")
    host = parsed.raw_host
    if not host or parsed.explicit_port == 0 or not _is_host(host):
        raise OutgoingInvalid("The URL has no proper host or port: write it like https://host/path.")
    if odd_address(host):
        raise OutgoingRefused(f"{host} is an odd way to write an address: write it as four decimal numbers.")
    return URL.build(
        scheme=parsed.scheme,
        host=parsed.host_subcomponent or host,
        port=parsed.explicit_port,
        path=quote(parts.path, safe=_KEPT) or "/",
        query_string=quote(parts.query, safe=_KEPT),
        encoded=True,
    )


def check_head(method: str, headers: Mapping[str, str]) -> None:
    """Refuse what would end a line early, and so send another request than was meant (RFC 9110, 5.5).

    Raises `OutgoingInvalid`, which names the header and does not repeat its value.
    """
    if not _TOKEN.fullmatch(method):
        raise OutgoingInvalid("The method is not a word: write GET, POST and the like.")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise OutgoingInvalid("A header's name has characters that HTTP does not allow in it.")
        if _NOT_IN_VALUES.search(value):
            raise OutgoingInvalid(f"The header {name} has a line break or another control character.")


def origin_of(target: URL) -> str:
    """Where a URL leads: scheme, host and port. Paths and queries hold personal data and secrets."""
    return str(target.origin())


def _is_host(host: str) -> bool:
    if ":" in host:
        return address_of(host) is not None and "%" not in host  # a zone names an interface of this machine
    return _HOST.fullmatch(host) is not None
