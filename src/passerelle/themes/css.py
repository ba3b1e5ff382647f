"""A theme as CSS variables: the one place where its colours become style."""

from __future__ import annotations

from dataclasses import fields

from passerelle.themes.models import FONTS, Colours, Palette


def css_variables(colours: Colours, font: str, scheme: str = "auto", font_path: str | None = None) -> str:
    """A stylesheet that sets `--accent`, `--accent-text`, `--background`, `--surface`, `--text`, `--muted`,
    `--border`, `--danger`, `--success` and `--font` for both schemes, or for the one that `scheme` says.

    font_path   where a font file of the workspace's own is, in the folder of the stylesheet
    """
    face, family = "", FONTS[font]
    if font_path is not None:
        source = f'url({font_path.rpartition("/")[2]}) format("woff2")'
        face = f'@font-face{{font-family:"own";src:{source};font-display:swap}}\n'
        family = f'"own", {family}'
    if scheme != "auto":
        return f"{face}:root{{color-scheme:{scheme};--font:{family};{_variables(getattr(colours, scheme))}}}\n"
    return (
        f"{face}:root{{color-scheme:light dark;--font:{family};{_variables(colours.light)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(colours.dark)}}}}}\n"
    )


def _variables(palette: Palette) -> str:
    return ";".join(f"--{field.name.replace('_', '-')}:{getattr(palette, field.name)}" for field in fields(palette))
