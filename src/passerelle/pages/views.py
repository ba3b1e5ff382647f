"""From what is the case to a screen: which template, which words, which values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from passerelle.definitions.model import Text
from passerelle.engine.model import Status
from passerelle.executions.visitor.models import Screen, StepView
from passerelle.kit.json import Json, JsonObject
from passerelle.links.models import LinkState, LinkView
from passerelle.pages.forms.model import Field
from passerelle.pages.forms.view import FieldView, FormState, view_form
from passerelle.pages.texts import Language, languages, spoken
from passerelle.themes.models import Theme


@dataclass(frozen=True)
class View:
    """A screen: a template with its title and values.

    failed   whether the title begins with `Error:`
    form     whether it holds the step's form, which carries what was typed when the language changes
    data     attributes that the script reads
    refresh  seconds after which a browser without script loads it again
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


@dataclass(frozen=True)
class Trouble:
    """One line of the summary: what is wrong, and the element that it is about."""

    message: str
    label: str = ""
    target: str = ""


@dataclass(frozen=True)
class Attempt:
    """What somebody just did at a step, and what came of it.

    values    what they sent, where it is to be shown in place of what is kept
    problems  sentences by JSON pointer
    general   sentences that belong to no field
    notice    something to know that is no mistake
    anchor    the element that the script goes to, with `#`
    """

    values: Mapping[str, Json] | None = None
    hidden: Sequence[str] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    general: Sequence[str] = ()
    notice: str = ""
    anchor: str = ""


FRESHLY: Final = Attempt()
PLAIN_FIELD: Final = {"consent": "/accepted", "upload": "/files", "message": ""}
"""The one thing that a step which is no form asks for."""
_PLAIN_TARGETS: Final = {"/accepted": "accepted", "/files": "file"}
"""Its element."""
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


def tongues_of(screen: Screen) -> tuple[Language, ...]:
    """The languages that the switch offers: those of the definition, or all where it has one."""
    known = languages()
    codes = dict.fromkeys(code.partition("-")[0] for code in screen.languages)
    found = tuple(known[code] for code in codes if code in known)
    return found if len(found) > 1 else tuple(known.values())


# Links.


def start_view(link: LinkView, theme: Theme, t: Language, here: str, trouble: Sequence[Trouble] = ()) -> View:
    """The page at a fresh link."""
    values = {"here": here, "masked_email": link.masked_email, "problems": trouble}
    return View("start.html", t.of(link.title) or t("start.title"), values, failed=bool(trouble))


def code_view(
    link: LinkView, t: Language, here: str, *, sent: str | None = None, trouble: Sequence[Trouble] = ()
) -> View:
    """The page that sends a code and takes it. `sent`: the masked address that the last one went to."""
    values = {
        "here": here,
        "email": sent or link.masked_email,
        "sent": sent is not None,
        "fresh": link.state is LinkState.FRESH,
        "problems": trouble,
    }
    return View("code.html", t("code.title"), values, failed=bool(trouble), calm=True)


def link_view(state: LinkState, theme: Theme, t: Language) -> View:
    """The page at a link that leads nowhere (any more)."""
    key, picture, good = _LINKS[state]
    return state_view(key, theme, t, picture=picture, good=good)


def state_view(key: str, theme: Theme, t: Language, *, picture: str, good: bool = False, reference: str = "") -> View:
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
    return View("state.html", t(f"{key}.title"), values, calm=True)


# Steps.


def screen_view(screen: Screen, form: Field | None, theme: Theme, t: Language, csrf: str, attempt: Attempt) -> View:
    """The screen of an execution. `form`: its step's fields, where it is a form."""
    if screen.step is not None:
        return _step(screen, screen.step, form, t, csrf, attempt)
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
        return replace(view, values=values, data={"status": screen.status, **waits}, refresh=_SECONDS * 6)
    values = {
        "background": background,
        "here": address(screen.execution_id),
    }
    progress = _progress(screen)
    return View("waiting.html", t("wait.title"), values, progress=progress, data=waits, refresh=_SECONDS)


def address(execution_id: UUID) -> str:
    """Where an execution's screens are."""
    return f"/x/{execution_id}"


def _is_title(text: Text) -> bool:
    """Whether it is a title: the id of a step without one means nothing to an end user."""
    return not isinstance(text, str) or " " in text


def _progress(screen: Screen) -> tuple[int, int] | None:
    return screen.progress if screen.progress[1] > 1 else None


