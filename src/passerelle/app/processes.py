"""`passerelle serve`, `worker`, `migrate` and the commands that work on a database of one's own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from passerelle.accounts.key_terms import checked_networks, checked_permissions
from passerelle.accounts.models import KeyTerms, ListedKey
from passerelle.accounts.permissions import EVERYTHING
from passerelle.accounts.service import UnknownWorkspaceError
from passerelle.app.application import create_app
from passerelle.app.cautions import tell_all, tell_of_address
from passerelle.app.exporting import exported
from passerelle.app.foundation import beside
from passerelle.app.scraping import scraped
from passerelle.app.selftest import NotKeptError, tried
from passerelle.app.server import serve as serve_app
from passerelle.app.server import spare_collector, stop_on_signals
from passerelle.app.services import Services, open_services
from passerelle.app.settings import Settings, is_address, lacking
from passerelle.app.sockets import listen, tell_supervisor
from passerelle.app.throwaway import prepare, throwaway
from passerelle.app.work import worker_of
from passerelle.definitions.revisions.rule import PublishingRule
from passerelle.events import restored
from passerelle.kit import tracing
from passerelle.kit.address import parse_address, why_refused
from passerelle.kit.clock import iso, system_clock
from passerelle.kit.errors import CommandError, PasserelleError
from passerelle.kit.json import JsonObject
from passerelle.kit.secrets import SecretBox
from passerelle.kit.sizes import parse_size
from passerelle.languages.service import Languages
from passerelle.migrations import schema
from passerelle.operations.rekeying import Rekeyed, rekey
from passerelle.operations.sent import RestoreCheck, check_restored
from passerelle.operations.sizes import Sizes, sizes
from passerelle.people.models import NewUser, User
from passerelle.people.passwords import made_up
from passerelle.quotas.models import OwnTerms, WorkspaceTurns
from passerelle.resources.files import Files
from passerelle.retention.archives import Archive, all_archives, read_all
from passerelle.v1.deprecations.models import Mode

ENDS_WITHIN: Final = 30.0
"""Seconds from SIGTERM to the end of a process, even of one whose database hangs."""
_TEST_TAKES: Final = timedelta(hours=1)
"""What a self-test may take besides the time for which it begins executions; then it is over, whatever it does."""
_RUN_TAKES: Final = 1.0
"""Seconds that it may take for each of them."""

log = structlog.get_logger("passerelle.start")


@dataclass(frozen=True)
class WantedKey:
    """What `key create` was told. `permissions`: all where none is named; `lasts`: for ever where nothing is said."""

    name: str
    api_version: int
    roles: list[str]
    permissions: list[str]
    networks: list[str]
    lasts: timedelta | None


Trial = Callable[[], Awaitable[object]]
"""Raises `CommandError` where something that is configured does not do."""
Shown = dict[str, str]
"""What a command shows, by name."""


async def serve(settings: Settings, host: str, port: int, among: Callable[[str], None] | None = None) -> None:
    """Answer HTTP until SIGINT or SIGTERM.

    among   where this is one of several processes on the port: what is told instead of systemd
    """
    stop = stop_on_signals(ENDS_WITHIN + settings.stop_delay.total_seconds())
    sock = listen(host, port) if among is None else None
    base_url = settings.public_url or f"http://localhost:{sock.getsockname()[1] if sock is not None else port}"
    async with _running(settings.model_copy(update={"public_url": base_url}), stop) as services:
        tell_of_address(settings)
        if among is None:
            print(f"Passerelle answers at {base_url}", flush=True)
        # It takes a second, in which leases are to be kept.
        app = await asyncio.to_thread(create_app, services, base_url)
        tell = among or tell_supervisor
        # The others take what comes until this one can.
        sock = sock or listen(host, port, shared=True)
        async with services.operations.presence.of("serve"):
            await serve_app(app, sock, stop, services.events.let_go, settings.proxies, settings.stop_delay, tell)


async def work(settings: Settings) -> None:
    """Run jobs until SIGINT or SIGTERM."""
    stop = stop_on_signals(ENDS_WITHIN)
    async with _running(settings, stop) as services, services.operations.presence.of("worker"):
        tell_of_address(settings)
        spare_collector()
        worker = worker_of(services)
        working = asyncio.create_task(worker.run())
        print("Passerelle's worker runs", flush=True)
        tell_supervisor("READY=1")
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        tell_supervisor("STOPPING=1")
        await worker.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(working, 10)


async def migrate_database(settings: Settings) -> list[str]:
    """Bring the database to this release's schema, also after a restore; what was done, in lines for people."""
    url = settings.direct_address or _database_url(settings)
    with _clear_about(url):
        applied = await schema.migrate(url, role=settings.database_role)
        lowered = await restored.bring_back_numbers(url)
        newer = await schema.newer(url)
    done = [f"applied {', '.join(applied)}"] if applied else []
    if lowered:
        done.append(f"lowered the numbers of events by {lowered:,}: the database comes from another PostgreSQL cluster")
    if newer:
        done.append(f"{newer} has migrated the database: nothing {'else ' if done else ''}was changed")
    return done or ["the database is up to date"]


