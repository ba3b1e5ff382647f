"""Where this installation is, for the addresses that answers hold."""

from __future__ import annotations

from fastapi import Request


def public_url(request: Request) -> str:
    """The address that the operator has set. What a request says of the host counts only where nothing is known."""
    known: str | None = getattr(request.app.state, "public_url", None)
    return known or str(request.base_url).rstrip("/") + str(getattr(request.app.state, "prefix", ""))
