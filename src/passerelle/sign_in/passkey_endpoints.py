"""What the script of the pages calls to sign in with a passkey, and to add one."""

from __future__ import annotations

import base64
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.http.permissions import Public
from passerelle.kit.secrets import CannotDecryptError, SecretBox
from passerelle.people.attempts import PER_NETWORK
from passerelle.people.errors import over
from passerelle.people.models import User
from passerelle.people.services import PeopleServices
from passerelle.people.sessions import network_of
from passerelle.people.signing_in import failed
from passerelle.sign_in.pages import Pages, safe_next
from passerelle.sign_in.set_up import SetUp

_SMALL: Final = 50_000


def router(people: PeopleServices, pages: Pages, set_up: SetUp, box: SecretBox) -> APIRouter:
    """`/sign-in/passkey` and `/set-up/passkey`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])

    @routes.post("/sign-in/passkey/begin")
    async def begin(request: Request) -> Response:
        """A challenge, which is kept in a session of nobody yet."""
        await _own(request, pages)
        browser = pages.browser(request)
        await people.attempts.count((PER_NETWORK, network_of(browser.address)))
        options, challenge = people.passkeys.ask()
        opened = await people.sessions.open(
            browser.address, browser.user_agent, pending={"challenge": _text(challenge)}
        )
        response = json_answer({"options": orjson.loads(options)})
        pages.bind(response, opened)
        return response

    @routes.post("/sign-in/passkey")
    async def enter(request: Request) -> Response:
        """Take what a passkey has signed. A challenge is good once."""
        body = await _own(request, pages)
        browser = pages.browser(request)
        session = await people.sessions.find(browser.secret)
        pending = None if session is None else people.sessions.pending(session)
        if pending is None or "challenge" not in pending or browser.secret is None:
            raise failed()
        await people.sessions.end(browser.secret)
        user = await _taken(people, _bytes(pending["challenge"]), _credential(body))
        step = await people.signing_in.proved(browser, user, "passkey")
        response = json_answer({"next": safe_next(str(body.get("next") or ""))})
        pages.bind(response, step.opened)
        return response

    @routes.post("/set-up/passkey/begin")
    async def begin_adding(request: Request) -> Response:
        """What the browser needs to make a passkey for who has signed in a moment ago."""
        await _own(request, pages)
        user = await set_up.person(request)
        if user is None:
            raise over()
        options, challenge = await people.passkeys.offer(user)
        sealed = box.encrypt(orjson.dumps([str(user.id), _text(challenge)])).decode()
        return json_answer({"options": orjson.loads(options), "sealed": sealed})

    @routes.post("/set-up/passkey")
    async def add(request: Request) -> Response:
        """Keep the passkey."""
        body = await _own(request, pages)
        user = await set_up.person(request)
        if user is None:
            raise over()
        try:
            owner, challenge = orjson.loads(box.decrypt(str(body.get("sealed", "")).encode()))
        except (CannotDecryptError, ValueError):
            raise failed() from None
        if owner != str(user.id):
            raise failed()
        name = request.headers.get("user-agent", "")
        await people.passkeys.add(user, _bytes(challenge), _credential(body), _device(name))
        return json_answer({})

    return routes


async def _taken(people: PeopleServices, challenge: bytes, credential: dict[str, Any]) -> User:
    """Whose passkey has signed the challenge. Raises SIGN_IN_FAILED, which the audit of whose it says it is has."""
    try:
        return await people.passkeys.take(challenge, credential)
    except PasserelleError:
        await people.signing_in.refused(await people.passkeys.owner_of(credential), "passkey")
        raise


async def _own(request: Request, pages: Pages) -> dict[str, Any]:
    """The body of a page of ours. Raises REQUEST_FORGED."""
    try:
        body = orjson.loads(await receive_body(request.scope, request.receive, limit=_SMALL))
    except ValueError:
        body = None
    found: dict[str, Any] = body if isinstance(body, dict) else {}
    pages.require_own(request, str(found.get("token", "")))
    return found


def _credential(body: dict[str, Any]) -> dict[str, Any]:
    credential = body.get("credential")
    if not isinstance(credential, dict):
        raise failed()
    return credential


def _device(user_agent: str) -> str:
    """`Windows`, `iPhone`, …: what a person recognises a device by."""
    known = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux")
    return next((one for one in known if one in user_agent), "passkey")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
