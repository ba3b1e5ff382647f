"""The embedded PostgreSQL: one cluster in one folder, run for as long as one process lives."""

from __future__ import annotations

from passerelle.embedded.errors import EmbeddedError
from passerelle.embedded.supervisor import EmbeddedPostgres

__all__ = ["EmbeddedError", "EmbeddedPostgres"]
