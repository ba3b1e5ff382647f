"""Settings: each an environment variable `PASSERELLE_…` and a line of `passerelle.toml`; the variable wins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from passerelle.errors import CommandError
from passerelle.kit.durations import format_duration, parse_duration
from passerelle.kit.mail.addresses import Address
from passerelle.kit.mail.server import SmtpServer
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.timetable import parse_timetable

PREFIX: Final = "PASSERELLE_"
FILE: Final = "passerelle.toml"


class SettingsError(CommandError):
    """A setting is missing or wrong; one line for each."""


class Settings(BaseSettings):
    """Everything that can be set. The reference page of settings is generated from these descriptions."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, toml_file=FILE, extra="forbid", frozen=True)

    database_url: SecretStr | None = Field(
        default=None,
        description="Where PostgreSQL (16 or later) is: `postgresql://user:password@host/database`. "
        "`passerelle dev` has one of its own.",
    )
    public_url: str | None = Field(
        default=None,
        description="The address that links, e-mails and `Link` headers point to. Default: `http://localhost:<port>`.",
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
        "a comma-separated list of CIDRs, names and `host:port`.",
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
    files_url: str = Field(
        default="data/files",
        description="Where files are kept: a folder, or an `s3:`, `gs:` or `az:` address. "
        "`passerelle dev` keeps them in its data folder.",
    )
    run_wait: timedelta = Field(
        default=timedelta(seconds=10), description="How long `POST /workflows/run` waits for the end of a run."
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
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="The least level that is logged."
    )
    database_connections: int = Field(
        default=16, ge=2, le=200, description="The most database connections that one process opens."
    )

    @field_validator("egress_allow")
    @classmethod
    def _check_rules(cls, value: str) -> str:
        EgressRules.parse(value)
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
        Address.parse(value)
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

    @field_validator("run_wait", mode="before")
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


def load(**given: Any) -> Settings:
    """Read the settings. Raises `SettingsError` with everything that is wrong."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(_line(item) for item in error.errors())) from None


def sources(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> dict[str, str]:
    """Where each setting comes from: `environment`, `passerelle.toml` or `default`."""
    path = (folder or Path.cwd()) / FILE
    in_file = TomlConfigSettingsSource(Settings, path)() if path.exists() else {}
    set_here = {name.upper() for name in environment}
    return {
        name: "environment" if (PREFIX + name).upper() in set_here else (FILE if name in in_file else "default")
        for name in Settings.model_fields
    }


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
    return f"{name}: {item['msg'].removeprefix('Value error, ')}"
