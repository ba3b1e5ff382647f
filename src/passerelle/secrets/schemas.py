"""Bodies and answers of the secrets' endpoints."""

from __future__ import annotations

from pydantic import Field

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.secrets.repository import SecretEntry


class SecretBody(Body):
    """A secret's value, which nobody can read again."""

    value: str = Field(
        min_length=1,
        max_length=8192,
        repr=False,
        description="1 to 8,192 characters. A value of fewer than four is not masked where the other side repeats it.",
    )


class SecretAnswer(Answer):
    """What may be shown of a secret."""

    name: str = Field(description="Steps read it as `${secrets.<name>}`.", examples=["REGISTRY_KEY"])
    version: int = Field(description="Grows by one with each write.")
    updated_date: Moment
    """When it was last written."""
    updated_by: str = Field(description="The name of the key that wrote it.")


def secret_answer(entry: SecretEntry) -> SecretAnswer:
    """One line of the list."""
    return SecretAnswer(
        name=entry.name, version=entry.version, updated_date=entry.updated_at, updated_by=entry.updated_by
    )
