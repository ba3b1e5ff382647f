"""What can be wrong with a request about drafts."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

DRAFT_NOT_FOUND: Final = Code("DRAFT_NOT_FOUND", 404, "There is no such draft, or it is another person's own.")
DRAFT_NOT_YOURS: Final = Code(
    "DRAFT_NOT_YOURS", 403, "Only whoever made a draft shares it, keeps it to themselves again or deletes it."
)
DRAFT_VERSION_CONFLICT: Final = Code(
    "DRAFT_VERSION_CONFLICT",
    412,
    "Somebody else saved the draft since the version that `If-Match` names. Read it again, and put both together.",
)
DRAFT_VERSION_MISSING: Final = Code(
    "DRAFT_VERSION_MISSING", 400, "A change of a draft's text names the version that it rests on in `If-Match`."
)
DRAFTS_TOO_MANY: Final = Code("DRAFTS_TOO_MANY", 409, "One person has as many drafts as they may have. Delete some.")
DRAFTS_NOT_KEPT: Final = Code(
    "DRAFTS_NOT_KEPT",
    409,
    "In this workspace definitions come from files only: take the builder's patch to where the files are.",
)
"""The workspace is set to files only."""
STEP_NOT_TRIED: Final = Code("STEP_NOT_TRIED", 400, "The text has problems, or no step of that kind and id.")
HTTP_TRY_NEEDS_ANOTHER: Final = Code(
    "HTTP_TRY_NEEDS_ANOTHER",
    409,
    "Here publishing needs a second person, so nobody sends secrets alone. Try the step without them.",
)
HTTP_TRIES_TOO_MANY: Final = Code(
    "HTTP_TRIES_TOO_MANY", 429, "Too many requests were tried. Wait as long as `Retry-After` says."
)
