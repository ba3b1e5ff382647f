"""`/set-up`: where people add a second factor, and take it away. It needs a session that is fresh."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import orjson
import segno
from fastapi import APIRouter, Request, Response

from passerelle.kit.clock import Clock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.permissions import FRESH_FOR, Public
from passerelle.kit.ids import parse_id
from passerelle.kit.secrets import CannotDecryptError, SecretBox
from passerelle.languages.language import Language
from passerelle.people.errors import REQUEST_FORGED
from passerelle.people.models import User
from passerelle.people.services import PeopleServices
from passerelle.sign_in.pages import HOME, InputProblem, Pages

Handler = Callable[[Request], Awaitable[Response]]
UserHandler = Callable[[Request, User], Awaitable[Response]]

_ISSUER: Final = "Passerelle"


def router(set_up: SetUp) -> APIRouter:
    """The page and what its forms send."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])
    routes.add_api_route("/set-up", set_up.own(set_up.show), methods=["GET", "HEAD"])
    forms = {"begin": set_up.begin, "confirm": set_up.confirm, "off": set_up.switch_off, "remove": set_up.remove}
    for name, send in forms.items():
        routes.add_api_route(f"/set-up/{name}", set_up.own(send), methods=["POST"])
        routes.add_api_route(f"/set-up/{name}", set_up.back, methods=["GET", "HEAD"])
    return routes


class SetUp:
    """The page, for whoever serves it."""

    def __init__(self, people: PeopleServices, pages: Pages, box: SecretBox, clock: Clock) -> None:
        self._people = people
        self._pages = pages
        self._box = box
        self._clock = clock

    def own(self, handler: UserHandler) -> Handler:
        """For whoever has signed in a moment ago; others do that first.

        A form that is old, or was sent by another site, leads to the page instead.
        """

        async def wrapped(request: Request) -> Response:
            user = await self.person(request)
            if user is None:
                return self._pages.go("/sign-in?again&next=/set-up")
            try:
                return await handler(request, user)
            except PasserelleError as error:
                if error.problems[0].code != REQUEST_FORGED.name:
                    raise
                return self._pages.go("/set-up")

        return wrapped

    async def back(self, request: Request) -> Response:
        """A form's address, typed or loaded again."""
        return self._pages.go("/set-up")

    async def show(self, request: Request, user: User) -> Response:
        """Whether there is a second factor, and a way to change that."""
        return await self._show(request, user)

    async def begin(self, request: Request, user: User) -> Response:
        """Show a new secret as a picture, and ask for the code that the app makes of it."""
        await self._pages.posted(request)
        return await self._ask_code(request, user, self._people.factors.new_secret())

    async def confirm(self, request: Request, user: User) -> Response:
        """Take the code: from now on a sign-in asks for one. Show the recovery codes."""
        posted = await self._pages.posted(request)
        secret = self._unsealed(user, posted.get("sealed", ""))
        if secret is None:
            return self._pages.go("/set-up")
        t = self._pages.language(request, user.language)
        try:
            codes = await self._people.factors.switch_on(user, secret, posted.get("code", ""))
        except PasserelleError as error:
            problem = InputProblem(t("code.wrong"), "code")
            return await self._ask_code(request, user, secret, [problem], error.status)
        return await self._show(request, replace(user, has_totp=True), codes)

    async def switch_off(self, request: Request, user: User) -> Response:
        """Ask for no codes any more."""
        await self._pages.posted(request)
        await self._people.factors.switch_off(user)
        return self._pages.go("/set-up")

    async def remove(self, request: Request, user: User) -> Response:
        """Take a passkey away."""
        passkey_id = parse_id((await self._pages.posted(request)).get("passkey", ""))
        if passkey_id is not None:
            await self._people.passkeys.remove(user, passkey_id)
        return self._pages.go("/set-up")

    async def person(self, request: Request) -> User | None:
        """Who has signed in here, a moment ago."""
        session = await self._people.sessions.find(self._pages.browser(request).secret)
        if session is None or session.authenticated_at is None:
            return None
        if self._clock() - session.authenticated_at > FRESH_FOR:
            return None
        return await self._people.signing_in.user_of(session)

    async def _show(self, request: Request, user: User, codes: list[str] | None = None) -> Response:
        t = self._pages.language(request, user.language)
        kept = await self._people.passkeys.of_user(user)
        values = {
            "title": t("set_up.title"),
            "picture": "shield",
            "codes": codes or [],
            "on": user.has_totp,
            "home": HOME,
            "script": True,
            "passkeys": kept,
            "has_most": len(kept) >= self._people.passkeys.most,
        }
        return await self._pages.page(request, t, "set_up.html", values)

    async def _ask_code(
        self, request: Request, user: User, secret: str, problems: list[InputProblem] | None = None, status: int = 200
    ) -> Response:
        t: Language = self._pages.language(request, user.language)
        picture = segno.make(self._people.factors.address(user, secret, _ISSUER), error="m")
        values = {
            "title": t("set_up.title"),
            "problems": problems or [],
            "qr": picture.svg_data_uri(scale=5, border=3, light="#fff"),
            "secret": " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
            "sealed": self._box.encrypt(orjson.dumps([str(user.id), secret])).decode(),
        }
        return await self._pages.page(request, t, "set_up_code.html", values, status)

    def _unsealed(self, user: User, sealed: str) -> str | None:
        """The secret that this person was shown."""
        try:
            owner, secret = orjson.loads(self._box.decrypt(sealed.encode()))
        except (CannotDecryptError, ValueError):
            return None
        return str(secret) if owner == str(user.id) else None
