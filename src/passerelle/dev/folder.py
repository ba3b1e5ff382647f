"""The folder that `passerelle dev` works on, as commands beside it see it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import SecretStr

from passerelle.app.settings import Settings
from passerelle.dev.postgres import EmbeddedError, EmbeddedPostgres
from passerelle.kit.errors import CommandError

DEMO_FILE: Final = "demo.json"
SECRET_KEY_FILE: Final = "secret-key"  # noqa: S105 - the file's name


def settings_beside(settings: Settings, data_dir: Path) -> Settings:
    """The settings; where they name no database, with that of the `passerelle dev` on this folder, its key and files.

    Raises `CommandError` where there is none.
    """
    if settings.database_url is not None:
        return settings
    try:
        found = {
            "database_url": EmbeddedPostgres.address_of(data_dir),
            "secret_key": (data_dir / SECRET_KEY_FILE).read_text().strip(),
        }
    except (EmbeddedError, OSError) as error:
        raise CommandError(
            f"set PASSERELLE_DATABASE_URL, or give the --data-dir of a running `passerelle dev` ({error})"
        ) from None
    secret = {name: SecretStr(value) for name, value in found.items()}
    files = {} if "files_url" in settings.model_fields_set else {"files_url": str(data_dir / "files")}
    return settings.model_copy(update={**secret, **files})
