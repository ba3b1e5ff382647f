"""What can be wrong with links, tokens and codes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from passerelle.kit.errors import Code, PasserelleError
from passerelle.links.models import Link, LinkState

WORKFLOW_NEEDS_NO_USER: Final = Code(
    "WORKFLOW_NEEDS_NO_USER",
    409,
    "The definition has no steps for an end user. Use `POST /workflows/run` or `POST /workflows`.",
)
EMAIL_REQUIRED: Final = Code("EMAIL_REQUIRED", 400, "Version 2 of `POST /link/send` needs `email`.")
EMAIL_INVALID: Final = Code("EMAIL_INVALID", 400, "`email` is not an e-mail address.")
CASE_HAS_NO_EMAIL: Final = Code(
    "CASE_HAS_NO_EMAIL", 400, "The case has no e-mail address that a link could be sent to."
)
LINK_UNADDRESSED: Final = Code(
    "LINK_UNADDRESSED", 409, "No e-mail address is known that the link could be sent to; name one as `email`."
)
LINK_NOT_FOUND: Final = Code("LINK_NOT_FOUND", 404, "There is no such link, or it belongs to another workspace.")
LINK_SPENT: Final = Code("LINK_SPENT", 409, "The link was used before, in another browser.")
LINK_EXPIRED: Final = Code("LINK_EXPIRED", 409, "The link's time is over.")
LINK_SUPERSEDED: Final = Code("LINK_SUPERSEDED", 409, "A newer link took the place of this one.")
LINK_DELETED: Final = Code("LINK_DELETED", 409, "The link is no longer valid.")
LINK_CANCELLED: Final = Code("LINK_CANCELLED", 409, "What the link leads to was cancelled.")
LINK_FINISHED: Final = Code("LINK_FINISHED", 409, "What the link leads to is over.")
CHALLENGE_REQUIRED: Final = Code(
    "CHALLENGE_REQUIRED", 403, "A link is activated by its page's own script after a key or a click, or by a code."
)
CODE_WRONG: Final = Code("CODE_WRONG", 403, "The code is wrong, too old, or was tried too often.")
CODES_TOO_MANY: Final = Code(
    "CODES_TOO_MANY", 429, "Too many codes were asked for. Wait as long as `Retry-After` says."
)
COPIES_TOO_MANY: Final = Code(
    "COPIES_TOO_MANY", 429, "Copies of the text were sent before, as many as there are in a day."
)
HANDOVER_GONE: Final = Code(
    "HANDOVER_GONE", 410, "The code that lends a step to another device was used, or its time is over."
)
WIDGET_TOKEN_INVALID: Final = Code("WIDGET_TOKEN_INVALID", 401, "The token is not one of this server's.")
WIDGET_TOKEN_EXPIRED: Final = Code("WIDGET_TOKEN_EXPIRED", 401, "The token's 60 minutes are over.")
WIDGET_TOKEN_SPENT: Final = Code("WIDGET_TOKEN_SPENT", 409, "The token has opened the widget before.")

OF_STATE: Final[Mapping[LinkState, tuple[Code, str]]] = {
    LinkState.SPENT: (LINK_SPENT, "this link was used in another browser: go on there, or ask for a code by e-mail"),
    LinkState.EXPIRED: (LINK_EXPIRED, "this link's time is over: ask for a new one"),
    LinkState.SUPERSEDED: (LINK_SUPERSEDED, "a newer link took the place of this one: use that one"),
    LinkState.DELETED: (LINK_DELETED, "this link is no longer valid: ask for a new one"),
    LinkState.CANCELLED: (LINK_CANCELLED, "what this link leads to was cancelled"),
    LinkState.FINISHED: (LINK_FINISHED, "what this link leads to is done: nothing is left to do"),
    LinkState.UNKNOWN: (LINK_NOT_FOUND, "there is no such link: check that it was copied whole"),
}
"""Why a link cannot be used, by its state."""


def refusal(link: Link | None, now: datetime) -> PasserelleError:
    """The error for a link that is not fresh, or not there."""
    code, message = OF_STATE[LinkState.UNKNOWN if link is None else link.state(now)]
    return code.error(message)
