"""`passerelle user`: the first person of an installation, and whoever has lost the way in; invitations and members.

What makes the first person works on the database, as `workspace` and `key` do; inviting and members go over the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from passerelle.cli.api_client import DEMO_DIR, command, require_success
from passerelle.cli.database_commands import DevDir, run, settings_beside
from passerelle.cli.printing import say, show_json, show_table
from passerelle.kit.clock import iso
from passerelle.kit.errors import CommandError

if TYPE_CHECKING:
    import httpx

app = typer.Typer(no_args_is_help=True)

Organization = Annotated[
    UUID | None, typer.Option("--organization", help="Whose user; not needed where there is one organization.")
]


@app.command("create")
def create_user(
    email: str,
    role: Annotated[
        Literal["owner", "admin", "member"], typer.Option(help="What the user is in the organization.")
    ] = "owner",
    first_name: Annotated[str, typer.Option(help="As others read it.")] = "",
    last_name: Annotated[str, typer.Option(help="As others read it.")] = "",
    language: Annotated[str, typer.Option(help="Of pages and e-mails: `en` or `pl`.")] = "en",
    time_zone: Annotated[str, typer.Option(help="Such as `Europe/Warsaw`.")] = "UTC",
    password: Annotated[
        str | None, typer.Option(envvar="PASSERELLE_USER_PASSWORD", help="Without it one is made up and shown.")
    ] = None,
    organization: Organization = None,
    data_dir: DevDir = DEMO_DIR,
) -> None:
    """Make a user: the first one of an installation is its owner."""
    from passerelle.app import processes
    from passerelle.people.models import NewUser

    new = NewUser(email, role, first_name, last_name, None, language, time_zone)
    made = run(processes.create_user(settings_beside(data_dir), new, organization, password))
    show_json(made)


@app.command("list")
def list_users(organization: Organization = None, data_dir: DevDir = DEMO_DIR) -> None:
    """Show an organization's users: address, role, state, when they last signed in."""
    from passerelle.app import processes

    found = run(processes.list_users(settings_beside(data_dir), organization))
    rows = [
        (one.email, one.role, one.state, "never" if one.last_sign_in_at is None else iso(one.last_sign_in_at), one.name)
        for one in found
    ]
    show_table([("e-mail", "role", "state", "signed in", "name"), *rows])


@app.command("reset")
def reset_user(email: str, organization: Organization = None, data_dir: DevDir = DEMO_DIR) -> None:
    """Give a user a new password, shown this once, and end their sessions."""
    from passerelle.app import processes

    show_json(run(processes.reset_user(settings_beside(data_dir), organization, email)))


@app.command("deactivate")
def deactivate_user(email: str, organization: Organization = None, data_dir: DevDir = DEMO_DIR) -> None:
    """Let a user sign in no more, and end their sessions."""
    from passerelle.app import processes

    run(processes.deactivate_user(settings_beside(data_dir), organization, email))
    say(f"{email} cannot sign in any more")


@command(app, "invite")
def invite_user(
    client: httpx.Client,
    email: str,
    role: Annotated[
        Literal["owner", "admin", "member"], typer.Option(help="What the user will be in the organization.")
    ] = "member",
    workspace_role: Annotated[
        str | None, typer.Option(help="The role in the token's workspace, such as `operator`; without it, none.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the e-mail: `en` or `pl`.")] = "en",
) -> None:
    """Invite a person by e-mail."""
    joins = [] if workspace_role is None else [{"workspaceId": _workspace(client), "roleId": workspace_role}]
    body = {"email": email, "roleId": role, "language": language, "workspaces": joins}
    answer = client.post("/organizations/enrollments", json=body)
    require_success(answer)
    say(f"{email} is invited until {answer.json()['expiresAt']}")


@command(app, "member")
def set_member(
    client: httpx.Client,
    email: str,
    role: Annotated[str, typer.Argument(help="A role of the workspace; `none` ends the membership.")],
) -> None:
    """Make a user a member of the token's workspace, or give a member another role."""
    path, user_id = f"/workspaces/{_workspace(client)}/memberships", _user(client, email)
    if role == "none":
        require_success(client.delete(f"{path}/{user_id}"))
    else:
        require_success(client.post(path, json={"userId": user_id, "roleId": role}))
    say(f"{email}: {role}")


def _workspace(client: httpx.Client) -> str:
    """The workspace that the token belongs to."""
    answer = client.get("/me")
    require_success(answer)
    return str(answer.json()["workspace"]["id"])


def _user(client: httpx.Client, email: str) -> str:
    """The id of the user with an address. Raises `CommandError`."""
    number, pages = 0, 1
    while number < pages:
        answer = client.get("/organizations/users", params={"page": number, "size": 500})
        require_success(answer)
        for one in answer.json()["content"]:
            if one["email"].casefold() == email.casefold():
                return str(one["id"])
        number, pages = number + 1, answer.json()["totalPages"]
    raise CommandError(f"there is no user {email}: `passerelle user invite` invites somebody")