async def encrypt_anew(settings: Settings) -> Rekeyed:
    """Encrypt with the first key what an older one had encrypted."""
    url = settings.direct_address or _database_url(settings)
    with _clear_about(url):
        return await rekey(url, _box(settings))


async def create_workspace(settings: Settings, name: str, organization_id: UUID | None = None) -> str:
    """Make a workspace, of a new organization unless one is named; its id."""
    async with _services(settings, "createWorkspace", "workspace") as services:
        if organization_id is not None:
            await _organization(services, organization_id)
        return str((await services.accounts.create_workspace(name, organization_id)).id)


async def treat_version_one(settings: Settings, workspace_id: UUID, mode: str | None, brownouts: str | None) -> None:
    """Say how version 1 is treated in one workspace; None follows the setting."""
    async with _services(settings, "setMode", "deprecation") as services:
        try:
            known = await services.deprecations.set_mode(
                workspace_id, Mode(mode) if mode is not None else None, brownouts, "operator", by_operator=True
            )
        except PasserelleError as error:
            raise CommandError(str(error)) from None
        if not known:
            raise CommandError(f"there is no workspace {workspace_id}: make one with `passerelle workspace create`")


async def quotas(
    settings: Settings, workspace_id: UUID, wanted: Mapping[str, str], weight: float | None, jobs: str | None
) -> list[tuple[str, ...]]:
    """Say what a workspace may have and do, where something is wanted; then a table of it, and of what is used.

    wanted  a number, `unlimited` or `default` by quota; what is not named stays as it is
    """
    async with _services(settings, "setQuotas", "workspace") as services:
        before = await services.shared.quotas.own(workspace_id)
        own = OwnTerms(_own_quotas(before.quotas, wanted), _own_turns(before.turns, weight, jobs))
        if not await services.shared.quotas.change(workspace_id, own):
            raise CommandError(f"there is no workspace {workspace_id}: make one with `passerelle workspace create`")
        standing = await services.shared.quotas.standing(workspace_id)
    rows: list[tuple[str, ...]] = [
        (quota, f"{used:,}", "unlimited" if most is None else f"{most:,}", "own" if quota in own.quotas else "default")
        for quota, (used, most) in standing.items()
    ]
    turns = own.turns
    rows.append(("weight", "", f"{turns.weight:g}", "own" if turns.weight != 1 else "default"))
    most_jobs = settings.jobs_per_workspace if turns.jobs is None else turns.jobs
    rows.append(("jobs", "", f"{most_jobs:,}", "default" if turns.jobs is None else "own"))
    return [("quota", "used", "most", ""), *rows]


async def sizes_of_everything(settings: Settings, workspace_id: UUID | None) -> Sizes:
    """What takes room. Raises `CommandError` where a workspace is named that is not there."""
    async with _services(settings) as services:
        if workspace_id is not None:
            await _require_workspace(services, workspace_id)
        return await sizes(services.shared.database)


async def archives_of(settings: Settings, workspace_id: UUID, kind: str | None) -> list[Archive]:
    """The archives of a workspace, the oldest first. Raises `CommandError` where there is no such workspace."""
    async with _services(settings) as services:
        await _require_workspace(services, workspace_id)
        return [one async for one in all_archives(services.retention.archives, workspace_id, kind)]


async def read_archives(
    settings: Settings,
    workspace_id: UUID,
    wanted: Sequence[UUID] | None,
    kind: str | None,
    tell: Callable[[Sequence[JsonObject]], None],
) -> None:
    """Tell what is in the archives of a workspace, file by file; in those that are `wanted`, else in all.

    Raises `CommandError` where there is no such workspace or file, and in the end where some cannot be read.
    """
    async with _services(settings) as services:
        await _require_workspace(services, workspace_id)
        await read_all(services.retention.archives, workspace_id, wanted, kind, tell)


