"""The error codes of this feature."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

RETENTION_INVALID: Final = Code(
    "RETENTION_INVALID",
    400,
    "A kind of data is kept for a time such as `400d`, or for `ever`: not shorter than the message says, "
    "and not longer than ten years.",
)
