"""The error codes of this feature."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

HOLD_NOT_FOUND: Final = Code("HOLD_NOT_FOUND", 404, "The workspace has no legal hold with this id.")
HOLD_SUBJECT_UNKNOWN: Final = Code(
    "HOLD_SUBJECT_UNKNOWN", 404, "The workspace has no record or execution with this id, so it cannot be held."
)
HOLD_SUBJECT_INVALID: Final = Code(
    "HOLD_SUBJECT_INVALID", 400, "A hold on a record or an execution names its id; one on the workspace names none."
)
ALREADY_HELD: Final = Code("ALREADY_HELD", 409, "There is a legal hold on it already; the message names it.")
UNDER_LEGAL_HOLD: Final = Code(
    "UNDER_LEGAL_HOLD", 409, "A legal hold keeps this: nothing of it is removed until somebody releases the hold."
)
