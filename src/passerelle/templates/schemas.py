"""Answers about templates."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from passerelle.kit.http.answers import Answer


class TemplateAnswer(Answer):
    """A ready onboarding."""

    name: str
    """The template's name, which its definition has as well."""
    title: dict[str, str]
    """What people call it, by language."""
    text: dict[str, str]
    """What it is for, by language."""
    steps: int
    """How many steps it has."""
    tables: list[str]
    """The tables that it needs, by name."""


class TemplatesAnswer(Answer):
    """All templates."""

    data: list[TemplateAnswer]
    """In the order in which they are worth reading."""


class TemplateTableAnswer(Answer):
    """A table that a template needs."""

    name: str
    """The table's name."""
    title: Any = Field(description="What people call it, by language.")
    text: str
    """Its file, `tables/NAME.yaml`."""
    body: dict[str, Any]
    """The same as `POST /tables` takes it."""


class TemplateTextAnswer(Answer):
    """The texts of a template."""

    name: str
    """The template's name, which its definition has as well."""
    title: dict[str, str]
    """What people call it, by language."""
    text: dict[str, str]
    """What it is for, by language."""
    definition: str
    """The definition, as YAML."""
    scenarios: str
    """Its scenarios, as `passerelle test` and `POST /definitions/{definitionId}/test` take them."""
    tables: list[TemplateTableAnswer]
    """The tables that it needs, in the order in which they can be made."""
