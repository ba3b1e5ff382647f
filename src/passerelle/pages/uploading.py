"""Files of an upload step: one as a whole body, which a script sends with its progress, or several in a plain form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from passerelle.errors import PasserelleError
from passerelle.executions.visitor.errors import (
    FILE_HARMFUL,
    FILE_TYPE_NOT_ACCEPTED,
    TOO_MANY_FILES,
    TOO_MANY_SUBMISSIONS,
)
from passerelle.executions.visitor.models import StepView
from passerelle.executions.visitor.service import Visitor
from passerelle.kit.http.bodies import BODY_TOO_LARGE
from passerelle.links.models import Session
from passerelle.pages.browsers import Browsers, Visit
from passerelle.pages.posts import chunks_of, file_name, files_of
from passerelle.pages.texts import Language
from passerelle.pages.views import size_text
from passerelle.resources.errors import FILE_EMPTY, FILE_NAME_INVALID, FILE_TOO_LARGE, FILE_TYPE_MISMATCH

_KEYS: Final[Mapping[str, str]] = {
    FILE_TOO_LARGE.name: "upload.too_large",
    BODY_TOO_LARGE.name: "upload.too_large",
    FILE_EMPTY.name: "upload.empty",
    FILE_NAME_INVALID.name: "upload.name",
    FILE_TYPE_MISMATCH.name: "upload.wrong_type",
    FILE_TYPE_NOT_ACCEPTED.name: "upload.wrong_type",
    FILE_HARMFUL.name: "upload.refused",
    TOO_MANY_FILES.name: "upload.too_many",
    TOO_MANY_SUBMISSIONS.name: "problem.too_fast",
}
_AROUND: Final = 100_000
"""Bytes that a form may have besides its files."""


async def keep_one(request: Request, visitor: Visitor, session: Session, step: str, visit: int) -> None:
    """Keep the file that is the request's body. Raises what `Visitor.add_file` raises."""
    place = (session.workspace_id, session.execution_id, step, visit)
    await visitor.add_file(*place, file_name(request), request.stream())


async def keep_several(
    request: Request, visitor: Visitor, visit: Visit, browsers: Browsers, step: StepView, t: Language
) -> list[str]:
    """Keep the files of a plain form, those that can be; a sentence for each of the others.

    Raises REQUEST_FOREIGN, and whatever is not about one of the files.
    """
    largest = step.config["maxSize"] * step.config["max"] + _AROUND
    fields, files = await files_of(request, largest=largest, most=step.config["max"] + 1)
    session, wrong = visit.session, []
    try:
        browsers.require_own(request, visit, fields.get("_token"))
        for file in files:
            place = (session.workspace_id, session.execution_id, step.id, step.visit)
            try:
                await visitor.add_file(*place, file.filename or "", chunks_of(file))
            except PasserelleError as error:
                sentence = sentence_of(error, step, t)
                if sentence is None:
                    raise
                wrong.append(f"{file.filename}: {sentence}")
    finally:
        for file in files:
            await file.close()
    return wrong if files else [t("upload.missing")]


def sentence_of(error: PasserelleError, step: StepView | None, t: Language) -> str | None:
    """What an end user is told about a file that was not kept; None where it is not about the file."""
    key = _KEYS.get(error.problems[0].code)
    if key is None:
        return None
    size = size_text(step.config["maxSize"], t) if step is not None and step.kind == "upload" else ""
    most = step.config["max"] if step is not None and step.kind == "upload" else ""
    return t(key, size=size, most=most, seconds=error.headers.get("Retry-After", "60"))
