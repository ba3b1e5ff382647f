"""What can be wrong with what an end user does."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

STEP_NOT_CURRENT: Final = Code(
    "STEP_NOT_CURRENT", 409, "The execution does not wait for an answer to that step, or not any more."
)
NO_WAY_BACK: Final = Code(
    "NO_WAY_BACK", 409, "There is no step to go back to: what came before had an effect, or there was nothing before."
)
DRAFT_TOO_LARGE: Final = Code("DRAFT_TOO_LARGE", 413, "More was typed into one step than can be kept.")
FILE_TYPE_NOT_ACCEPTED: Final = Code(
    "FILE_TYPE_NOT_ACCEPTED", 400, "The file is, by its content, of a type that the step does not take."
)
DOCUMENT_UNKNOWN: Final = Code(
    "DOCUMENT_UNKNOWN", 400, "The step does not ask for the document that a file is sent as."
)
FILE_HARMFUL: Final = Code(
    "FILE_HARMFUL", 400, "The file is, or holds, what scanners know as a virus or its test file."
)
TOO_MANY_FILES: Final = Code("TOO_MANY_FILES", 409, "The step has as many files as it takes. Remove one first.")
CONSENT_NOT_FOUND: Final = Code("CONSENT_NOT_FOUND", 404, "Nobody has agreed to anything at that step and visit.")
CONSENT_NOT_READABLE: Final = Code(
    "CONSENT_NOT_READABLE", 410, "What was agreed to was erased, or cannot be read any more, or makes no file."
)
PDF_NOT_INSTALLED: Final = Code(
    "PDF_NOT_INSTALLED", 501, "The installation has no typesetter: `pip install 'passerelle[pdf]'` brings it."
)
TOO_MANY_SUBMISSIONS: Final = Code(
    "TOO_MANY_SUBMISSIONS",
    429,
    "An end user sent more in a minute than a person can. `Retry-After` says when to go on.",
)
