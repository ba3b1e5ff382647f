"""Which browser asks: the session of an execution in a cookie, or in a header where a frame cannot keep cookies."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request, Response

from passerelle.kit.clock import Clock
from passerelle.kit.errors import Code
from passerelle.kit.secrets import SecretBox
from passerelle.links.models import EndUserSession
from passerelle.links.service import Links

SESSION: Final = "X-Passerelle-Session"
"""The header in which a frame on another site sends its session."""

NOT_SIGNED_IN: Final = Code("NOT_SIGNED_IN", 401, "The browser has no session for this execution, or not any more.")
REQUEST_FOREIGN: Final = Code(
    "REQUEST_FOREIGN", 403, "A form was sent from another site, or from a page that was open for too long."
)


@dataclass(frozen=True, slots=True)
class BrowserVisit:
    """A browser that an execution is bound to, and how it said so."""

    session: EndUserSession
    by_header: bool
    token: str
    """Goes into every form of the pages, and comes back with it."""


class Browsers:
    """Binds browsers to executions and recognises them."""

    def __init__(self, links: Links, box: SecretBox, clock: Clock, public_url: str) -> None:
        self._links = links
        self._box = box
        self._clock = clock
        self._host = urlsplit(public_url).netloc
        self.secure = public_url.startswith("https:")
        # The prefix lets no page without TLS write the cookie.
        self._cookie = "__Secure-passerelle" if self.secure else "passerelle"

    async def visit(self, request: Request, execution_id: UUID) -> BrowserVisit:
        """Whose browser asks. Raises NOT_SIGNED_IN."""
        visit = await self.find(request)
        if visit is None or visit.session.execution_id != execution_id:
            raise NOT_SIGNED_IN.error("this browser has no session here: open the link again")
        lent, asked = visit.session.step, request.path_params
        place = (asked.get("step", lent), str(asked.get("number", visit.session.step_visit)))
        if lent is not None and place != (lent, str(visit.session.step_visit)):
            raise NOT_SIGNED_IN.error("this browser was lent another step")
        return visit

    async def find(self, request: Request) -> BrowserVisit | None:
        """The visit that the request's header or cookie names, if it still lasts."""
        header = request.headers.get(SESSION)
        secret = header or request.cookies.get(self._cookie)
        session = await self._links.session(secret) if secret else None
        return None if session is None else BrowserVisit(session, header is not None, self._token(session.secret))

    def bind(self, response: Response, session: EndUserSession, link_path: str | None = None) -> None:
        """Give the browser its session, for the execution's screens and for the link that led there."""
        lasts = int((session.expires_at - self._clock()).total_seconds())
        for path in filter(None, (f"/x/{session.execution_id}", link_path)):
            response.set_cookie(
                self._cookie,
                session.secret,
                max_age=max(lasts, 0),
                path=path,
                secure=self.secure,
                httponly=True,
                samesite="lax",
            )

    def require_own(self, request: Request, visit: BrowserVisit, token: str | None) -> None:
        """Refuse what another site lets the browser send. Raises REQUEST_FOREIGN.

        A header of ours cannot come from another site at all: its browser would ask first, and hear no.
        """
        self.require_same_site(request)
        if not visit.by_header and not hmac.compare_digest((token or "").encode(), visit.token.encode()):
            raise REQUEST_FOREIGN.error("the form's token is missing or old: load the page again")

    def require_same_site(self, request: Request) -> None:
        """Refuse what says that another site sent it. Raises REQUEST_FOREIGN."""
        site = request.headers.get("sec-fetch-site")
        # With `Referrer-Policy: no-referrer`, forms of our own say `null`.
        origin = request.headers.get("origin", "null")
        ours = origin == "null" or urlsplit(origin).netloc in (request.headers.get("host"), self._host)
        if site not in (None, "same-origin", "none") or not ours:
            raise REQUEST_FOREIGN.error("the form was sent from another site")

    def _token(self, secret: str) -> str:
        return hmac.digest(self._box.derive("page token"), secret.encode(), "sha256").hex()
