"""What ends the command."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot do its work; the message says in one line what to do."""
