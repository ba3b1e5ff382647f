"""The error codes of this feature."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

SECRET_NAME_INVALID: Final = Code(
    "SECRET_NAME_INVALID",
    400,
    "A secret's name has 1 to 64 capital letters, digits and `_`, and begins with a letter.",
)
SECRET_NOT_FOUND: Final = Code("SECRET_NOT_FOUND", 404, "This workspace has no secret with that name.")
SECRET_UNREADABLE: Final = "SECRET_UNREADABLE"  # noqa: S105 - a code
"""The code of a step's failure: no key of `PASSERELLE_SECRET_KEY` decrypts a secret of its workspace."""