async def check_restored_database(settings: Settings, since: datetime | None) -> RestoreCheck | None:
    """What was sent after `since`, else after the last moment that the database knows of."""
    async with _services(settings) as services:
        return await check_restored(services.shared.database, services.operations.sent, since)


async def publishing(settings: Settings, workspace_id: UUID, persons: str | None) -> PublishingRule:
    """Say how many persons it takes to publish in a workspace (`one`, `two` or `default`); then what holds."""
    if persons is None:
        async with _services(settings) as services:
            return await services.publishing.rule(workspace_id)
    async with _services(settings, "changePublishing", "publishing") as services:
        await services.people.users.organization_of(workspace_id)
        own = {"one": False, "two": True, "default": None}[persons]
        return await services.publishing.change_rule(workspace_id, own)


def _own_quotas(before: Mapping[str, int | None], wanted: Mapping[str, str]) -> dict[str, int | None]:
    own = dict(before)
    for name, text in wanted.items():
        if text == "default":
            own.pop(name, None)
        else:
            own[name] = None if text == "unlimited" else _most(f"--{name}", text, size=name == "storage")
    return own


def _own_turns(before: WorkspaceTurns, weight: float | None, jobs: str | None) -> WorkspaceTurns:
    if weight is not None and not 0.01 <= weight <= 100:
        raise CommandError("--weight: must be a number from 0.01 to 100")
    kept = before.jobs if jobs is None else None if jobs == "default" else _most("--jobs", jobs)
    return WorkspaceTurns(before.weight if weight is None else weight, kept)


def _most(option: str, text: str, *, size: bool = False) -> int:
    try:
        most = parse_size(text) if size and not text.isdigit() else int(text)
    except ValueError:
        most = -1
    if not 0 <= most < 2**31 * (2**20 if size else 1) or (option == "--jobs" and most == 0):
        example = "a size such as 10GB" if size else "a whole number"
        raise CommandError(f"{option}: must be {example}, `unlimited` or `default`")
    return most


async def create_key(
    settings: Settings, workspace_id: UUID, wanted: WantedKey, *, organization_token: bool
) -> dict[str, Any]:
    """Make credentials; what the caller has to keep."""
    async with _services(settings, "createKey", "key") as services:
        accounts, arguments = services.accounts, (workspace_id, wanted.name, wanted.api_version, wanted.roles)
        try:
            with _as_command_error():
                terms = KeyTerms(
                    permissions=checked_permissions(None, wanted.permissions or sorted(EVERYTHING)),
                    expires_at=None if wanted.lasts is None else system_clock() + wanted.lasts,
                    networks=checked_networks(wanted.networks),
                )
            if organization_token:
                return {"organizationToken": (await accounts.create_token(*arguments, terms)).secret}
            made = await accounts.create_key(*arguments, terms)
        except (UnknownWorkspaceError, ValueError) as error:
            raise CommandError(str(error)) from None
        return {"key": made.key, "secret": made.secret}


async def list_workspaces(settings: Settings) -> list[tuple[str, str]]:
    """Id and name of each workspace of the installation."""
    async with _services(settings) as services:
        chains = await services.shared.trail.chains()
    return [(str(one.place.chain), one.name.removeprefix("workspace ")) for one in chains if not one.place.organization]


async def list_keys(settings: Settings, workspace_id: UUID) -> list[ListedKey]:
    """The keys of a workspace that are not revoked, 1,000 at most."""
    async with _services(settings) as services:
        await _require_workspace(services, workspace_id)
        return await services.accounts.keys(workspace_id, None, 1000)


async def revoke_key(settings: Settings, workspace_id: UUID, key_id: UUID) -> None:
    """End a key."""
    async with _services(settings, "revokeKey", "key") as services:
        with _as_command_error():
            await services.accounts.require_revoked(workspace_id, key_id)


async def create_user(settings: Settings, new: NewUser, organization_id: UUID | None, password: str | None) -> Shown:
    """Make a user; id, address and, where it was made up here, the password."""
    async with _services(settings, "createUser", "user") as services:
        users = services.people.users
        chosen = password or made_up()
        with _as_command_error():
            made = await users.make(await _organization(services, organization_id), new, chosen)
        shown = {"id": str(made.id), "organizationId": str(made.organization_id), "email": made.email}
        return shown if password else {**shown, "password": chosen}


async def list_users(settings: Settings, organization_id: UUID | None) -> list[User]:
    """The users of an organization, 1,000 at most."""
    async with _services(settings) as services:
        with _as_command_error():
            found, _ = await services.people.users.page(await _organization(services, organization_id), 0, 1000)
        return found


