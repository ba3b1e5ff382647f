"""From what is to be asked or said to an HTML answer; and forms that only these pages can have sent."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from jinja2 import Environment
from starlette.responses import RedirectResponse

from passerelle.end_user.pages.answers import LANGUAGE_COOKIE, NOBODY
from passerelle.end_user.pages.assets import asset_path
from passerelle.end_user.pages.form_bodies import pairs_of
from passerelle.end_user.pages.rendering import ICONS
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.secrets import SecretBox
from passerelle.kit.templating import environment
from passerelle.languages.language import Language
from passerelle.people.authenticator import SessionAuthenticator
from passerelle.people.errors import REQUEST_FORGED
from passerelle.people.models import Opened
from passerelle.people.signing_in import Browser
from passerelle.sign_in.texts import chosen, offered_languages
from passerelle.themes.service import Themes

HOME: Final = "/app"
"""Where people go once they are signed in: the dashboard."""

_SMALL: Final = 20_000
"""Bytes of a form."""
_TEMPLATES: Final = Path(__file__).parent / "templates"
_A_MONTH: Final = 30 * 24 * 3600
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_TOGETHER: Final = {"Cross-Origin-Opener-Policy": "same-origin"}
"""As the dashboard: so a page of its that was opened to sign in knows who opened it, and closes itself."""


@dataclass(frozen=True, slots=True)
class InputField:
    """One thing that a form asks for."""

    name: str
    label: str
    type: str = "text"
    autocomplete: str = "off"
    value: str = ""
    hint: str = ""
    optional: bool = False
    longest: int = 200


@dataclass(frozen=True, slots=True)
class InputProblem:
    """One line of the summary: what is wrong, and the field that it is about."""

    message: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class SignInWay:
    """Somewhere to go."""

    path: str
    label: str


class Pages:
    """Makes every answer of these pages, and reads every form."""

    def __init__(self, themes: Themes, box: SecretBox, authenticator: SessionAuthenticator) -> None:
        self._themes = themes
        self._box = box
        self._authenticator = authenticator
        self.secure = authenticator.secure
        self._form_cookie = authenticator.form_cookie

    def language(self, request: Request, wish: str | None = None) -> Language:
        """The language for this reader: the switch, what is known of them, the browser's."""
        return chosen(
            request.query_params.get("lang"),
            request.cookies.get(LANGUAGE_COOKIE),
            wish,
            request.headers.get("accept-language"),
        )

    async def ask(
        self,
        request: Request,
        t: Language,
        title: str,
        *,
        action: str = "",
        button: str = "",
        fields: Sequence[InputField] = (),
        problems: Sequence[InputProblem] = (),
        lead: str = "",
        notice: str = "",
        picture: str = "",
        links: Sequence[SignInWay] = (),
        providers: Sequence[Any] = (),
        passkey: bool = False,
        choices: Sequence[tuple[str, str]] = (),
        next_path: str | None = None,
        status: int = 200,
    ) -> Response:
        """A page that asks for something, or, without `button` and `choices`, says how things stand.

        choices   organizations by id and name: a button each
        """
        values = {
            "title": title,
            "action": action,
            "button": button,
            "fields": fields,
            "problems": problems,
            "lead": lead,
            "notice": notice,
            "picture": picture,
            "links": links,
            "providers": providers,
            "passkey": passkey,
            "choices": choices,
            "next": next_path,
            "script": passkey,
        }
        return await self.page(request, t, "ask.html", values, status)

    async def page(
        self, request: Request, t: Language, template: str, values: Mapping[str, Any], status: int = 200
    ) -> Response:
        """A template as an answer, which sets the cookie that its forms are tied to."""
        theme = await self._themes.of(NOBODY)
        seed = request.cookies.get(self._form_cookie) or secrets.token_urlsafe(16)
        kept = {name: value for name, value in request.query_params.items() if name != "lang"}
        shared = {
            "t": t,
            "theme": theme,
            "offered_languages": tuple(offered_languages().values()),
            "query": f"{urlencode(kept)}&" if kept else "",
            "asset": asset_path,
            "token": self._token(seed),
            "script": False,
            "picture": "",
            "notice": "",
            "lead": "",
            "problems": (),
        }
        html = _environment().get_template(template).render({**shared, **values})
        response = Response(html, status, media_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers.update(_TOGETHER)
        response.headers["Vary"] = "Accept-Language, Cookie"
        if seed != request.cookies.get(self._form_cookie):
            self._set(response, self._form_cookie, seed, None)
        if request.query_params.get("lang") in offered_languages():
            self._set(response, LANGUAGE_COOKIE, request.query_params["lang"], _A_MONTH)
        return response

    async def posted(self, request: Request) -> dict[str, str]:
        """What a form of ours says. Raises REQUEST_FORGED for what another site may have sent, FORM_UNREADABLE."""
        posted = dict(pairs_of(await receive_body(request.scope, request.receive, limit=_SMALL)))
        self.require_own(request, posted.get("_token", ""))
        return posted

    def require_own(self, request: Request, token: str) -> None:
        """Raises REQUEST_FORGED unless a page of ours, in this browser, has sent the request."""
        seed = request.cookies.get(self._form_cookie, "")
        genuine = bool(seed) and hmac.compare_digest(token.encode(), self._token(seed).encode())
        if not genuine or not self._authenticator.came_from_here(request.scope):
            raise forged()

    def browser(self, request: Request) -> Browser:
        """Who asks."""
        address = request.client.host if request.client else ""
        return Browser(address, request.headers.get("user-agent", ""), self._authenticator.secret_in(request.scope))

    def bind(self, response: Response, opened: Opened) -> None:
        """Give the browser its session."""
        lasts = int((opened.session.expires_at - opened.session.last_seen_at).total_seconds())
        self._set(response, self._authenticator.cookie, opened.secret, lasts)

    def unbind(self, response: Response) -> None:
        """Take the session from the browser."""
        response.delete_cookie(self._authenticator.cookie, path="/", secure=self.secure, httponly=True, samesite="lax")

    def go(self, path: str) -> Response:
        """Send the browser on."""
        return RedirectResponse(path, 303, headers={"Cache-Control": "no-store", **_TOGETHER})

    def _set(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        response.set_cookie(name, value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax")

    def _token(self, seed: str) -> str:
        return hmac.digest(self._box.derive("sign-in form"), seed.encode(), "sha256").hex()


def safe_next(path: str | None) -> str:
    """A path of this server to go on to; the dashboard for anything else."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        return HOME
    return HOME if "\\" in path else path


def wait_of(error: PasserelleError) -> str:
    """`45 s`, `12 min`: how long until a request may come again."""
    seconds = int(error.headers.get("Retry-After", "60"))
    return f"{seconds}\u00a0s" if seconds <= 120 else f"{-(-seconds // 60)}\u00a0min"


def forged() -> PasserelleError:
    """REQUEST_FORGED."""
    return REQUEST_FORGED.error("the form was sent by another site, or by a page that was open for too long")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(_TEMPLATES)
    made.globals["icons"] = ICONS
    return made
