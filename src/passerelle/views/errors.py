"""What can be wrong with a request about views."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

VIEW_NOT_FOUND: Final = Code("VIEW_NOT_FOUND", 404, "There is no such view, or it is another person's own.")
VIEW_NOT_YOURS: Final = Code(
    "VIEW_NOT_YOURS", 403, "A shared view is changed and deleted by whoever made it, or with `can_manage_tables`."
)
VIEW_VERSION_CONFLICT: Final = Code(
    "VIEW_VERSION_CONFLICT", 412, "The view has changed since the version that `If-Match` names. Read it again."
)
VIEWS_TOO_MANY: Final = Code("VIEWS_TOO_MANY", 409, "A page has as many views as it may have. Delete some.")
VIEW_TOO_LARGE: Final = Code("VIEW_TOO_LARGE", 400, "What a view holds is longer than 20,000 characters of JSON.")
