"""Why a link cannot be used."""

from __future__ import annotations

from datetime import datetime

from passerelle.errors import PasserelleError
from passerelle.links.errors import OF_STATE
from passerelle.links.models import Link, LinkState


def refusal(link: Link | None, now: datetime) -> PasserelleError:
    """The error for a link that is not fresh, or not there."""
    code, message = OF_STATE[LinkState.UNKNOWN if link is None else link.state(now)]
    return code.error(message)
