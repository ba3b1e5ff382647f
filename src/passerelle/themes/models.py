"""A theme as the rest of the code sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from passerelle.themes.brand import Brand

FONTS: Final = {
    "system": 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
    "humanist": 'Seravek, "Gill Sans Nova", Ubuntu, Calibri, "DejaVu Sans", source-sans-pro, sans-serif',
    "geometric": 'Avenir, Montserrat, Corbel, "URW Gothic", source-sans-pro, sans-serif',
    "rounded": 'ui-rounded, "Hiragino Maru Gothic ProN", Quicksand, Comfortaa, Manjari, Calibri, sans-serif',
    "serif": 'Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif',
}
"""Font stacks by name. They stand on what devices have: no font is loaded."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scheme, each `#rrggbb`. Whatever stands on something can be read there (WCAG 2.2 AA)."""

    accent: str
    """Buttons, links, progress; readable on `background` and `surface`."""
    accent_text: str
    """Text on `accent`."""
    background: str
    """Behind the page."""
    surface: str
    """Behind cards and fields."""
    text: str
    muted: str
    """Hints; readable like `text`."""
    border: str
    """Edges of fields: ratio 3 to `background` and `surface`."""
    danger: str
    success: str


@dataclass(frozen=True, slots=True)
class Colours:
    """Both schemes; the browser chooses."""

    light: Palette
    dark: Palette


@dataclass(frozen=True, slots=True)
class Logo:
    """The address of an image, below our own, and its size in pixels."""

    path: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Theme:
    """How the pages and e-mails of a workspace look, and where they may be shown and lead to."""

    name: str
    """What end users know the workspace as."""
    logo: Logo | None
    colours: Colours
    font: str
    """One of `FONTS`."""
    allowed_origins: tuple[str, ...]
    """Sites that may show the widget, such as `https://app.example.com` or `http://localhost:*`."""
    redirect_targets: tuple[str, ...]
    """Where an end page may lead: origins, or addresses that stand for all below them."""
    brand: Brand = field(default_factory=Brand)
    files: Mapping[str, Logo] = field(default_factory=dict)
    """The other files that pages load, by `dark_logo`, `favicon` and `font`."""
    stylesheet: str = ""
    """The path of the CSS file with the variables; its name changes with its content."""
    updated_at: datetime | None = None
    """None: nothing was set."""
    updated_by: str | None = None
    version: int = 0
    """How often it was set."""

    def allows_redirect(self, url: str) -> bool:
        """Whether an end page may lead to this address."""
        return any(_is_below(url, target) for target in self.redirect_targets)

    @property
    def frame_ancestors(self) -> str:
        """The value of the Content-Security-Policy directive for pages inside the widget."""
        return " ".join(("'self'", *self.allowed_origins))


def _is_below(url: str, target: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(target)
        ports = (one.port, other.port)
    except ValueError:
        return False
    if "@" in one.netloc or "\\" in url or any(char <= " " for char in url):
        return False  # browsers read such addresses in ways of their own
    if (one.scheme, one.hostname, ports[0]) != (other.scheme, other.hostname, ports[1]):
        return False
    within = other.path.rstrip("/")
    segments = unquote(one.path).split("/")
    return ".." not in segments and (one.path == within or one.path.startswith(within + "/") or within == "")
