"""`passerelle dev`: API, worker, database and a demo workspace, all in one process on one folder."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog
from pydantic import SecretStr

from passerelle.accounts.permissions import WORKSPACE_ROLES
from passerelle.app.application import create_app
from passerelle.app.exporting import exported
from passerelle.app.server import serve, stop_on_signals
from passerelle.app.services import Services, open_services
from passerelle.app.settings import Settings
from passerelle.app.sockets import listen
from passerelle.app.work import worker_of
from passerelle.definitions.revisions.service import Revisions
from passerelle.dev import examples
from passerelle.dev.folder import DEMO_FILE, SECRET_KEY_FILE
from passerelle.dev.mailcatcher.catcher import MailCatcher
from passerelle.dev.postgres import EmbeddedPostgres
from passerelle.dev.startpage.models import Demo
from passerelle.dev.startpage.service import StartPage
from passerelle.events.restored import bring_back_numbers
from passerelle.kit import tracing
from passerelle.kit.database import Connection
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox, generate_key
from passerelle.migrations.schema import migrate
from passerelle.people.models import NewUser, Role
from passerelle.people.passwords import made_up
from passerelle.tables.files import read_table
from passerelle.themes.schemas import ThemeBody

DEMO_USER: Final = "demo@example.com"
_BY: Final = "passerelle dev"

log = structlog.get_logger("passerelle.dev")

LOOPBACK: Final = ("127.0.0.0/8", "::1/128", "localhost")
"""What steps and webhooks may reach on a laptop besides the internet."""


async def run(settings: Settings, data_dir: Path, host: str, port: int) -> None:
    """Run until SIGINT or SIGTERM. Raises `CommandError`, `EmbeddedError` or `SchemaError` where it cannot."""
    stop = stop_on_signals()
    sock = listen(host, port)
    base_url = settings.public_url or f"http://localhost:{sock.getsockname()[1]}"
    postgres = EmbeddedPostgres(data_dir)
    url = await postgres.start()
    try:
        await migrate(url)
        await bring_back_numbers(url)
        box = SecretBox.from_setting(_secret_key(settings, data_dir))
        async with (
            tracing.written(settings.otlp_url, settings.otlp_part),
            _mail_caught(_for_a_laptop(settings, data_dir, base_url), data_dir) as (effective, catcher),
            examples.register() as register_url,
            open_services(effective, url, box, plain_http=True) as services,
            services.operations.presence.of("dev"),
            exported(settings.otlp_url, services.metrics),
        ):
            worker = worker_of(services)
            demo = await _demo(services, data_dir, base_url, register_url)
            async with _beside(postgres.watch(), worker.run(), stop=stop):
                _write_private(data_dir / DEMO_FILE, json.dumps(demo, indent=2))
                print(_greeting(demo, catcher), flush=True)
                start = _start_page(services, demo, data_dir, catches_mail=catcher is not None)
                app = await asyncio.to_thread(create_app, services, base_url, catcher, start)
                await serve(app, sock, stop, services.events.let_go)
            await worker.stop()
    finally:
        await postgres.stop()


@asynccontextmanager
async def _beside(*coroutines: Coroutine[Any, Any, None], stop: asyncio.Event) -> AsyncIterator[None]:
    """Run these beside the body; the first that fails stops everything and its error is raised."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(lambda done: stop.set() if not done.cancelled() and done.exception() else None)
    try:
        yield
    finally:
        failures = [task.exception() for task in tasks if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
    for failure in failures:
        if failure is not None:
            raise failure


def _secret_key(settings: Settings, data_dir: Path) -> str:
    """The key that is set, else the one that this folder keeps, made on its first use."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path = data_dir / SECRET_KEY_FILE
    if not path.exists():
        _write_private(path, generate_key())
    return path.read_text().strip()


def _for_a_laptop(settings: Settings, data_dir: Path, base_url: str) -> Settings:
    """What is not set fits this machine."""
    known = {"public_url": base_url, "environment": "development"}
    fitting = {name: value for name, value in known.items() if name not in settings.model_fields_set}
    return _with_loopback_allowed(_with_files(settings.model_copy(update=fitting), data_dir))


def _with_files(settings: Settings, data_dir: Path) -> Settings:
    """Files are kept in the data folder, unless the operator says where."""
    if "files_url" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"files_url": str(data_dir / "files")})


def _with_loopback_allowed(settings: Settings) -> Settings:
    """Whoever tries a step or a webhook has the other side on this machine, as the examples' register is.

    In production nothing of the sort may be reached, unless the operator allows it.
    """
    allowed = ",".join(part for part in (settings.egress_allow, *LOOPBACK) if part)
    return settings.model_copy(update={"egress_allow": allowed})


@asynccontextmanager
async def _mail_caught(settings: Settings, data_dir: Path) -> AsyncIterator[tuple[Settings, MailCatcher | None]]:
    """Settings that send e-mails to a catcher of our own, unless they name a mail server."""
    if settings.smtp_url is not None:
        yield settings, None
        return
    catcher = MailCatcher(data_dir / "mail")
    async with catcher.listening() as port:
        yield settings.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}")}), catcher


async def _demo(services: Services, data_dir: Path, base_url: str, register_url: str) -> dict[str, Any]:
    """The demo workspace's credentials, made when the folder is new, and its definitions, pushed at each start."""
    path = data_dir / DEMO_FILE
    if path.exists():
        demo: dict[str, Any] = json.loads(path.read_text())
    else:
        workspace = await services.accounts.create_workspace("demo")
        made = await services.accounts.create_key(workspace.id, "demo", roles=examples.ROLES)
        token = (await services.accounts.create_token(workspace.id, "demo token", roles=examples.ROLES)).secret
        demo = {"workspaceId": str(workspace.id), "key": made.key, "secret": made.secret, "organizationToken": token}
    workspace_id = UUID(demo["workspaceId"])
    if "user" not in demo:
        demo["user"] = await _demo_user(services, workspace_id)
    known: dict[str, str] = demo.get("definitions", {})
    definitions = known | await _examples(services, workspace_id, register_url, known)
    if (await services.shared.themes.of(workspace_id)).updated_at is None:
        await services.shared.themes.put(workspace_id, _demo_theme(), by=_BY)
    return {"baseUrl": base_url, **demo, "definitions": definitions} | {"baseUrl": base_url}


async def _demo_user(services: Services, workspace_id: UUID) -> dict[str, str]:
    """The owner of the demo's organization, who also decides what the examples assign to a role."""
    users, password = services.people.users, made_up()
    organization_id = await users.organization_of(workspace_id)
    user = await users.by_email(organization_id, DEMO_USER)
    if user is None:
        new = NewUser(DEMO_USER, "owner", "Demo", "Owner")
        user = await users.make(organization_id, new, password)
    else:
        await users.set_password(user, password)
    for name in examples.ROLES:
        role = Role(name, "Decides the reviews of the examples.", WORKSPACE_ROLES["operator"].permissions, False)
        with suppress(PasserelleError):  # it was made before
            await services.people.roles.create(organization_id, workspace_id, role)
        await users.put_member(organization_id, workspace_id, user.id, name)
    return {"email": user.email, "password": password}


async def _examples(
    services: Services, workspace_id: UUID, register_url: str, known: Mapping[str, str]
) -> dict[str, str]:
    """Push the examples that are not as they should be; their ids by name. `known`: those of an earlier start.

    Tables and lists that are there stay as they are, and so do examples that somebody has changed. So one may not fit
    a table of its user's own: then it is left out, and everything else starts.
    """
    for name, content in examples.lists():
        if not await _is_loaded(services, workspace_id, name):
            await services.lists.load(workspace_id, name, content, by=_BY)
    there = await services.records.tables.field_names(workspace_id)
    for text in examples.tables():
        table = read_table(text).require()
        if table.name not in there:
            await services.records.tables.create(workspace_id, new_id(), table)
    pushed: dict[str, str] = {}
    for name, text in examples.definitions(register_url):
        if name in known and await _stays(services.revisions, workspace_id, UUID(known[name]), text):
            continue
        try:
            new = await services.revisions.push(workspace_id, text, publish=True, by=_BY, approval=_of_the_demo)
        except PasserelleError as error:
            log.warning("dev.example_left_out", begins=text.lstrip().splitlines()[0], reason=str(error))
        else:
            pushed[new.stored.name] = str(new.stored.definition_id)
    return pushed


async def _is_loaded(services: Services, workspace_id: UUID, name: str) -> bool:
    """Whether the workspace has a list: a newer version may be somebody's own."""
    try:
        return bool(await services.lists.versions(workspace_id, name, None, 1))
    except PasserelleError:
        return False


async def _stays(revisions: Revisions, workspace_id: UUID, definition_id: UUID, text: str) -> bool:
    """Whether an example is as it should be, or somebody has pushed or published a revision of it since."""
    try:
        entries = await revisions.history(workspace_id, definition_id)
        newest = max(entries, key=lambda entry: entry.number)
        if newest.created_by != _BY or any(entry.current and entry.published_by != _BY for entry in entries):
            return True
        stored = await revisions.numbered(workspace_id, definition_id, newest.number)
    except PasserelleError:
        return False
    return newest.current and stored.text == text


async def _of_the_demo(connection: Connection) -> None:
    """The demo's own definitions wait for nobody, whatever the installation says about publishing."""


def _start_page(services: Services, demo: dict[str, Any], data_dir: Path, *, catches_mail: bool) -> StartPage:
    shown = Demo(
        workspace_id=UUID(demo["workspaceId"]),
        base_url=demo["baseUrl"],
        credentials=str(data_dir / DEMO_FILE),
        catches_mail=catches_mail,
        examples=examples.PARAMETERS,
    )
    return StartPage(shown, services.revisions, services.executions, services.links.links)


def _demo_theme() -> ThemeBody:
    """Whoever tries the widget serves a page on some port of this machine."""
    return ThemeBody.model_validate(
        {"name": "Passerelle demo", "allowedOrigins": ["http://localhost:*", "http://127.0.0.1:*"]}
    )


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one piece."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _greeting(demo: dict[str, Any], catcher: MailCatcher | None) -> str:
    definition = demo["definitions"].get("company-check", "<definition id>")
    body = json.dumps({"workflowDefinitionId": definition, "parameters": {"nip": "7740001454"}})
    return f"""
Passerelle is ready at {demo["baseUrl"]}   (API reference: {demo["baseUrl"]}/docs)

  workspace            {demo["workspaceId"]}
  key                  {demo["key"]}
  secret               {demo["secret"]}
  organization token   {demo["organizationToken"]}
  sign in              {demo["baseUrl"]}/sign-in   {demo["user"]["email"]}   {demo["user"]["password"]}
  e-mails              {"are sent" if catcher is None else f"{demo['baseUrl']}/dev/mail"}

Run a first workflow:

curl -s {demo["baseUrl"]}/workflows/run \\
  -H 'Authorization: Bearer {demo["organizationToken"]}' \\
  -H 'Accept: application/json;version=2' -H 'Content-Type: application/json' \\
  -d '{body}'

Stop with Ctrl-C.
"""
