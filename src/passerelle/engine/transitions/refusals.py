"""What `advance` refuses: a person asked for something that the status of an execution does not allow."""

from __future__ import annotations


class NotAllowed(Exception):  # noqa: N818 - a refusal, not a fault
    """The signal does not fit the execution's status; nothing changes."""


class NotCurrent(NotAllowed):
    """The end user answered a step at which the execution does not rest, or not any more."""


class NoWayBack(NotAllowed):
    """There is no earlier step that the end user could go back to."""
