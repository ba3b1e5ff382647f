"""Which URLs an endpoint may have. The guarded client checks again at each delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from passerelle.kit.errors import PasserelleError
from passerelle.kit.outgoing import OutgoingError, OutgoingInvalid
from passerelle.kit.outgoing.client import Resolve, system_resolve
from passerelle.kit.outgoing.rules import SETTING, EgressRules, address_of
from passerelle.kit.outgoing.target import check_head, target_of
from passerelle.webhooks.errors import HEADER_REFUSED, URL_REFUSED

_OURS: Final = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-type", "expect", "host", "jws-signature",
        "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
    }
)  # fmt: skip
MOST_HEADERS: Final = 20


class Addresses:
    """Checks URLs under the operator's rules. `plain_http`: TLS is not asked for, as during development."""

    def __init__(self, rules: EgressRules, resolve: Resolve = system_resolve, *, plain_http: bool = False) -> None:
        self._rules = rules
        self._resolve = resolve
        self._plain_http = plain_http

    async def require_usable(self, url: str) -> None:
        """Raises WEBHOOK_URL_REFUSED for a URL that no delivery could be sent to.

        Only https: what is sent holds ids of people's cases. Plain http goes where the operator says so by name or
        network.
        """
        try:
            target = target_of(url)
        except OutgoingError as error:
            raise _refused(error.message) from None
        host, port = target.raw_host or "", target.port or 0
        named = self._rules.allows_name(host, port)
        found = [host] if address_of(host) is not None else await self._found(host, port)
        allowed = found if named else self._rules.allowed(found, port)
        if not allowed:
            raise _refused(
                f"{host} is not on the public internet: use a public address, have the operator add "
                f"{_entry(host, port)} to {SETTING}, or on your own machine run `passerelle webhooks listen "
                f"--forward-to {url}`, which needs no endpoint"
            )
        secure = target.scheme == "https" or self._plain_http or named
        if not secure and not self._allowed_besides(allowed, port):
            raise _refused(
                f"the URL begins with http://: use https://, or have the operator add {_entry(host, port)} to {SETTING}"
            )

    async def _found(self, host: str, port: int) -> list[str]:
        try:
            return list(await self._resolve(host, port))
        except (OSError, UnicodeError):
            raise _refused(f"the name {host} was not found: check its spelling") from None

    def _allowed_besides(self, addresses: list[str], port: int) -> bool:
        """Whether the operator's own list, and not the internet, is what allows the addresses."""
        public = EgressRules().allowed(addresses, port)
        return not public and bool(self._rules.allowed(addresses, port))


def require_sendable(headers: Mapping[str, str]) -> None:
    """Raises WEBHOOK_HEADER_REFUSED for every header that a delivery cannot carry besides its own."""
    problems = [
        HEADER_REFUSED.problem(reason, f"/headers/{name.replace('~', '~0').replace('/', '~1')}")
        for name, value in headers.items()
        if (reason := _why_not(name, value)) is not None
    ]
    if len(headers) > MOST_HEADERS:
        problems.append(
            HEADER_REFUSED.problem(f"there are more than {MOST_HEADERS} headers: leave some out", "/headers")
        )
    if problems:
        raise PasserelleError(HEADER_REFUSED.status, problems)


def _why_not(name: str, value: str) -> str | None:
    if name.lower() in _OURS or name.lower().startswith("webhook-"):
        return f"`{name}` is set by Passerelle: leave it out"
    if not value.isascii() or len(value) > 4_000:
        return f"the value of `{name}` must be at most 4,000 ASCII characters"
    try:
        check_head("POST", {name: value})
    except OutgoingInvalid as error:
        return error.message
    return None


def _entry(host: str, port: int) -> str:
    """What allows it, as the setting spells it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _refused(message: str) -> PasserelleError:
    return URL_REFUSED.error(message, "/url")
