"""Themes of every workspace, kept in memory for a moment: every page asks for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.memory import Memory, Remembered
from passerelle.themes.brand import SENDER_NOT_ALLOWED, Brand
from passerelle.themes.css import css_variables
from passerelle.themes.logos import LOGO_INVALID, Image, read_data_url, read_font
from passerelle.themes.models import Colours, Logo, Theme
from passerelle.themes.palettes import CONTRAST_TOO_LOW, colours, problems
from passerelle.themes.repository import StoredTheme, ThemeRepository
from passerelle.themes.schemas import ThemeBody

THEME_FILE_NOT_FOUND: Final = Code("THEME_FILE_NOT_FOUND", 404, "There is no such stylesheet or logo (any more).")

_KEPT_WORKSPACES: Final = 1_000


class Themes:
    """The feature's service."""

    def __init__(
        self,
        repository: ThemeRepository,
        clock: Clock = system_clock,
        memory: Memory | None = None,
        mail_domains: frozenset[str] = frozenset(),
    ) -> None:
        """`mail_domains`: those of addresses that messages may come from."""
        self._repository = repository
        self._mail_domains = mail_domains
        self._clock = clock
        self._kept: Remembered[UUID, Theme] = (memory or Memory()).of(
            ("theme", "workspace"), lambda workspace_id, _: workspace_id, size=_KEPT_WORKSPACES
        )

    async def of(self, workspace_id: UUID) -> Theme:
        """The workspace's theme; without one, our colours and the workspace's name."""
        return await self._kept.get(workspace_id, lambda: self._read(workspace_id))

    async def zone(self, workspace_id: UUID) -> ZoneInfo | None:
        """The workspace's time zone; None where none was given."""
        brand = (await self.of(workspace_id)).brand
        return brand.zone if brand.time_zone else None

    async def put(self, workspace_id: UUID, body: ThemeBody, by: str) -> Theme:
        """Set the whole theme. Raises all of CONTRAST_TOO_LOW and LOGO_INVALID that apply, or THEME_CHANGED."""
        light, dark = body.colours.light.given(), body.colours.dark.given()
        wrong = problems(light, dark)
        try:
            logo = await self._logo(workspace_id, body.logo)
        except PasserelleError as error:
            wrong.extend(error.problems)
        files: dict[str, Image] = {}
        for role, given_file in body.files().items():
            try:
                files[role] = await self._file(workspace_id, role, given_file)
            except PasserelleError as error:
                wrong.extend(error.problems)
        brand = body.brand()
        domain = brand.sender_address.rpartition("@")[2]
        if domain and domain not in self._mail_domains:
            known = ", ".join(f"`{one}`" for one in sorted(self._mail_domains)) or "none"
            said = f"messages may not come from `{domain}`: the operator allows {known} (`PASSERELLE_MAIL_DOMAINS`)"
            wrong.append(SENDER_NOT_ALLOWED.problem(said, "/sender/address"))
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
            brand=brand.facts(),
        )
        await self._repository.put(workspace_id, given, logo, files, body.version)
        self._kept.forget(workspace_id)
        return await self.of(workspace_id)

    async def draft(self, workspace_id: UUID, body: ThemeBody) -> Theme:
        """How a theme would look that is not set, also where it cannot be read. Its logo is the present one."""
        both = colours(body.colours.light.given(), body.colours.dark.given())
        now = await self.of(workspace_id)
        return replace(now, name=body.name or now.name, colours=both, font=body.font)

    async def css(self, workspace_id: UUID) -> str:
        """The stylesheet with the theme's variables."""
        theme = await self.of(workspace_id)
        return _css(theme.colours, theme.font, theme.brand, theme.files)

    async def logo(self, workspace_id: UUID, digest: str) -> Image:
        """The logo, or another file, with this digest. Raises THEME_FILE_NOT_FOUND."""
        image = await self._repository.logo(workspace_id)
        if image is None or image.digest != digest:
            image = await self._repository.file(workspace_id, digest)
        if image is None or image.digest != digest:
            raise THEME_FILE_NOT_FOUND.error("there is no such logo (any more)")
        return image

    async def _read(self, workspace_id: UUID) -> Theme:
        stored = await self._repository.find(workspace_id)
        return _theme(workspace_id, _NOTHING if stored is None else stored)

    async def _file(self, workspace_id: UUID, role: str, given: str) -> Image:
        if given.startswith("data:"):
            return read_font(given) if role == "font" else read_data_url(given)
        kept = (await self.of(workspace_id)).files.get(role)
        digest = (
            kept.path.rpartition("/")[2].partition(".")[0] if kept is not None and given.endswith(kept.path) else ""
        )
        found = await self._repository.file(workspace_id, digest) if digest else None
        if found is None:
            raise LOGO_INVALID.error("send it as a data URL, or the address that GET /theme shows", f"/{_NAMES[role]}")
        return found

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


_NOTHING: Final = StoredTheme("Passerelle", None, "system", {}, (), (), None, None, None, None, None, None)


_NAMES: Final = {"dark_logo": "darkLogo", "favicon": "favicon", "font": "fontFile"}


def _css(colours: Colours, font: str, brand: Brand, files: Mapping[str, Logo]) -> str:
    own = files.get("font")
    return css_variables(colours, font, brand.scheme, None if own is None else own.path)


def _theme(workspace_id: UUID, stored: StoredTheme) -> Theme:
    both = colours(stored.colours.get("light", {}), stored.colours.get("dark", {}))
    brand = Brand.stored(stored.brand)
    files = {
        role: Logo(_logo_path(workspace_id, one["digest"], one["kind"]), one["width"], one["height"])
        for role, one in stored.files.items()
    }
    digest = sha256(_css(both, stored.font, brand, files).encode()).hexdigest()[:16]
    return Theme(
        name=stored.name or stored.workspace_name,
        logo=_stored_logo(workspace_id, stored),
        colours=both,
        font=stored.font,
        brand=brand,
        files=files,
        allowed_origins=stored.allowed_origins,
        redirect_targets=stored.redirect_targets,
        stylesheet=f"/themes/{workspace_id}/{digest}.css",
        updated_at=stored.updated_at,
        updated_by=stored.updated_by,
        version=stored.version,
    )


def _stored_logo(workspace_id: UUID, stored: StoredTheme) -> Logo | None:
    if stored.logo_digest is None or stored.logo_kind is None:
        return None
    path = _logo_path(workspace_id, stored.logo_digest, stored.logo_kind)
    return Logo(path, stored.logo_width or 0, stored.logo_height or 0)


def _logo_path(workspace_id: UUID, digest: str, kind: str) -> str:
    return f"/themes/{workspace_id}/{digest}.{kind}"