async def reset_user(settings: Settings, organization_id: UUID | None, email: str) -> Shown:
    """Give a user a new password and end their sessions; the password."""
    async with _services(settings, "resetUser", "user") as services:
        with _as_command_error():
            user = await _user(services, await _organization(services, organization_id), email)
            return {"email": user.email, "password": await services.people.users.new_password(user)}


async def deactivate_user(settings: Settings, organization_id: UUID | None, email: str) -> None:
    """Let a user sign in no more."""
    async with _services(settings, "terminateUser", "user") as services:
        with _as_command_error():
            user = await _user(services, await _organization(services, organization_id), email)
            await services.people.users.deactivate(None, user.organization_id, user.id)


async def _require_workspace(services: Services, workspace_id: UUID) -> None:
    """Raises `CommandError` where there is no such workspace."""
    with _as_command_error():
        await services.people.users.organization_of(workspace_id)


async def _organization(services: Services, wanted: UUID | None) -> UUID:
    """The organization that is meant: the only one, unless one is named."""
    found = await services.people.users.organizations()
    if wanted is None and len(found) == 1:
        return found[0].id
    if wanted is not None and any(one.id == wanted for one in found):
        return wanted
    if not found:
        raise CommandError("there is no organization: `passerelle workspace create` makes one with its first workspace")
    lines = "\n".join(f"  {one.id}  {one.name}" for one in found)
    raise CommandError(f"say which organization is meant, with --organization:\n{lines}")


async def _user(services: Services, organization_id: UUID, email: str) -> User:
    found = await services.people.users.by_email(organization_id, email)
    if found is None:
        raise CommandError(f"there is no user {email}: `passerelle user list` shows them all")
    return found


@contextmanager
def _as_command_error() -> Iterator[None]:
    """What the caller can act on, as lines for people."""
    try:
        yield
    except PasserelleError as error:
        raise CommandError("\n".join(problem.message for problem in error.problems)) from None


async def rotate_signing_key(settings: Settings, workspace_id: UUID, overlap: timedelta) -> dict[str, str]:
    """Make another key to sign with, which does so after `overlap`; its id and that time."""
    async with _services(settings, "rotateSigningKey", "signing-key") as services:
        try:
            key_id, signs_from = await services.accounts.signing_keys.rotate(workspace_id, overlap)
        except asyncpg.ForeignKeyViolationError:
            raise CommandError(
                f"there is no workspace {workspace_id}: make one with `passerelle workspace create`"
            ) from None
        return {"kid": str(key_id), "signsFrom": iso(signs_from)}


async def verify_audit(settings: Settings, chain: UUID | None, head: str | None) -> list[dict[str, Any]]:
    """Look through every chain, or one: a report of each. `head`: a hash that one of them must have."""
    async with _services(settings) as services:
        await services.shared.trail.seal()
        found = await services.shared.trail.chains()
        wanted = [one for one in found if chain is None or one.place.chain == chain]
        if not wanted:
            raise CommandError(f"there is no workspace or organization {chain}")
        reading = services.shared.trail.reading
        reports = [{"of": one.name, **(await reading.verify(one.place)).to_json()} for one in wanted]
        if head is not None and not any([await reading.has(one.place, head) for one in wanted]):
            problem = f"no entry has the hash {head}: the audit was changed since it was written down"
            reports[0] |= {"intact": False, "problem": problem}
        return reports


async def selftest(settings: Settings, url: str | None, seconds: float, runs: int, tell: Callable[[str], None]) -> int:
    """Try what Passerelle promises at `url`, in two workspaces of which nothing is left; how much was repeated.

    Ends at SIGTERM as at SIGINT, after everything is removed. Raises `CommandError` where a promise is not kept, and
    where nothing could be tried: nothing is made then.
    """
    where = _place_of_test(settings, url)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    owner = settings.direct_address or _database_url(settings)
    lasts = timedelta(seconds=seconds + runs * _RUN_TAKES) + _TEST_TAKES
    async with _services(settings) as services:
        with _clear_about(owner):
            await prepare(owner, Files.at(settings.files_url))
        until = system_clock() + lasts
        async with throwaway(services, owner, until) as own, throwaway(services, owner, until) as stranger:
            try:
                async with asyncio.timeout(lasts.total_seconds()):
                    repeated = await tried(where, own, stranger, seconds, runs, tell)
            except NotKeptError as error:
                raise CommandError(str(error)) from None
            except TimeoutError:
                raise CommandError(f"it has not ended within {lasts}") from None
            await _require_intact(services, own.workspace_id)
            tell("the audit hangs together")
    return repeated


