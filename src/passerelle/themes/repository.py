"""Themes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import Code
from passerelle.themes.logos import Image

THEME_CHANGED: Final = Code(
    "THEME_CHANGED", 409, "Somebody else has set the theme since the version that this was made of."
)


@dataclass(frozen=True, slots=True)
class StoredTheme:
    """What was given; `None` where nothing was."""

    workspace_name: str
    name: str | None
    font: str
    colours: Mapping[str, Mapping[str, str]]
    allowed_origins: tuple[str, ...]
    redirect_targets: tuple[str, ...]
    logo_digest: str | None
    logo_kind: str | None
    logo_width: int | None
    logo_height: int | None
    updated_at: datetime | None
    updated_by: str | None
    brand: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Digest, kind, width and height by role."""
    version: int = 0
    """How often it was set."""


class ThemeRepository:
    """Every query names the workspace; row-level security names it again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, workspace_id: UUID) -> StoredTheme | None:
        """The theme, or what stands for one that was never set; None where there is no such workspace."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                """
                SELECT w.name AS workspace_name, t.name, coalesce(t.font, 'system') AS font,
                    coalesce(t.colours, '{}') AS colours, coalesce(t.allowed_origins, '{}') AS allowed_origins,
                    coalesce(t.redirect_targets, '{}') AS redirect_targets,
                    t.logo_digest, t.logo_kind, t.logo_width, t.logo_height, t.updated_at, t.updated_by,
                    coalesce(t.version, 0) AS version, coalesce(t.brand, '{}') AS brand,
                    (SELECT coalesce(jsonb_object_agg(f.role, jsonb_build_object(
                        'digest', f.digest, 'kind', f.kind, 'width', f.width, 'height', f.height)), '{}')
                     FROM theme_file f WHERE f.workspace_id = w.workspace_id) AS files
                FROM workspace w LEFT JOIN theme t USING (workspace_id) WHERE w.workspace_id = $1
                """,
                workspace_id,
            )
        return None if row is None else StoredTheme(**{key: _frozen(value) for key, value in row.items()})

    async def logo(self, workspace_id: UUID) -> Image | None:
        """The logo's bytes."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT logo AS content, logo_kind AS kind, logo_width AS width, logo_height AS height "
                "FROM theme WHERE workspace_id = $1 AND logo IS NOT NULL",
                workspace_id,
            )
        return None if row is None else Image(**row)

    async def file(self, workspace_id: UUID, digest: str) -> Image | None:
        """Another file by its digest."""
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT content, kind, width, height FROM theme_file WHERE workspace_id = $1 AND digest = $2 LIMIT 1",
                workspace_id,
                digest,
            )
        return None if row is None else Image(**row)

    async def put(
        self,
        workspace_id: UUID,
        theme: StoredTheme,
        logo: Image | None,
        files: Mapping[str, Image],
        instead_of: int | None,
    ) -> None:
        """Set the whole theme. Raises THEME_CHANGED where it has another version than `instead_of`, if that is said."""
        async with self._database.transaction(workspace_id) as connection:
            await _require_version(connection, workspace_id, instead_of)
            await connection.execute("DELETE FROM theme_file WHERE workspace_id = $1", workspace_id)
            for role, one in files.items():
                await connection.execute(
                    "INSERT INTO theme_file (workspace_id, role, digest, kind, width, height, content) "
                    "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    *(workspace_id, role, one.digest, one.kind, one.width, one.height, one.content),
                )
            await connection.execute(
                """
                INSERT INTO theme (workspace_id, name, font, colours, allowed_origins, redirect_targets,
                    logo, logo_digest, logo_kind, logo_width, logo_height, updated_at, updated_by, brand)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                ON CONFLICT (workspace_id) DO UPDATE SET
                    name = excluded.name, font = excluded.font, colours = excluded.colours,
                    allowed_origins = excluded.allowed_origins, redirect_targets = excluded.redirect_targets,
                    logo = excluded.logo, logo_digest = excluded.logo_digest, logo_kind = excluded.logo_kind,
                    logo_width = excluded.logo_width, logo_height = excluded.logo_height,
                    updated_at = excluded.updated_at, updated_by = excluded.updated_by, brand = excluded.brand,
                    version = theme.version + 1
                """,
                *(workspace_id, theme.name, theme.font, theme.colours),
                *(list(theme.allowed_origins), list(theme.redirect_targets)),
                *(None if logo is None else logo.content, theme.logo_digest, theme.logo_kind),
                *(theme.logo_width, theme.logo_height, theme.updated_at, theme.updated_by, theme.brand),
            )


async def _require_version(connection: Connection, workspace_id: UUID, instead_of: int | None) -> None:
    # Whoever sets a theme holds its workspace: two that have seen the same one take turns.
    await connection.execute("SELECT FROM workspace WHERE workspace_id = $1 FOR NO KEY UPDATE", workspace_id)
    row = await connection.fetchrow("SELECT version, updated_by FROM theme WHERE workspace_id = $1", workspace_id)
    if instead_of is not None and row is not None and row["version"] != instead_of:
        raise THEME_CHANGED.error(
            f"{row['updated_by']} has set version {row['version']} of the theme meanwhile: read it, make your change "
            "of that one, and send its `version`",
            "/version",
        )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
