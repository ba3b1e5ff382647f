"""What goes wrong on a page is said on a page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import update_wrapper
from typing import Any, Concatenate, Final, ParamSpec, cast

import orjson
from fastapi import Request, Response

from passerelle.end_user.pages.answers import NOBODY, PageAnswers
from passerelle.end_user.pages.browsers import NOT_SIGNED_IN, REQUEST_FOREIGN, SESSION
from passerelle.end_user.pages.views import PageView, link_view, state_view
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.bodies import BODY_TOO_LARGE
from passerelle.kit.http.errors import answer
from passerelle.languages.language import Language
from passerelle.links.errors import HANDOVER_GONE, LINK_NOT_FOUND
from passerelle.links.models import LinkState
from passerelle.themes.models import Theme
from passerelle.workflows.errors import WORKFLOW_NOT_FOUND

P = ParamSpec("P")
Endpoint = Callable[Concatenate[Request, P], Coroutine[Any, Any, Response]]

_KINDS: Final = {
    NOT_SIGNED_IN.name: ("session", "lock"),
    REQUEST_FOREIGN.name: ("foreign", "alert"),
    WORKFLOW_NOT_FOUND.name: ("missing", "link"),
    BODY_TOO_LARGE.name: ("too_large", "alert"),
    HANDOVER_GONE.name: ("handover_gone", "clock"),
}


def on_a_page(answers: PageAnswers) -> Callable[[Endpoint[P]], Endpoint[P]]:
    """Wraps an endpoint: what it raises becomes a page, logged as everywhere."""

    def wrap(endpoint: Endpoint[P]) -> Endpoint[P]:
        async def wrapped(request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                return await endpoint(request, *args, **kwargs)
            except Exception as raised:
                return await trouble(request, answers, raised)

        # The framework reads path and query parameters from the endpoint's own signature.
        update_wrapper(wrapped, endpoint)
        return cast("Endpoint[P]", wrapped)

    return wrap


async def trouble(request: Request, answers: PageAnswers, raised: Exception) -> Response:
    """The page for an error; logs it under the reference that the page shows."""
    plain = answer(request.scope, raised)
    fingerprint = str(orjson.loads(plain.body)["fingerprint"])
    setting = await answers.setting(request, NOBODY)
    view = _view(raised, setting.theme, setting.language, fingerprint, in_frame=SESSION in request.headers)
    page = answers.page(request, view, setting, plain.status_code)
    for name in ("Retry-After", "Allow"):
        if name in plain.headers:
            page.headers[name] = plain.headers[name]
    return page


def _view(raised: Exception, theme: Theme, t: Language, fingerprint: str, *, in_frame: bool) -> PageView:
    codes: list[Any] = [problem.code for problem in raised.problems] if isinstance(raised, PasserelleError) else []
    if LINK_NOT_FOUND.name in codes:
        return link_view(LinkState.UNKNOWN, theme, t)
    for code in codes:
        if code in _KINDS:
            key, picture = _KINDS[code]
            # Nobody has a link to open again there.
            key = "session_frame" if in_frame and key == "session" else key
            return replace(state_view(key, theme, t, picture=picture), data={"code": code})
    reference = t("trouble.code", fingerprint=fingerprint)
    view = state_view("trouble", theme, t, picture="alert", reference=reference)
    return replace(view, data={"code": codes[0] if codes else "INTERNAL_ERROR"})
