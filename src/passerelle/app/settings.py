"""Settings: each an environment variable `PASSERELLE_…` and a line of `passerelle.toml`; the variable wins."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from passerelle.kit.address import in_schema, parse_address
from passerelle.kit.durations import format_duration, parse_duration
from passerelle.kit.errors import CommandError
from passerelle.kit.mail.addresses import MailAddress
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.secrets import SecretBox
from passerelle.kit.sizes import parse_size
from passerelle.kit.timetable import parse_timetable

PREFIX: Final = "PASSERELLE_"
FILE: Final = "passerelle.toml"
SERVING: Final = ("database_url", "secret_key")
"""What nothing that works on a database of one's own starts without."""
_LACKING: Final = {
    "database_url": "PASSERELLE_DATABASE_URL is not set: give it as postgresql://user:password@host/database",
    "secret_key": "PASSERELLE_SECRET_KEY is not set: make one with `openssl rand -base64 32` and give it to every "
    "process",
}
_OF_COMMANDS: Final = frozenset(PREFIX + name for name in ("URL", "TOKEN", "USER_PASSWORD", "CLIENT_SECRET"))
"""What single commands read besides."""
_OF_KUBERNETES: Final = re.compile(r"_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$")
_DOMAIN: Final = re.compile(r"[^\s,;:@/.]+(\.[^\s,;:@/.]+)+")
_STORES: Final = frozenset({"", "file", "s3", "gs", "az"})


