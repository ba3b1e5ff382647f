"""Files of an upload step: one as a whole body, which a script sends with its progress, or several in a plain form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from passerelle.end_user.pages.browsers import Browsers, BrowserVisit
from passerelle.end_user.pages.form_bodies import chunks_of, file_name, files_of
from passerelle.end_user.pages.presenters.upload import document_of, size_text
from passerelle.end_user.session.errors import (
    DOCUMENT_UNKNOWN,
    FILE_HARMFUL,
    FILE_TYPE_NOT_ACCEPTED,
    TOO_MANY_FILES,
    TOO_MANY_SUBMISSIONS,
)
from passerelle.end_user.session.models import StepView
from passerelle.end_user.session.service import EndUserSessions
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.bodies import BODY_TOO_LARGE
from passerelle.kit.ids import parse_id
from passerelle.kit.json import JsonObject
from passerelle.languages.language import Language
from passerelle.links.models import EndUserSession
from passerelle.resources.errors import (
    FILE_ACTIVE,
    FILE_BROKEN,
    FILE_EMPTY,
    FILE_LOCKED,
    FILE_TOO_LARGE,
    FILE_TOO_MANY_PIXELS,
    FILE_TYPE_MISMATCH,
)

_KEYS: Final[Mapping[str, str]] = {
    FILE_TOO_LARGE.name: "upload.too_large",
    BODY_TOO_LARGE.name: "upload.too_large",
    FILE_EMPTY.name: "upload.empty",
    FILE_LOCKED.name: "upload.locked",
    FILE_BROKEN.name: "upload.damaged",
    FILE_ACTIVE.name: "upload.active",
    FILE_TOO_MANY_PIXELS.name: "upload.pixels",
    FILE_TYPE_MISMATCH.name: "upload.wrong_type",
    FILE_TYPE_NOT_ACCEPTED.name: "upload.wrong_type",
    FILE_HARMFUL.name: "upload.refused",
    TOO_MANY_FILES.name: "upload.too_many",
    TOO_MANY_SUBMISSIONS.name: "problem.too_fast",
}
_AROUND: Final = 100_000
"""Bytes that a form may have besides its files."""


async def keep_one(request: Request, sessions: EndUserSessions, session: EndUserSession, step: str, visit: int) -> None:
    """Keep the file that is the request's body. Raises what `EndUserSessions.add_file` raises."""
    place = (session.workspace_id, session.execution_id, step, visit)
    replaces = parse_id(request.query_params.get("replaces", ""))
    await sessions.add_file(
        *place, file_name(request), request.stream(), document=document_in(request), replaces=replaces
    )


def document_in(request: Request) -> str:
    """Which of the step's documents the address names."""
    return request.query_params.get("document", "")


async def keep_several(
    request: Request, sessions: EndUserSessions, visit: BrowserVisit, browsers: Browsers, step: StepView, t: Language
) -> list[str]:
    """Keep the files of a plain form, those that can be; a sentence for each of the others.

    Raises REQUEST_FOREIGN, and whatever is not about one of the files.
    """
    document = _document(request, step)
    largest = document["maxSize"] * document["max"] + _AROUND
    fields, files = await files_of(request, largest=largest, most=document["max"] + 1)
    session, wrong = visit.session, []
    try:
        browsers.require_own(request, visit, fields.get("_token"))
        for file in files:
            place = (session.workspace_id, session.execution_id, step.id, step.visit)
            try:
                await sessions.add_file(*place, file.filename or "", chunks_of(file), document=document["id"])
            except PasserelleError as error:
                sentence = sentence_of(error, document, t)
                if sentence is None:
                    raise
                wrong.append(f"{file.filename}: {sentence}")
    finally:
        for file in files:
            await file.close()
    return wrong if files else [t("upload.missing")]


def sentence_of(error: PasserelleError, document: JsonObject | None, t: Language) -> str | None:
    """What an end user is told about a file that was not kept; None where it is not about the file."""
    key = _KEYS.get(error.problems[0].code)
    if key is None:
        return None
    size = size_text(document["maxSize"], t) if document is not None else ""
    most = document["max"] if document is not None else ""
    return t(key, size=size, most=most, seconds=error.headers.get("Retry-After", "60"))


def _document(request: Request, step: StepView) -> JsonObject:
    """The document that the address names. Raises DOCUMENT_UNKNOWN."""
    name = document_in(request)
    found = document_of(step, name)
    if found is None:
        raise DOCUMENT_UNKNOWN.error(f"the step {step.id} asks for no document `{name}`: load the page again")
    return found
