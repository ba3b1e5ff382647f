"""What the calls for keys take and answer."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from passerelle.accounts.grant_schemas import MOST_GRANTS, GrantAnswer, GrantBody
from passerelle.accounts.models import ListedKey
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body


class KeyBody(Body):
    """What a new key may do, until when and from where."""

    name: str = Field(min_length=1, max_length=100, description="What it is for.", examples=["shop"])
    permissions: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="None that you do not have.",
        examples=[["can_run", "can_read_data"]],
    )
    grants: list[GrantBody] = Field(
        default_factory=list, max_length=MOST_GRANTS, description="What it may do besides, to some things only."
    )
    roles: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Reviews that are assigned to one of them it may decide, with `can_review`: roles that you have.",
    )
    expires_at: str | None = Field(
        default=None, max_length=40, description="ISO 8601; without it the key does not end by itself."
    )
    networks: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Addresses or CIDRs from which it is taken; from anywhere if empty.",
        examples=[["10.0.0.0/8"]],
    )
    kind: Literal["pair", "token"] = Field(
        default="pair",
        description="Key and secret, which are exchanged for tokens of an hour; or one token that is sent as it is, "
        "for programs that cannot exchange anything, such as a provider of SCIM.",
    )
    api_version: Literal[1, 2] = Field(default=2, description="The version of requests that name none.")


class KeyAnswer(Answer):
    """A key, without its secret."""

    id: UUID = Field(description="For `DELETE /keys/{keyId}`.")
    name: str = Field(description="What it is for.")
    kind: Literal["pair", "token"] = Field(description="Key and secret, or an organization token.")
    prefix: str = Field(description="What it begins with.", examples=["psk_4kJ8"])
    permissions: list[str] = Field(description="What it may do, to everything.")
    grants: list[GrantAnswer] = Field(description="What it may do besides, to some things only.")
    api_version: int = Field(description="The version of requests that name none.")
    roles: list[str] = Field(description="Reviews that are assigned to one of them it may decide.")
    networks: list[str] = Field(description="From where it is taken; from anywhere if empty.")
    created_at: Moment = Field(description="When it was made.")
    expires_at: Moment | None = Field(description="When it ends; null: not by itself.")
    last_used_at: Moment | None = Field(description="To the minute.")
    made_by: str = Field(description="Whoever made it, by name; `operator` by command.")


class NewKeyAnswer(KeyAnswer):
    """A key with its secret, which nobody can read again."""

    key: str | None = Field(
        description="For `POST /auth/authorize`; null for a token.", examples=["psk_4kJ8sX2mQ9tVb1nLr6wYzA"]
    )
    secret: str = Field(
        description="For `POST /auth/authorize`, or the token itself; shown this once.", examples=["pss_…"]
    )


def key_answer(listed: ListedKey, grants: list[GrantAnswer]) -> KeyAnswer:
    """One line of the list."""
    key = listed.key
    return KeyAnswer.made_from(
        key,
        kind="pair" if listed.kind == "pair" else "token",
        permissions=sorted(key.permissions),
        grants=grants,
        roles=list(key.roles),
        networks=list(key.networks),
        created_at=listed.created_at,
        last_used_at=listed.last_used_at,
    )
