"""`/dev/mail`: what the catcher has. Nothing that a message brings along runs or is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Response
from jinja2 import Environment

from passerelle.dev.mailcatcher.catcher import CaughtMessage, MailCatcher
from passerelle.kit.clock import iso
from passerelle.kit.errors import Code
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.permissions import Public
from passerelle.kit.json import JsonObject
from passerelle.kit.templating import environment

MESSAGE_NOT_FOUND: Final = Code("MESSAGE_NOT_FOUND", 404, "The mail catcher of `passerelle dev` has no such message.")

_TEMPLATES: Final = Path(__file__).parent / "templates"
_OURS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
# A message styles itself inline, as messages do. Its links open beside it; no script, form or request to anywhere.
_THEIRS: Final = {
    "Content-Security-Policy": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
}


def router(catcher: MailCatcher) -> APIRouter:
    """Everything under `/dev/mail`."""
    routes = APIRouter(include_in_schema=False, dependencies=[Public])

    @routes.get("/dev/mail")
    async def list_messages() -> Response:
        """Every message, newest first."""
        return _page("list.html", {"messages": catcher.messages, "gone": catcher.gone})

    @routes.get("/dev/mail.json")
    async def list_as_json() -> Response:
        """The same for programs."""
        return json_answer({"data": [_as_json(message) for message in catcher.messages], "gone": catcher.gone})

    @routes.get("/dev/mail.css")
    async def style() -> Response:
        """How both pages look."""
        return Response((_TEMPLATES / "mail.css").read_text(encoding="utf-8"), media_type="text/css")

    @routes.get("/dev/mail/{number}")
    async def read_message(number: int) -> Response:
        """One message."""
        return _page("message.html", {"message": _found(catcher, number)})

    @routes.get("/dev/mail/{number}/html")
    async def read_html(number: int) -> Response:
        """A message's HTML, for the frame that shows it."""
        html = _found(catcher, number).html
        if html is None:
            raise MESSAGE_NOT_FOUND.error(f"message {number} has no HTML: see /dev/mail/{number}")
        # Links open beside the frame, which may not go anywhere itself.
        return Response(f'<base target="_blank">{html}', media_type="text/html", headers=_THEIRS)

    return routes


def _found(catcher: MailCatcher, number: int) -> CaughtMessage:
    message = catcher.find(number)
    if message is None:
        raise MESSAGE_NOT_FOUND.error(f"there is no message {number} (any more): see /dev/mail")
    return message


def _as_json(message: CaughtMessage) -> JsonObject:
    return {
        "id": message.number,
        "receivedDate": iso(message.received_at),
        "messageId": message.header("Message-ID"),
        "from": message.header("From"),
        "to": message.header("To"),
        "cc": message.header("Cc"),
        "replyTo": message.header("Reply-To"),
        "receivers": list(message.receivers),
        "subject": message.header("Subject"),
        "text": message.text,
        "html": message.html,
    }


def _page(name: str, values: Mapping[str, Any]) -> Response:
    return Response(_environment().get_template(name).render(values), media_type="text/html", headers=_OURS)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment(_TEMPLATES)
