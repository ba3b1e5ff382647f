"""From what is the case to a screen: which template, which words, which values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import segno
from markupsafe import Markup

from passerelle.definitions.model import StartTexts, Text
from passerelle.end_user.pages.browsers import BrowserVisit
from passerelle.end_user.pages.forms.view import FieldView
from passerelle.end_user.pages.presenters import PageProblem, Presenter, Submission, presenters
from passerelle.end_user.pages.rendering import template_of
from passerelle.end_user.session.models import Screen, StepView
from passerelle.engine.model import Status
from passerelle.kit.pdf import can_print
from passerelle.languages.language import Language
from passerelle.links.handovers import OFFERED_FOR
from passerelle.links.models import LinkState, LinkView
from passerelle.themes.models import Theme


@dataclass(frozen=True)
class PageView:
    """A screen: a template with its title and values.

    failed   whether the title begins with `Error:`
    form     whether it holds the step's form, which carries what was typed when the language changes
    data     attributes that the script reads
    refresh  seconds after which a browser without script loads it again
    own      whether every word of it is ours, and none the definition's
    """

    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False
    form: bool = False
    progress: tuple[int, int] | None = None
    calm: bool = False
    data: Mapping[str, str] = field(default_factory=dict)
    refresh: int | None = None
    own: bool = False


_SECONDS: Final = 5
_OVER: Final = {
    Status.COMPLETED: ("finished", "check", True),
    Status.FAILED: ("failed", "alert", False),
    Status.CANCELLED: ("cancelled", "stop", False),
    Status.EXPIRED: ("expired", "clock", False),
}
_LINKS: Final = {
    LinkState.SPENT: ("spent", "lock", False),
    LinkState.EXPIRED: ("expired", "clock", False),
    LinkState.SUPERSEDED: ("superseded", "mail", False),
    LinkState.DELETED: ("deleted", "stop", False),
    LinkState.CANCELLED: ("cancelled", "stop", False),
    LinkState.FINISHED: ("finished", "check", True),
    LinkState.UNKNOWN: ("unknown", "link", False),
}


# Links.


def start_view(link: LinkView, theme: Theme, t: Language, here: str, trouble: Sequence[PageProblem] = ()) -> PageView:
    """The page at a fresh link."""
    page = link.start or StartTexts()
    values = {
        "here": here,
        "masked_email": link.masked_email,
        "problems": trouble,
        "text": t.of(page.text),
        "documents": [t.of(one) for one in page.documents],
        "minutes": page.minutes,
    }
    return PageView("start.html", t.of(link.title) or t("start.title"), values, failed=bool(trouble))


def code_view(
    link: LinkView, t: Language, here: str, *, sent: str | None = None, trouble: Sequence[PageProblem] = ()
) -> PageView:
    """The page that sends a code and takes it. `sent`: the masked address that the last one went to."""
    values = {
        "here": here,
        "email": sent or link.masked_email,
        "sent": sent is not None,
        "fresh": link.state is LinkState.FRESH,
        "problems": trouble,
    }
    return PageView("code.html", t("code.title"), values, failed=bool(trouble), calm=True, own=True)


def link_view(state: LinkState, theme: Theme, t: Language) -> PageView:
    """The page at a link that leads nowhere (any more)."""
    key, picture, good = _LINKS[state]
    return state_view(key, theme, t, picture=picture, good=good)


def state_view(
    key: str, theme: Theme, t: Language, *, picture: str, good: bool = False, reference: str = ""
) -> PageView:
    """A page that says how things stand, and what to do next. `key` begins its texts' names."""
    values = {
        "picture": picture,
        "good": good,
        "title": t(f"{key}.title"),
        "lead": t(f"{key}.lead", name=theme.name),
        "next": t(f"{key}.next", name=theme.name),
        "background": (),
        "reference": reference,
        "go": None,
    }
    return PageView("state.html", t(f"{key}.title"), values, calm=True, own=True)


def handover_view(step_title: str, t: Language, here: str) -> PageView:
    """The page at a code that another device shows."""
    return PageView("handover.html", t("handover.title"), {"here": here, "step_title": step_title}, calm=True)


# Steps.


def phone_view(screen: Screen, t: Language, url: str) -> PageView:
    """A code for another device, until the step is done there."""
    code = segno.make(url, error="m")
    picture = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None)
    values = {
        "url": url,
        "picture": Markup(picture),  # noqa: S704 - made of squares
        "minutes": OFFERED_FOR // timedelta(minutes=1),
        "here": address(screen.execution_id),
    }
    waits = {"wait": f"{address(screen.execution_id)}/events?seq={screen.seq}"}
    return PageView("phone.html", t("phone.offer"), values, progress=_progress(screen), data=waits)


