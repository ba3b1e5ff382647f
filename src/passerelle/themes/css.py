"""A theme as CSS variables: the one place where its colours become style."""

from __future__ import annotations

from dataclasses import fields

from passerelle.themes.models import FONTS, Colours, Palette


def css_variables(colours: Colours, font: str) -> str:
    """A stylesheet that sets `--accent`, `--accent-text`, `--background`, `--surface`, `--text`, `--muted`,
    `--border`, `--danger`, `--success` and `--font` for both schemes.
    """
    return (
        f":root{{color-scheme:light dark;--font:{FONTS[font]};{_variables(colours.light)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(colours.dark)}}}}}\n"
    )


def _variables(palette: Palette) -> str:
    return ";".join(f"--{field.name.replace('_', '-')}:{getattr(palette, field.name)}" for field in fields(palette))
