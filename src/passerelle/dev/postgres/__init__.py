"""The embedded PostgreSQL: one cluster in one folder, run for as long as one process lives."""

from __future__ import annotations

from passerelle.dev.postgres.errors import EmbeddedError
from passerelle.dev.postgres.supervisor import EmbeddedPostgres

__all__ = ["EmbeddedError", "EmbeddedPostgres"]