def origins_of(text: str) -> tuple[str, ...]:
    """The origins of `cors_origins`."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


class SettingsError(CommandError):
    """A setting is missing or wrong; one line for each."""


class Settings(BaseSettings):
    """Everything that can be set. The reference page of settings is generated from these descriptions."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=FILE, extra="forbid", frozen=True, env_ignore_empty=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="Where PostgreSQL (16 or later) is: `postgresql://user:password@host/database`. "
        "`passerelle dev` has one of its own.",
    )
    database_pooled: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether a pooler that changes connections between transactions stands before PostgreSQL "
        "(PgBouncer, RDS Proxy, Supavisor, Odyssey). `auto` finds out at the start; behind one, each transaction says "
        "for whom it is. `off` for a pooler that gives each client a connection of its own.",
    )
    database_direct_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL's own address, where `PASSERELLE_DATABASE_URL` is a pooler's: migrations and LISTEN "
        "use it. Without it, processes ask every half second instead of being told.",
    )
    database_read_url: SecretStr | None = Field(
        default=None,
        description="A replica's address (streaming replication), for lists and exports. It is asked only where it has "
        "all that was committed before: nobody misses what they have written.",
    )
    database_schema: str = Field(
        default="public",
        pattern="^[a-z_][a-z0-9_]{0,62}$",
        description="The schema that the tables are in, so that installations can share a database. "
        "`passerelle migrate` makes it where it may.",
    )
    database_role: str | None = Field(
        default=None,
        pattern="^[a-z_][a-z0-9_]{0,62}$",
        description="The role that the application works under, which owns nothing. Default: the database's name, "
        "that of a schema other than `public`, and `_app`. `passerelle migrate` makes it where it may, else says what "
        "an administrator has to run.",
    )
    public_url: str | None = Field(
        default=None,
        description="The address that links, e-mails and `Link` headers point to. Default: `http://localhost:<port>`. "
        "With a path (`https://example.com/onboarding`), everything lives under it.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses and networks of the proxies in front, separated by commas: their `X-Forwarded-For` and "
        "`X-Forwarded-Proto` say who asks, for the limits of failed sign-ins and for the evidence of who did what. "
        "Without it, all who come through a proxy are one client.",
    )
    environment: str = Field(
        default="production",
        pattern="^[a-z][a-z0-9-]{0,31}$",
        description="What tokens for the widget say of this installation, for the pages that read them. "
        "`passerelle dev` says `development`.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Encrypts secrets and signs tokens: at least 32 characters. Several, separated by commas, to "
        "rotate: the first signs and encrypts, all verify and decrypt. `passerelle dev` makes one.",
    )
    egress_allow: str = Field(
        default="",
        description="Networks and names in private ranges that steps and webhooks may reach: "
        "a comma-separated list of CIDRs, names and `host:port`. `passerelle dev` adds this machine's own addresses.",
    )
    cors_origins: str = Field(
        default="",
        description="Sites whose scripts may call the API with credentials of their own and read the answers: a "
        "comma-separated list such as `https://app.example.com`, or `*` for any. Cookies are never among them. Empty: "
        "none; an `OPTIONS` request is answered with the address's methods alone.",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="The mail server that takes e-mails: `smtp://user:password@host:587`, or `smtps://…:465`. "
        "Credentials are only sent over TLS. `passerelle dev` shows messages at `/dev/mail` instead of sending them.",
    )
    mail_from: str = Field(
        default="Passerelle <no-reply@localhost>",
        description="The sender of e-mails: `no-reply@example.com` or `Example <no-reply@example.com>`.",
    )
    mail_domains: str = Field(
        default="",
        description="Domains, separated by commas, from which workspaces may send e-mails to end users, besides that "
        "of `PASSERELLE_MAIL_FROM`. Your mail server must be allowed to send for them (SPF, DKIM).",
    )
    files_url: str = Field(
        default="data/files",
        description="Where files are kept: a folder, or an `s3:`, `gs:` or `az:` address. "
        "`passerelle dev` keeps them in its data folder.",
    )
    languages_folder: Path | None = Field(
        default=None,
        description="A folder with language files of your own for the end users' pages and e-mails: `nl.yaml` adds a "
        "language, `de.yaml` replaces texts of a shipped one. Read at the start.",
    )
    session_idle: timedelta = Field(
        default=timedelta(hours=12), description="After how long without a request a person's session ends."
    )
    session_lifetime: timedelta = Field(
        default=timedelta(days=7), description="After how long a person's session ends in any case."
    )
    publishing_second_person: bool = Field(
        default=False,
        description="Whether publishing a definition needs a second person, where a workspace says nothing else.",
    )
    audit_keep: timedelta | None = Field(
        default=None,
        description="How long the audit is kept, such as `730d`, at least 30 days; for good without it. What is older "
        "is removed, and what is left says from where on it hangs together.",
    )
    sent_journal: timedelta = Field(
        default=timedelta(days=14),
        description="How long a journal of what was sent (calls, webhooks, e-mails: when, where to, by which key; no "
        "contents) is kept beside the files, for `passerelle restore check`; `0d`: none is written.",
    )
    run_wait: timedelta = Field(
        default=timedelta(seconds=10), description="How long `POST /workflows/run` waits for the end of a run."
    )
    quota_executions: int | None = Field(
        default=None,
        ge=1,
        description="How many executions that have not ended a workspace may have, where nothing else was said of it "
        "(`passerelle workspace quota`). Empty: as many as it likes; so for the other quotas.",
    )
    quota_records: int | None = Field(
        default=None, ge=1, description="How many records that are not deleted a workspace may have."
    )
    quota_storage: int | None = Field(
        default=None, ge=1, description="How much the files of a workspace may take, such as `10GB`."
    )
    quota_requests: int | None = Field(
        default=None, ge=1, description="How many requests a minute a workspace may send to the API."
    )
    jobs_per_workspace: int = Field(
        default=100_000,
        ge=1,
        description="How many jobs of one workspace may be under way at once, in all workers, where nothing else was "
        "said of it.",
    )
    stop_delay: timedelta = Field(
        default=timedelta(),
        description="For how long `serve` goes on answering after SIGTERM while `/health/ready` says 503: as long as "
        "your balancer takes to notice, such as `15s`; five minutes at most.",
    )
    v1: str = Field(
        default="on",
        pattern="^(on|warn|brownout|off)$",
        description="How far the end of version 1 is, for workspaces that say nothing else: `on` answers with "
        "`Deprecation` headers, `warn` adds `Warning` and a line in the log, `brownout` refuses at set times, "
        "`off` refuses.",
    )
    v1_brownouts: str = Field(
        default="tue 09:00-10:00, thu 14:00-15:00",
        description="When `brownout` refuses version 1: `tue 09:00-10:00` or `daily 12:00-12:15` in UTC, or "
        "`2026-12-01T09:00Z/2026-12-01T10:00Z`; several with commas.",
    )
    v1_sunset: str | None = Field(
        default=None, description="The date (ISO 8601) on which version 1 ends; sent as the `Sunset` header."
    )
    operated_by: UUID | None = Field(
        default=None,
        description="The id of the organization that runs this installation: its owners and administrators see figures "
        "of the whole of it (`GET /operations`), all others those of their own workspace. Without it, the only "
        "organization does, as long as there is no other.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="Who sends it as `Authorization: Bearer …` may read `/metrics` of `serve`: 16 characters at least. "
        "Without it nobody may; see `PASSERELLE_METRICS_LISTEN`.",
    )
    metrics_listen: str | None = Field(
        default=None,
        description="Where each process answers `/metrics`, `/health/live` and `/health/ready` besides, to whoever may "
        "connect: `127.0.0.1:9464`, or `0.0.0.0:9464` in a network of your own. `worker` has no other address. Of "
        "`serve --processes`, each process takes the next port.",
    )
    otlp_url: str | None = Field(
        default=None,
        description="Where traces and metrics go: an OpenTelemetry collector's address for OTLP over HTTP, such as "
        "`http://collector:4318`. Needs `passerelle[otel]`; headers and names come from the usual `OTEL_…` variables. "
        "Without it neither is sent; `/metrics` tells its own to Prometheus in any case.",
    )
    otlp_part: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Which part of the traces that begin here is written, from 0 to 1. A caller's `traceparent` "
        "decides for what belongs to it.",
    )
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="The least level that is logged."
    )
    database_connections: int = Field(
        default=16, ge=2, le=200, description="The most database connections that one process opens."
    )

    @property
    def address(self) -> str | None:
        """The database's address, with the schema; None where none is set."""
        return self._in_schema(self.database_url)

    @property
    def direct_address(self) -> str | None:
        """As `address`, PostgreSQL's own."""
        return self._in_schema(self.database_direct_url)

    @property
    def read_address(self) -> str | None:
        """As `address`, the replica's."""
        return self._in_schema(self.database_read_url)

    def _in_schema(self, url: SecretStr | None) -> str | None:
        return in_schema(url.get_secret_value(), self.database_schema) if url is not None else None

    @field_validator("database_url", "database_direct_url", "database_read_url")
    @classmethod
    def _check_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value():
            parse_address(value.get_secret_value())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: str) -> str:
        for one in _listed(value):
            ip_network(one, strict=False)
        return value

    @field_validator("public_url")
    @classmethod
    def _check_public(cls, value: str | None) -> str | None:
        if value is None or not value:
            return None
        if not is_address(value):
            raise ValueError("must look like https://example.com or https://example.com/path")
        return value.rstrip("/")

    @field_validator("otlp_url")
    @classmethod
    def _check_collector(cls, value: str | None) -> str | None:
        if value is None or not value:
            return None
        if not is_address(value):
            raise ValueError("must look like http://collector:4318")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _check_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                SecretBox.from_setting(value.get_secret_value())
            except CommandError as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("files_url")
    @classmethod
    def _check_store(cls, value: str) -> str:
        if (scheme := urlsplit(value).scheme) not in _STORES:
            raise ValueError(f"`{scheme}:` is no store: name a folder, or `s3:`, `gs:` or `az:`")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[!-~]{16,200}", value.get_secret_value()):
            raise ValueError("must be 16 to 200 visible ASCII characters: make one with `openssl rand -hex 24`")
        return value

    @field_validator("metrics_listen")
    @classmethod
    def _check_listen(cls, value: str | None) -> str | None:
        if not value:
            return None
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:
            raise ValueError("must look like 127.0.0.1:9464")
        return value

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port of `metrics_listen`; None where there is none."""
        if self.metrics_listen is None:
            return None
        host, _, port = self.metrics_listen.rpartition(":")
        return host.strip("[]"), int(port)

    def beside(self, number: int) -> Settings:
        """For one of several processes of `serve`: metrics are told at a port of its own."""
        if self.metrics_address is None:
            return self
        host, _, port = (self.metrics_listen or "").rpartition(":")
        return self.model_copy(update={"metrics_listen": f"{host}:{int(port) + number}"})

    @property
    def sender_domains(self) -> frozenset[str]:
        """The domains of addresses that messages may come from."""
        return frozenset((MailAddress.parse(self.mail_from).domain, *map(str.lower, _listed(self.mail_domains))))

    @property
    def proxies(self) -> tuple[str, ...]:
        """The trusted proxies, each by itself."""
        return _listed(self.trusted_proxies)

    @field_validator("egress_allow")
    @classmethod
    def _check_rules(cls, value: str) -> str:
        EgressRules.parse(value)
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: str) -> str:
        for origin in origins_of(value):
            parts = urlsplit(origin)
            if origin != "*" and (
                parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError(f"`{origin}` is no origin: write it as `https://app.example.com`, without a path")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            SmtpServer.parse(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        MailAddress.parse(value)
        return value

    @field_validator("v1_brownouts")
    @classmethod
    def _check_times(cls, value: str) -> str:
        parse_timetable(value)
        return value

    @field_validator("v1_sunset")
    @classmethod
    def _check_date(cls, value: str | None) -> str | None:
        if value is not None:
            datetime.fromisoformat(value)
        return value

    @field_validator("quota_executions", "quota_records", "quota_storage", "quota_requests", mode="before")
    @classmethod
    def _read_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("quota_storage", mode="before")
    @classmethod
    def _read_size(cls, value: Any) -> Any:
        return parse_size(value) if isinstance(value, str) and not value.isdigit() and value else value

    @field_validator("audit_keep")
    @classmethod
    def _check_keep(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < timedelta(days=30):
            raise ValueError("must be 30 days at least")
        return value

    @field_validator("stop_delay")
    @classmethod
    def _check_delay(cls, value: timedelta) -> timedelta:
        if not timedelta() <= value <= timedelta(minutes=5):
            raise ValueError("must be five minutes at most, such as 15s")
        return value

    @field_validator("session_idle", "session_lifetime")
    @classmethod
    def _check_session(cls, value: timedelta) -> timedelta:
        if value < timedelta(minutes=1):
            raise ValueError("must be a minute at least, such as 12h: nobody could work within less")
        return value

    @field_validator("mail_domains")
    @classmethod
    def _check_domains(cls, value: str) -> str:
        if wrong := [one for one in _listed(value) if not _DOMAIN.fullmatch(one)]:
            raise ValueError(f"`{wrong[0]}` is no domain: list them with commas, such as example.com,example.org")
        return value

    @field_validator(
        "audit_keep", "run_wait", "stop_delay", "session_idle", "session_lifetime", "sent_journal", mode="before"
    )
    @classmethod
    def _read_duration(cls, value: Any) -> Any:
        return parse_duration(value) if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment before file before default."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def is_address(text: str) -> bool:
    """Whether browsers find something under it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username or parts.password) and not re.search(r"\s", text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and plain


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def load(needed: Sequence[str] = (), **given: Any) -> Settings:
    """Read the settings. Raises `SettingsError` with everything that is wrong, or is `needed` and not there."""
    wrong: list[str] = []
    settings: Settings | None = None
    try:
        settings = Settings(**given)
    except ValidationError as error:
        wrong = [_line(item) for item in error.errors()]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{Path.cwd() / FILE} cannot be read: {error}") from None
    known = sources()
    wrong += [_LACKING[name] for name in needed if name not in given and known[name] == "default"]
    if settings is None or wrong:
        raise SettingsError("\n".join(wrong))
    return settings


def lacking(name: str) -> SettingsError:
    """What to raise where a setting of `SERVING` is not there."""
    return SettingsError(_LACKING[name])


def sources(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> dict[str, str]:
    """Where each setting comes from: `environment`, `passerelle.toml` or `default`."""
    path = (folder or Path.cwd()) / FILE
    in_file = TomlConfigSettingsSource(Settings, path)() if path.exists() else {}
    set_here = {name.upper() for name, value in environment.items() if value}
    return {
        name: "environment" if (PREFIX + name).upper() in set_here else (FILE if name in in_file else "default")
        for name in Settings.model_fields
    }


def unknown_names(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Variables that are named as settings are, and are none: what was mistyped has no effect.

    Those that Kubernetes gives for a service of the name are passed over.
    """
    known = {(PREFIX + name).upper() for name in Settings.model_fields} | _OF_COMMANDS
    names = (name for name in environment if name.upper().startswith(PREFIX))
    return sorted(name for name in names if name.upper() not in known and not _OF_KUBERNETES.search(name))


def shown(settings: Settings, name: str) -> str:
    """A setting's value for people; secrets are hidden."""
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        return "(hidden)"
    if isinstance(value, timedelta):
        return format_duration(value)
    return "" if value is None else str(value)


def _line(item: Any) -> str:
    name = PREFIX + "_".join(str(part) for part in item["loc"]).upper()
    if item["type"] == "extra_forbidden":
        return f"{FILE}: there is no setting {item['loc'][0]}: `passerelle settings` lists them all"
    said = item["msg"].removeprefix("Value error, ")
    return said if said.startswith(name) else f"{name}: {said}"
