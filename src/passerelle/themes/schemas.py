"""Body and answer of the theme's endpoints."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.mail.addresses import MailAddress
from passerelle.themes.addresses import checked_origin, checked_target
from passerelle.themes.brand import Brand, Scheme
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
    """Of text, as `#rrggbb`."""

    def given(self) -> dict[str, str]:
        """The colours that are there."""
        return self.model_dump(exclude_none=True)


class ColoursBody(Body):
    """Both colour schemes. Without a dark accent the light one is made light enough."""

    light: PaletteBody = PaletteBody()
    """On light pages."""
    dark: PaletteBody = PaletteBody()
    """On dark pages."""


def _page(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or any(char <= " " for char in text):
        raise ValueError(f"`{text}` is no address of a page: write https://example.com/privacy")
    return text


def _address(text: str) -> str:
    return MailAddress.parse(text).mailbox


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError(f"there is no time zone `{text}`: name one as `Europe/Warsaw` or `UTC`")
    return text


PageUrl = Annotated[str, Field(max_length=500), AfterValidator(_page)]
Mailbox = Annotated[str, Field(max_length=320), AfterValidator(_address)]


class NoticesBody(Body):
    """Pages of yours that every page links to."""

    privacy: PageUrl | None = None
    """The privacy notice."""
    imprint: PageUrl | None = None
    """Who you are, as the law of some countries wants it."""
    support: PageUrl | None = None
    """Where people find help."""


class SenderBody(Body):
    """Whom messages to end users come from."""

    name: str | None = Field(default=None, min_length=1, max_length=80, pattern=r"^[^<>\x00-\x1f\x7f]+$")
    """The name; without it, that of `PASSERELLE_MAIL_FROM`."""
    address: Mailbox | None = None
    """The address, in a domain that `PASSERELLE_MAIL_DOMAINS` allows; without it, that of `PASSERELLE_MAIL_FROM`."""
    reply_to: Mailbox | None = None
    """Where answers go, if a message says nothing else."""


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
    dark_logo: str | None = Field(
        default=None, max_length=60_000, description="The logo on dark pages, given as `logo`; without it, the same."
    )
    favicon: str | None = Field(
        default=None, max_length=60_000, description="The icon of the browser's tab, given as `logo`."
    )
    font: Font = "system"
    """The font of the pages."""
    font_file: str | None = Field(
        default=None,
        max_length=250_000,
        description="A WOFF2 file of at most 150,000 bytes as a data URL, or the address that `GET /theme` shows; "
        "`font` stands in for it until it is there.",
    )
    scheme: Scheme = "auto"
    """Which colours pages have: by the reader's device, or one of both always."""
    notices: NoticesBody = Field(
        default=NoticesBody(), description="The pages of yours that end users find at the foot of every page."
    )
    contact: str | None = Field(
        default=None, min_length=3, max_length=120, description="Whom end users may ask: an e-mail address or a number."
    )
    sender: SenderBody = Field(default=SenderBody(), description="The sender that messages to end users name.")
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] | None = None
    """In which moments are told in messages, such as `Europe/Warsaw`; UTC without it."""
    colours: ColoursBody = ColoursBody()
    """The colours; what is left out follows from the accent."""
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

    version: int | None = Field(
        default=None, ge=0, lt=2**31, description="The version that this was made of: another one by now is refused."
    )

    def files(self) -> dict[str, str]:
        """The files besides the logo that are given, by role."""
        given = {"dark_logo": self.dark_logo, "favicon": self.favicon, "font": self.font_file}
        return {role: one for role, one in given.items() if one is not None}

    def brand(self) -> Brand:
        """What is said besides looks."""
        return Brand(
            scheme=self.scheme,
            privacy=self.notices.privacy or "",
            imprint=self.notices.imprint or "",
            support=self.notices.support or "",
            contact=(self.contact or "").strip(),
            sender_name=(self.sender.name or "").strip(),
            sender_address=self.sender.address or "",
            reply_to=self.sender.reply_to or "",
            time_zone=self.time_zone or "",
        )


