"""Origins that may show the widget, and addresses that an end page may lead to: how they may be written."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_MOST: Final = 253
_HOST: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-[]:")


def checked_origin(text: str) -> str:
    """An origin in its one spelling. Raises `ValueError` with a sentence.

    Plain HTTP only on this machine, where `*` may stand for any port: anyone on the way could change another page.
    """
    any_port = text.endswith(":*")
    parts = _parts(text.removesuffix(":*"))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"`{text}` must be an origin alone, such as https://app.example.com")
    if any_port and parts.hostname not in _LOOPBACK:
        raise ValueError(f"`{text}`: `*` stands for a port on localhost only; name the port")
    return _origin(parts) + (":*" if any_port else "")


def checked_target(text: str) -> str:
    """An address that an end page may lead to, with all below it. Raises `ValueError` with a sentence."""
    parts = _parts(text)
    if parts.query or parts.fragment or ".." in parts.path or not parts.path.isascii() or " " in parts.path:
        raise ValueError(f"`{text}` must be an origin, or one with a path: https://app.example.com/welcome")
    return _origin(parts) + parts.path.rstrip("/")


def _parts(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"`{text}` is no address: write https://app.example.com") from None
    host = parts.hostname or ""
    plain = "@" not in parts.netloc and host and set(host) <= _HOST and len(host) <= _MOST and port != 0
    if parts.scheme not in ("https", "http") or not plain or any(char <= " " or char in "\\;," for char in text):
        raise ValueError(f"`{text}` is no address: write https://app.example.com")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ValueError(f"`{text}` must begin with https: plain http is only taken on localhost")
    return parts


def _origin(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"https": 443, "http": 80}[parts.scheme]
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
