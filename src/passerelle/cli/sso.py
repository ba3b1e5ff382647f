"""`passerelle sso`: identity providers of the organization, and what their groups give, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from passerelle.cli.api_client import command, require_success
from passerelle.cli.printing import say, show_table
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

_PROVIDERS = "/organizations/identity-providers"


@command(app, "list")
def list_providers(client: httpx.Client) -> None:
    """List the identity providers, with the address that signs people in."""
    answer = client.get(_PROVIDERS)
    require_success(answer)
    rows = [(one["name"], one["issuer"], one["signInPath"], one["id"]) for one in answer.json()["data"]]
    show_table([("name", "issuer", "sign-in", "id"), *rows])


@command(app, "add")
def add_provider(
    client: httpx.Client,
    name: Annotated[str, typer.Argument(help="What the page of sign-in says.")],
    issuer: Annotated[str, typer.Argument(help="The provider's address; its discovery document is read.")],
    client_id: Annotated[str, typer.Option(help="How the provider calls us.")],
    client_secret: Annotated[
        str, typer.Option(envvar="PASSERELLE_CLIENT_SECRET", prompt=True, hide_input=True, help="Kept encrypted.")
    ],
    group_claim: Annotated[str | None, typer.Option(help="The claim that lists a person's groups.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="`GROUP=ROLE`, such as `passerelle-admins=admin`; repeat it.")
    ] = None,
    default_role: Annotated[str, typer.Option(help="Of people in none of the groups; `none`: they stay out.")] = "none",
) -> None:
    """Let people sign in with a provider of OpenID Connect."""
    body = {
        "name": name,
        "issuer": issuer,
        "clientId": client_id,
        "clientSecret": client_secret,
        "groupClaim": group_claim,
        "groupRoles": dict(_pair(one) for one in group or ()),
        "defaultRole": None if default_role == "none" else default_role,
    }
    answer = client.post(_PROVIDERS, json=body)
    require_success(answer)
    say(f"{name}: people sign in at {answer.json()['signInPath']}")


@command(app, "remove")
def remove_provider(
    client: httpx.Client, provider: Annotated[str, typer.Argument(help="The provider's name or id.")]
) -> None:
    """Forget a provider. Who signed in with it needs another way in."""
    answer = client.get(_PROVIDERS)
    require_success(answer)
    found = [one["id"] for one in answer.json()["data"] if provider in (one["id"], one["name"])]
    if not found:
        raise CommandError(f"there is no provider {provider}: `passerelle sso list` shows those there are")
    require_success(client.delete(f"{_PROVIDERS}/{found[0]}"))
    say(f"{provider} is forgotten")


@command(app, "groups")
def list_groups(client: httpx.Client) -> None:
    """List the groups that were sent over SCIM, and what each gives."""
    answer = client.get("/organizations/groups")
    require_success(answer)
    rows = [
        (
            one["name"],
            str(one["members"]),
            one["roleId"] or "",
            ", ".join(f"{place['roleId']} in {place['workspaceId']}" for place in one["workspaces"]),
            one["id"],
        )
        for one in answer.json()["data"]
    ]
    show_table([("group", "members", "organization", "workspaces", "id"), *rows])


@command(app, "give")
def give_roles(
    client: httpx.Client,
    group: Annotated[str, typer.Argument(help="The group's name or id.")],
    role: Annotated[str, typer.Option(help="In the organization: `admin`, `member` or `none`.")] = "none",
    workspace: Annotated[
        list[str] | None, typer.Option(help="`WORKSPACE=ROLE`: a workspace's id and a role there; repeat it.")
    ] = None,
) -> None:
    """Say what a group gives its members: these roles and no others."""
    places = [{"workspaceId": place, "roleId": given} for place, given in map(_pair, workspace or ())]
    body = {"roleId": None if role == "none" else role, "workspaces": places}
    answer = client.get("/organizations/groups")
    require_success(answer)
    found = [one["id"] for one in answer.json()["data"] if group in (one["id"], one["name"])]
    if not found:
        raise CommandError(f"there is no group {group}: `passerelle sso groups` shows those there are")
    require_success(client.put(f"/organizations/groups/{found[0]}/roles", json=body))
    say(f"{group}: given")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.rpartition("=")
    if not sign or not name or not value:
        raise CommandError(f"`{text}` must be written as NAME=ROLE")
    return name, value
