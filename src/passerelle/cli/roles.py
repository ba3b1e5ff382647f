"""`passerelle role`: a workspace's roles, over the API. `passerelle push` makes and changes them from files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from passerelle.cli.api_client import command, require_success
from passerelle.cli.printing import say, show_table
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="The role's name.")]


@command(app, "list")
def list_roles(client: httpx.Client) -> None:
    """List the workspace's own roles, with how much each may do."""
    from passerelle.cli.roles_client import own_roles

    rows = [
        (name, str(len(role["permissions"])), str(len(role["grants"])), role["description"])
        for name, role in own_roles(client).items()
    ]
    show_table([("role", "permissions", "grants", ""), *rows])


@command(app, "show")
def show_role(client: httpx.Client, name: _Name) -> None:
    """Print a role as the file that `push` takes, and what of it gives nothing now."""
    from passerelle.cli.roles_client import own_roles
    from passerelle.people.role_files import written

    roles = own_roles(client)
    if name not in roles:
        raise CommandError(f"the workspace has no role {name} of its own: `passerelle role list` shows those it has")
    sys.stdout.write(written(roles[name]))
    for grant in roles[name]["grants"]:
        if grant["problem"] is not None:
            sys.stdout.write(f"# {', '.join(grant['permissions'])}: {grant['problem']}\n")


@command(app, "delete")
def delete_role(client: httpx.Client, name: _Name) -> None:
    """Delete a role of the workspace's own that no member has."""
    me = client.get("/me")
    require_success(me)
    require_success(client.delete(f"/workspaces/{me.json()['workspace']['id']}/roles/{name}"))
    say(f"the role {name} is deleted")