class PaletteAnswer(Answer):
    """The colours of one scheme, all of them."""

    accent: str
    """Of buttons and links, as `#rrggbb`."""
    accent_text: str
    """Of text on buttons."""
    background: str
    """Of the page."""
    surface: str
    """Of what lies on the page."""
    text: str
    """Of text."""


class ColoursAnswer(Answer):
    """Both colour schemes."""

    light: PaletteAnswer
    """On light pages."""
    dark: PaletteAnswer
    """On dark pages."""


class NoticesAnswer(Answer):
    """Pages that every page links to; null where there is none."""

    privacy: str | None
    """The privacy notice."""
    imprint: str | None
    """Who the workspace is."""
    support: str | None
    """Where people find help."""


class SenderAnswer(Answer):
    """Whom messages to end users come from; null where it is the installation's."""

    name: str | None
    """The name."""
    address: str | None
    """The address."""
    reply_to: str | None
    """Where answers go."""


class ThemeAnswer(Answer):
    """The theme as it is applied. Sent back with `PUT /theme`, without the last two, it changes nothing."""

    name: str
    """The name that pages and e-mails show."""
    logo: str | None
    """Where the logo is; null where there is none."""
    dark_logo: str | None
    """Where the logo for dark pages is; null where there is none."""
    favicon: str | None
    """Where the icon of the browser's tab is; null where there is none."""
    font: Font
    """The font of the pages."""
    font_file: str | None
    """Where the font's own file is; null where there is none."""
    scheme: Scheme
    """Which colours pages have."""
    notices: NoticesAnswer
    """Pages that every page links to."""
    contact: str | None
    """Whom end users may ask; null where nobody is named."""
    sender: SenderAnswer
    """Whom messages to end users come from."""
    time_zone: str | None
    """In which moments are told; null for UTC."""
    colours: ColoursAnswer
    """The colours, as they are applied."""
    allowed_origins: list[str]
    """Sites whose pages may show the widget."""
    redirect_targets: list[str]
    """Addresses that end users may be sent to at the end."""
    version: int
    """How often it was set: sent back with a change, it keeps that from undoing somebody else's."""
    updated_date: Moment | None = Field(description="null where no theme was set.")
    updated_by: str | None = Field(description="The name of the key that set it.")


def theme_answer(theme: Theme, public_url: str) -> ThemeAnswer:
    """A theme as the API shows it."""
    return ThemeAnswer.model_validate(
        {
            "name": theme.name,
            "logo": None if theme.logo is None else public_url + theme.logo.path,
            "font": theme.font,
            **{name: _where(theme, role, public_url) for role, name in _FILES.items()},
            "scheme": theme.brand.scheme,
            "notices": NoticesAnswer(
                privacy=theme.brand.privacy or None,
                imprint=theme.brand.imprint or None,
                support=theme.brand.support or None,
            ),
            "contact": theme.brand.contact or None,
            "sender": SenderAnswer(
                name=theme.brand.sender_name or None,
                address=theme.brand.sender_address or None,
                reply_to=theme.brand.reply_to or None,
            ),
            "time_zone": theme.brand.time_zone or None,
            "colours": ColoursAnswer(light=_palette(theme.colours.light), dark=_palette(theme.colours.dark)),
            "allowed_origins": list(theme.allowed_origins),
            "redirect_targets": list(theme.redirect_targets),
            "version": theme.version,
            "updated_date": theme.updated_at,
            "updated_by": theme.updated_by,
        }
    )


_FILES: Final = {"dark_logo": "dark_logo", "favicon": "favicon", "font": "font_file"}


def _where(theme: Theme, role: str, public_url: str) -> str | None:
    found = theme.files.get(role)
    return None if found is None else public_url + found.path


def _palette(palette: Palette) -> PaletteAnswer:
    return PaletteAnswer.made_from(palette)
