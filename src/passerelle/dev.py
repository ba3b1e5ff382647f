"""`passerelle dev`: API, worker, database and a demo workspace, all in one process on one folder."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from pydantic import SecretStr

from passerelle import examples
from passerelle.devfolder import DEMO_FILE, SECRET_KEY_FILE
from passerelle.embedded import EmbeddedPostgres
from passerelle.errors import PasserelleError
from passerelle.events.restored import bring_back_numbers
from passerelle.kit.ids import new_id
from passerelle.kit.schema import migrate
from passerelle.kit.secrets import SecretBox, generate_key
from passerelle.mailcatcher.catcher import MailCatcher
from passerelle.main import create_app
from passerelle.serving import listen, serve, stop_on_signals
from passerelle.settings import Settings
from passerelle.startpage.models import Demo
from passerelle.startpage.service import StartPage
from passerelle.tables.files import read_table
from passerelle.themes.schemas import ThemeBody
from passerelle.wiring import Services, open_services

log = structlog.get_logger("passerelle.dev")


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
            _mail_caught(_for_a_laptop(settings, data_dir, base_url)) as (effective, catcher),
            open_services(effective, url, box, plain_http=True) as services,
        ):
            demo = await _demo(services, data_dir, base_url)
            async with _beside(postgres.watch(), services.worker.run(), examples.serve_register(), stop=stop):
                _write_private(data_dir / DEMO_FILE, json.dumps(demo, indent=2))
                print(_greeting(demo, catcher), flush=True)
                start = _start_page(services, demo, data_dir, catches_mail=catcher is not None)
                await serve(create_app(services, base_url, catcher, start), sock, stop, services.events.let_go)
            await services.worker.stop()
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
    return _with_examples_allowed(_with_files(settings.model_copy(update=fitting), data_dir))


def _with_files(settings: Settings, data_dir: Path) -> Settings:
    """Files are kept in the data folder, unless the operator says where."""
    if "files_url" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"files_url": str(data_dir / "files")})


def _with_examples_allowed(settings: Settings) -> Settings:
    """The examples' own register is on this machine; nothing else is, unless the operator allows it."""
    allowed = ",".join(part for part in (settings.egress_allow, *examples.REGISTER_ADDRESSES) if part)
    return settings.model_copy(update={"egress_allow": allowed})


@asynccontextmanager
async def _mail_caught(settings: Settings) -> AsyncIterator[tuple[Settings, MailCatcher | None]]:
    """Settings that send e-mails to a catcher of our own, unless they name a mail server."""
    if settings.smtp_url is not None:
        yield settings, None
        return
    catcher = MailCatcher()
    async with catcher.listening() as port:
        yield settings.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}")}), catcher


async def _demo(services: Services, data_dir: Path, base_url: str) -> dict[str, Any]:
    """The demo workspace's credentials, made when the folder is new, and its definitions, pushed at each start."""
    path = data_dir / DEMO_FILE
    if path.exists():
        demo: dict[str, Any] = json.loads(path.read_text())
    else:
        workspace = await services.accounts.create_workspace("demo")
        made = await services.accounts.create_key(workspace.id, "demo", roles=examples.ROLES)
        token = await services.accounts.create_organization_token(workspace.id, "demo token", roles=examples.ROLES)
        demo = {"workspaceId": str(workspace.id), "key": made.key, "secret": made.secret, "organizationToken": token}
    workspace_id = UUID(demo["workspaceId"])
    definitions = demo.get("definitions", {}) | await _examples(services, workspace_id)
    if (await services.themes.of(workspace_id)).updated_at is None:
        await services.themes.put(workspace_id, _demo_theme(), by="passerelle dev")
    return {"baseUrl": base_url, **demo, "definitions": definitions} | {"baseUrl": base_url}


async def _examples(services: Services, workspace_id: UUID) -> dict[str, str]:
    """Push the examples; their ids by name. Tables that are there stay as they are.

    So an example may not fit a table of its user's own: then it is left out, and everything else starts.
    """
    for name, content in examples.lists():
        await services.lists.load(workspace_id, name, content, by="passerelle dev")
    there = await services.records.tables.field_names(workspace_id)
    for text in examples.tables():
        table = read_table(text).require()
        if table.name not in there:
            await services.records.tables.create(workspace_id, new_id(), table)
    pushed: dict[str, str] = {}
    for text in examples.definitions():
        try:
            stored, _ = await services.revisions.push(workspace_id, text, publish=True, by="passerelle dev")
        except PasserelleError as error:
            log.warning("dev.example_left_out", begins=text.lstrip().splitlines()[0], reason=str(error))
        else:
            pushed[stored.name] = str(stored.definition_id)
    return pushed


def _start_page(services: Services, demo: dict[str, Any], data_dir: Path, *, catches_mail: bool) -> StartPage:
    shown = Demo(
        workspace_id=UUID(demo["workspaceId"]),
        base_url=demo["baseUrl"],
        credentials=str(data_dir / DEMO_FILE),
        catches_mail=catches_mail,
        examples=examples.PARAMETERS,
    )
    return StartPage(shown, services.revisions, services.executions, services.links)


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
  e-mails              {"are sent" if catcher is None else f"{demo['baseUrl']}/dev/mail"}

Run a first workflow:

curl -s {demo["baseUrl"]}/workflows/run \\
  -H 'Authorization: Bearer {demo["organizationToken"]}' \\
  -H 'Accept: application/json;version=2' -H 'Content-Type: application/json' \\
  -d '{body}'

Stop with Ctrl-C.
"""