def _place_of_test(settings: Settings, url: str | None) -> str:
    """Where Passerelle answers. Raises `CommandError` for what is no address."""
    where = url or settings.public_url
    if where is None:
        raise CommandError("say where Passerelle answers: --url, or PASSERELLE_PUBLIC_URL")
    if not is_address(where):
        raise CommandError(f"--url {where}: must look like https://example.com or https://example.com/path")
    return where


async def _require_intact(services: Services, workspace_id: UUID) -> None:
    """Raises `CommandError` unless the audit of a workspace hangs together."""
    await services.shared.trail.write()
    await services.shared.trail.seal()
    for one in await services.shared.trail.chains():
        if one.place.chain == workspace_id:
            report = await services.shared.trail.reading.verify(one.place)
            if report.problem is not None:
                raise CommandError(f"the audit does not hang together: {report.problem}")


@asynccontextmanager
async def _running(settings: Settings, stop: asyncio.Event) -> AsyncIterator[Services]:
    """Everything, connected, for a process that goes on. What is configured has been tried."""
    tried = (partial(Files.tried, settings.files_url), partial(asyncio.to_thread, Languages, settings.languages_folder))
    async with (
        tracing.written(settings.otlp_url, settings.otlp_part),
        _services(settings, tried=tried) as services,
        _opening(services),
        scraped(settings.metrics_address, services.metrics, services.shared.database, stop),
        exported(settings.otlp_url, services.metrics),
        beside(services.operations.mail_watch.run()),
    ):
        await tell_all(settings, _database_url(settings), services)
        yield services


@asynccontextmanager
async def _opening(services: Services) -> AsyncIterator[None]:
    """Raises `CommandError` where the keys do not open what the database has: tokens of others would be refused."""
    if not await services.accounts.signing_keys.can_be_read():
        raise CommandError(
            "PASSERELLE_SECRET_KEY does not open what is encrypted in this database: it is another installation's, or "
            "an older key is missing in the list. If the key is lost for good, `passerelle key rotate-signing` "
            "makes a workspace one for signing that yours opens; its secrets have to be set again"
        )
    yield


def _box(settings: Settings) -> SecretBox:
    if settings.secret_key is None:
        raise lacking("secret_key")
    return SecretBox.from_setting(settings.secret_key.get_secret_value())


@asynccontextmanager
async def _services(
    settings: Settings, action: str | None = None, kind: str | None = None, *, tried: Iterable[Trial] = ()
) -> AsyncIterator[Services]:
    """Everything, connected.

    action   what a command is called in the audit, and what it is done to
    tried    what has to do besides the database; all that does not is told at once
    """
    url = _database_url(settings)
    box = _box(settings)
    await _all(_require_database(url), *(one() for one in tried))
    with _clear_about(url):
        opened = open_services(settings, url, box)
        services = await opened.__aenter__()
    try:
        if action is None:
            yield services
        else:
            async with services.shared.trail.as_operator(action, kind):
                yield services
    finally:
        await opened.__aexit__(None, None, None)


async def _all(*tried: Awaitable[object]) -> None:
    """Raises `CommandError` with everything that is refused, and anything else that is raised as it is."""
    errors = [one for one in await asyncio.gather(*tried, return_exceptions=True) if isinstance(one, BaseException)]
    for error in errors:
        if not isinstance(error, CommandError):
            raise error
    if errors:
        raise CommandError("\n".join(str(error) for error in errors))


async def _require_database(url: str) -> None:
    with _clear_about(url):
        await schema.require_current(url)
        await restored.require_numbers(url)


def _database_url(settings: Settings) -> str:
    if settings.address is None:
        raise lacking("database_url")
    return settings.address


_NO_USE: Final = (
    OSError,
    ValueError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ProtocolViolationError,
)


class _clear_about:  # noqa: N801 - reads as the sentence that it stands in
    """Says in one line why the database at `url` cannot be used; never shows the password."""

    def __init__(self, url: str) -> None:
        try:
            self._where = parse_address(url).shown
        except ValueError as error:
            raise CommandError(f"PASSERELLE_DATABASE_URL: {error}") from None

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        if isinstance(error, _NO_USE):
            raise CommandError(f"PASSERELLE_DATABASE_URL ({self._where}): {why_refused(error)}") from None
