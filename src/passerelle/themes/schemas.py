"""Body and answer of the theme's endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.themes.addresses import checked_origin, checked_target
from passerelle.themes.contrast import COLOUR
from passerelle.themes.models import Palette, Theme

Font = Literal["system", "humanist", "geometric", "rounded", "serif"]


def _colour(text: str) -> str:
    if not COLOUR.fullmatch(text.lower()):
        raise ValueError(f"`{text}` is no colour: write six hexadecimal digits, such as #2d56c9")
    return text.lower()


Colour = Annotated[str, AfterValidator(_colour)]


class PaletteBody(Body):
    """Colours of one scheme. What is absent is chosen so that it can be read on the rest."""

    accent: Colour | None = Field(default=None, description="Buttons, links, progress.", examples=["#7a1fa2"])
    accent_text: Colour | None = Field(default=None, description="Text on buttons.")
    background: Colour | None = Field(default=None, description="Behind the page.")
    surface: Colour | None = Field(default=None, description="Behind cards and fields.")
    text: Colour | None = None

    def given(self) -> dict[str, str]:
        """The colours that are there."""
        return self.model_dump(exclude_none=True)


class ColoursBody(Body):
    """Both colour schemes. Without a dark accent the light one is made light enough."""

    light: PaletteBody = PaletteBody()
    dark: PaletteBody = PaletteBody()


class ThemeBody(Body):
    """A whole theme: what is absent is set back to what it is without a theme."""

    name: str | None = Field(
        default=None, min_length=1, max_length=80, description="What end users see; without it, the workspace's name."
    )
    logo: str | None = Field(
        default=None,
        max_length=60_000,
        description="A PNG, JPEG or WebP image of at most 30,000 bytes as a data URL; "
        "or the address that `GET /theme` shows, which keeps it.",
    )
    font: Font = "system"
    colours: ColoursBody = ColoursBody()
    allowed_origins: list[Annotated[str, AfterValidator(checked_origin)]] = Field(
        default=[],
        max_length=50,
        description="Sites that may show the widget: `https://app.example.com`, or `http://localhost:*`.",
    )
    redirect_targets: list[Annotated[str, AfterValidator(checked_target)]] = Field(
        default=[],
        max_length=50,
        description="Where an end page may lead: an origin, or an address that stands for all below it.",
    )


class PaletteAnswer(Answer):
    """The colours of one scheme, all of them."""

    accent: str
    accent_text: str
    background: str
    surface: str
    text: str


class ColoursAnswer(Answer):
    """Both colour schemes."""

    light: PaletteAnswer
    dark: PaletteAnswer


class ThemeAnswer(Answer):
    """The theme as it is applied. Sent back with `PUT /theme`, without the last two, it changes nothing."""

    name: str
    logo: str | None
    font: Font
    colours: ColoursAnswer
    allowed_origins: list[str]
    redirect_targets: list[str]
    updated_date: Moment | None = Field(description="null where no theme was set.")
    updated_by: str | None = Field(description="The name of the key that set it.")


def theme_answer(theme: Theme, public_url: str) -> ThemeAnswer:
    """A theme as the API shows it."""
    return ThemeAnswer.model_validate(
        {
            "name": theme.name,
            "logo": None if theme.logo is None else public_url + theme.logo.path,
            "font": theme.font,
            "colours": ColoursAnswer(light=_palette(theme.colours.light), dark=_palette(theme.colours.dark)),
            "allowed_origins": list(theme.allowed_origins),
            "redirect_targets": list(theme.redirect_targets),
            "updated_date": theme.updated_at,
            "updated_by": theme.updated_by,
        }
    )


def _palette(palette: Palette) -> PaletteAnswer:
    return PaletteAnswer(
        accent=palette.accent,
        accent_text=palette.accent_text,
        background=palette.background,
        surface=palette.surface,
        text=palette.text,
    )
