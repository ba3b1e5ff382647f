"""The one thing that a caller of the embedded database has to catch."""

from __future__ import annotations

from passerelle.kit.errors import CommandError


class EmbeddedError(CommandError):
    """The embedded PostgreSQL cannot run. The text is one sentence that says why and what to do."""