def screen_view(
    screen: Screen, theme: Theme, t: Language, visit: BrowserVisit, attempt: Submission, copy_to: str | None = None
) -> PageView:
    """The screen of an execution. `copy_to`: where a copy of a text would be sent, masked."""
    lent = (visit.session.step, visit.session.step_visit)
    if lent[0] is not None and (screen.step is None or (screen.step.id, screen.step.visit) != lent):
        return state_view("handover_done", theme, t, picture="check", good=True)
    if screen.step is not None:
        return _step(screen, screen.step, theme, t, visit, attempt, copy_to)
    if screen.end is not None:
        return _end(screen, screen.end, theme, t)
    if screen.status in _OVER:
        key, picture, good = _OVER[screen.status]
        return replace(state_view(key, theme, t, picture=picture, good=good), data={"status": screen.status})
    waits = {"wait": f"{address(screen.execution_id)}/events?seq={screen.seq}"}
    background = [t.of(one) for one in screen.background if _is_title(one)]
    if screen.status is Status.AWAITING:
        view = state_view("review", theme, t, picture="check", good=True)
        values = {**view.values, "background": background}
        data = {"status": screen.status, **waits}
        return replace(view, values=values, data=data, refresh=_SECONDS * 6, own=not background)
    values = {
        "background": background,
        "here": address(screen.execution_id),
    }
    progress = _progress(screen)
    return PageView("waiting.html", t("wait.title"), values, progress=progress, data=waits, refresh=_SECONDS)


def agreed_files(screen: Screen, t: Language) -> list[dict[str, str]]:
    """What there are copies of: where each is, and what it is called. None where nothing can make them."""
    if not can_print():
        return []
    return [
        {
            "url": f"{address(screen.execution_id)}/{one.step}/{one.visit}/agreed",
            "title": " ".join(t.of(one.title).split()),
        }
        for one in screen.agreed
    ]


def address(execution_id: UUID) -> str:
    """Where an execution's screens are."""
    return f"/x/{execution_id}"


def _is_title(text: Text) -> bool:
    """Whether it is a title: the id of a step without one means nothing to an end user."""
    return not isinstance(text, str) or " " in text


def _progress(screen: Screen) -> tuple[int, int] | None:
    return screen.progress if screen.progress[1] > 1 else None


def _step(
    screen: Screen,
    step: StepView,
    theme: Theme,
    t: Language,
    visit: BrowserVisit,
    attempt: Submission,
    copy_to: str | None,
) -> PageView:
    title = t.of(step.config["title"])
    presenter = presenters()[step.kind]
    content = presenter.content(step, t, attempt)
    problems = _summary(presenter, content.get("fields", ()), attempt, t)
    values: dict[str, Any] = {
        "title": title,
        "action": f"{address(screen.execution_id)}/{step.id}/{step.visit}",
        "csrf": visit.token,
        "framed": visit.by_header,
        "copy_to": copy_to,
        "can_go_back": step.can_go_back and visit.session.step is None,
        "can_lend": visit.session.step is None,
        "problems": problems,
        "notice": attempt.notice,
        "asked": {"title": t("page.asked", name=theme.name), "note": step.wish} if step.wish else None,
        **content,
    }
    return PageView(
        template_of(presenter),
        title,
        values,
        failed=bool(problems),
        form=True,
        progress=_progress(screen),
        data={"step": step.id, **({"focus": attempt.anchor} if attempt.anchor else {})},
    )


def _summary(presenter: Presenter, fields: Sequence[FieldView], attempt: Submission, t: Language) -> list[PageProblem]:
    by_pointer = {one.pointer: one for top in fields for one in _all(top)}
    found = [PageProblem(sentence) for sentence in attempt.general]
    for pointer, sentence in attempt.problems.items():
        one = by_pointer.get(pointer)
        if one is None:
            found.append(PageProblem(sentence, target=presenter.target(pointer), pointer=pointer))
        else:
            label = "" if sentence in t.naming else one.label
            found.append(PageProblem(sentence, label, one.first_id, pointer))
    return found


def _all(one: FieldView) -> list[FieldView]:
    return [one, *(below for inner in one.fields for below in _all(inner))]


def _end(screen: Screen, end: StepView, theme: Theme, t: Language) -> PageView:
    title = t.of(end.config["title"])
    values = {
        "picture": "check",
        "good": True,
        "title": title,
        "lead": t.of(end.config.get("text")),
        "markdown": True,
        "next": "" if screen.redirect else t("end.next"),
        "background": (),
        "reference": "",
        "go": None,
    }
    if screen.redirect and theme.allows_redirect(screen.redirect):
        label = t.of(end.config.get("button")) or t("end.go", host=urlsplit(screen.redirect).hostname or "")
        values["go"] = {"url": screen.redirect, "label": label, "outside": True}
    waits = (
        {} if screen.status is Status.COMPLETED else {"wait": f"{address(screen.execution_id)}/events?seq={screen.seq}"}
    )
    return PageView("state.html", title, values, calm=True, data={"end": "true", "status": screen.status, **waits})
