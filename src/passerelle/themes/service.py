"""Themes of every workspace, kept in memory for a moment: every page asks for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Final
from uuid import UUID

from passerelle.errors import Code, PasserelleError
from passerelle.kit.clock import Clock, system_clock
from passerelle.themes.css import css_variables
from passerelle.themes.logos import LOGO_INVALID, Image, read_data_url
from passerelle.themes.models import Logo, Theme
from passerelle.themes.palettes import CONTRAST_TOO_LOW, colours, problems
from passerelle.themes.repository import StoredTheme, ThemeRepository
from passerelle.themes.schemas import ThemeBody

THEME_FILE_NOT_FOUND: Final = Code("THEME_FILE_NOT_FOUND", 404, "There is no such stylesheet or logo (any more).")

KEPT_SECONDS: Final = 10
"""How long another process may show the theme from before a change."""
_KEPT_WORKSPACES: Final = 1_000


class Themes:
    """The feature's service. `timer` counts seconds; tests move it by hand."""

    def __init__(
        self, repository: ThemeRepository, clock: Clock = system_clock, timer: Callable[[], float] = monotonic
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._timer = timer
        self._kept: dict[UUID, _Kept] = {}
        self._changes = 0

    async def of(self, workspace_id: UUID) -> Theme:
        """The workspace's theme; without one, our colours and the workspace's name."""
        kept = self._kept.get(workspace_id)
        if kept is not None and self._timer() < kept.until:
            return kept.theme
        changes, now = self._changes, self._timer()
        stored = await self._repository.find(workspace_id)
        if stored is None:
            return _theme(workspace_id, _NOTHING)
        theme = _theme(workspace_id, stored)
        if changes == self._changes:  # else it may be the one from before the change
            if len(self._kept) >= _KEPT_WORKSPACES:
                self._kept.clear()
            self._kept[workspace_id] = _Kept(theme, now + KEPT_SECONDS)
        return theme

    async def put(self, workspace_id: UUID, body: ThemeBody, by: str) -> Theme:
        """Set the whole theme. Raises all of CONTRAST_TOO_LOW and LOGO_INVALID that apply."""
        light, dark = body.colours.light.given(), body.colours.dark.given()
        wrong = problems(light, dark)
        try:
            logo = await self._logo(workspace_id, body.logo)
        except PasserelleError as error:
            wrong.extend(error.problems)
        if wrong:
            raise PasserelleError(CONTRAST_TOO_LOW.status, wrong)
        given = StoredTheme(
            workspace_name="",
            name=body.name,
            font=body.font,
            colours={"light": light, "dark": dark},
            allowed_origins=tuple(dict.fromkeys(body.allowed_origins)),
            redirect_targets=tuple(dict.fromkeys(body.redirect_targets)),
            logo_digest=None if logo is None else logo.digest,
            logo_kind=None if logo is None else logo.kind,
            logo_width=None if logo is None else logo.width,
            logo_height=None if logo is None else logo.height,
            updated_at=self._clock(),
            updated_by=by,
        )
        await self._repository.put(workspace_id, given, logo)
        self._changes += 1
        self._kept.pop(workspace_id, None)
        return await self.of(workspace_id)

    async def css(self, workspace_id: UUID) -> str:
        """The stylesheet with the theme's variables."""
        theme = await self.of(workspace_id)
        return css_variables(theme.colours, theme.font)

    async def logo(self, workspace_id: UUID, digest: str) -> Image:
        """The logo with this digest. Raises THEME_FILE_NOT_FOUND."""
        image = await self._repository.logo(workspace_id)
        if image is None or image.digest != digest:
            raise THEME_FILE_NOT_FOUND.error("there is no such logo (any more)")
        return image

    async def _logo(self, workspace_id: UUID, given: str | None) -> Image | None:
        if given is None:
            return None
        if given.startswith("data:"):
            return read_data_url(given)
        current = await self._repository.logo(workspace_id)
        if current is None or not given.endswith(_logo_path(workspace_id, current.digest, current.kind)):
            raise LOGO_INVALID.error(
                "send the logo as a data URL, `data:image/png;base64,…`, or the address that GET /theme shows", "/logo"
            )
        return current


@dataclass(frozen=True, slots=True)
class _Kept:
    """A theme in memory, until the timer says so."""

    theme: Theme
    until: float


_NOTHING: Final = StoredTheme("Passerelle", None, "system", {}, (), (), None, None, None, None, None, None)


def _theme(workspace_id: UUID, stored: StoredTheme) -> Theme:
    both = colours(stored.colours.get("light", {}), stored.colours.get("dark", {}))
    digest = sha256(css_variables(both, stored.font).encode()).hexdigest()[:16]
    return Theme(
        name=stored.name or stored.workspace_name,
        logo=_stored_logo(workspace_id, stored),
        colours=both,
        font=stored.font,
        allowed_origins=stored.allowed_origins,
        redirect_targets=stored.redirect_targets,
        stylesheet=f"/themes/{workspace_id}/{digest}.css",
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
    )


def _stored_logo(workspace_id: UUID, stored: StoredTheme) -> Logo | None:
    if stored.logo_digest is None or stored.logo_kind is None:
        return None
    path = _logo_path(workspace_id, stored.logo_digest, stored.logo_kind)
    return Logo(path, stored.logo_width or 0, stored.logo_height or 0)


def _logo_path(workspace_id: UUID, digest: str, kind: str) -> str:
    return f"/themes/{workspace_id}/{digest}.{kind}"
