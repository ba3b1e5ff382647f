"""How a statement appends to the log of events."""

from __future__ import annotations

from typing import Final

NEW_EVENT: Final = "INSERT INTO event (workspace_id, id, type, execution_id, data, created_at)"
"""Followed by a SELECT or VALUES of these."""