def _step(screen: Screen, step: StepView, form: Field | None, t: Language, csrf: str, attempt: Attempt) -> View:
    title = t.of(step.config["title"])
    fields = _fields(step, form, t, attempt)
    problems = _summary(fields, attempt)
    values: dict[str, Any] = {
        "title": title,
        "action": f"{address(screen.execution_id)}/{step.id}/{step.visit}",
        "csrf": csrf,
        "can_go_back": step.can_go_back,
        "problems": problems,
        "notice": attempt.notice,
        **_content(step, fields, t, attempt),
    }
    return View(
        f"{step.kind}.html",
        title,
        values,
        failed=bool(problems),
        form=True,
        progress=_progress(screen),
        data={"step": step.id, **({"focus": attempt.anchor} if attempt.anchor else {})},
    )


def _fields(step: StepView, form: Field | None, t: Language, attempt: Attempt) -> tuple[FieldView, ...]:
    if form is None:
        return ()
    values = step.values if attempt.values is None else attempt.values
    hidden = frozenset(step.hidden if attempt.hidden is None else attempt.hidden)
    return view_form(form, FormState(values, t, attempt.problems, hidden, region=_region(t)))


def _region(t: Language) -> str:
    """The country of a phone number that names none: where most people speak the language; none for English."""
    return {"pl": "PL"}.get(t.code, "")


def _content(step: StepView, fields: tuple[FieldView, ...], t: Language, attempt: Attempt) -> dict[str, Any]:
    config = step.config
    match step.kind:
        case "form":
            return {"fields": fields}
        case "consent":
            values = step.values if attempt.values is None else attempt.values
            return {
                "text": t.of(config["text"]),
                "version": config["version"],
                "label": t.of(config["label"]) or t("consent.label"),
                "accepted": values.get("accepted") is True,
                "problem": attempt.problems.get(PLAIN_FIELD["consent"]),
            }
        case "message":
            return {"text": t.of(config["text"]), "button": t.of(config["button"]) or None}
        case "upload":
            return _upload(step, config, t)


def _upload(step: StepView, config: JsonObject, t: Language) -> dict[str, Any]:
    accept = list(config["accept"] or ())
    return {
        "files": [
            {"id": file["resourceId"], "name": file["resourceName"], "size": size_text(file["size"], t)}
            for file in step.files
        ],
        "types": types_text(accept, t),
        "accept": ",".join(accept),
        "size": size_text(config["maxSize"], t),
        "max_size": config["maxSize"],
        "most": config["max"],
        "least": config["min"],
        "camera": not accept or any(one.startswith("image/") for one in accept),
    }


def _summary(fields: Sequence[FieldView], attempt: Attempt) -> list[Trouble]:
    by_pointer = {one.pointer: one for top in fields for one in _all(top)}
    found = [Trouble(sentence) for sentence in attempt.general]
    for pointer, sentence in attempt.problems.items():
        one = by_pointer.get(pointer)
        plain = Trouble(sentence, target=_PLAIN_TARGETS.get(pointer, ""))
        found.append(Trouble(sentence, one.label, one.first_id) if one else plain)
    return found


def _all(one: FieldView) -> list[FieldView]:
    return [one, *(below for inner in one.fields for below in _all(inner))]


def _end(screen: Screen, end: StepView, theme: Theme, t: Language) -> View:
    title = t.of(end.config["title"])
    values = {
        "picture": "check",
        "good": True,
        "title": title,
        "lead": t.of(end.config["text"]),
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
    return View("state.html", title, values, calm=True, data={"end": "true", "status": screen.status, **waits})


def start_tongues(link: LinkView) -> tuple[Language, ...]:
    """The languages that the switch at a link offers."""
    found = spoken([link.title])
    return found if len(found) > 1 else tuple(languages().values())


# Words for files.

_UNITS: Final = ("B", "KB", "MB", "GB")
_NAMES: Final = {
    "application/pdf": "PDF",
    "application/msword": "DOC",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/zip": "ZIP",
    "image/jpeg": "JPEG",
    "text/plain": "TXT",
}


def size_text(size: int, t: Language) -> str:
    """`3.4 MB`, `3,4 MB`: 1 KB is 1,024 bytes."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    text = f"{amount:.1f}".removesuffix(".0").replace(".", t.decimal)
    return f"{text}\u00a0{_UNITS[unit]}"


def types_text(accept: Sequence[str], t: Language) -> str:
    """Media types as people know them."""
    if not accept:
        return t("upload.any")
    words = (
        t("upload.images") if one == "image/*" else _NAMES.get(one, one.partition("/")[2].upper()) for one in accept
    )
    return ", ".join(words)
