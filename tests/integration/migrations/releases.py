"""Other releases than this one: with migrations and functions more, or with fewer."""

from __future__ import annotations

import gzip
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

from passerelle.migrations import schema
from passerelle.migrations.release import FOLDER, THIS, Release, SchemaMigration

FORMER: Final = Path(__file__).with_name("former_release.sql.gz")
"""A dump of what `passerelle dev` and a few requests had made under the last of the numbered migrations, 0070."""
SECRET_KEY: Final = "cGFzc2VyZWxsZS1yZWxlYXNlLXRlc3Qta2V5LTMyYnk="
TOKEN: Final = "pso_a9I8MdnUvI_tnFeMeHD0H6AJqjFArNfuLzh812NJs4g"
"""The organization token of the dump's workspace."""
CHECK: Final = "01a22520-82b5-7eee-8990-54fba42f5b0f"
ONBOARDING: Final = "01a22520-8316-7834-b62c-5f7ede8fa93d"
"""Two of its definitions."""

NEWER: Final = "9.0.0"


def migration(
    name: str, follows: str, *statements: str, breaks: str | None = None, online: str = ""
) -> tuple[str, str]:
    """The name and the text of a migration's file."""
    lines = ["from alembic import op", "from passerelle.migrations.online import index"]
    lines += [f"revision = {name!r}", f"down_revision = {follows!r}"]
    lines += [f"breaks = {breaks!r}"] if breaks else []
    lines += ["def upgrade() -> None:", *(f"    op.execute({statement!r})" for statement in statements)]
    lines += [f"    {online}"] if online else []
    return name, "\n".join(lines) + "\n    pass\n"


def with_more(
    folder: Path, *migrations: tuple[str, str], functions: Mapping[str, str] | None = None, version: str = NEWER
) -> Release:
    """This release with these migrations and files of functions added, as a later one would have them."""
    for kind, files in (("versions", dict(migrations)), ("functions", functions or {})):
        (folder / kind).mkdir(parents=True)
        for name, text in files.items():
            (folder / kind / f"{name}.{'py' if kind == 'versions' else 'sql'}").write_text(text)
    return Release(
        version=version,
        versions=(*THIS.versions, folder / "versions"),
        functions=(*THIS.functions, folder / "functions"),
    )


def up_to(folder: Path, last: SchemaMigration) -> Release:
    """This release with its migrations only up to this one, and without functions: those are of the last."""
    folder.mkdir()
    for migration in THIS.migrations[: THIS.migrations.index(last) + 1]:
        shutil.copy(FOLDER / "versions" / f"{migration.name}.py", folder)
    return Release(versions=(folder,), functions=())


def newest() -> str:
    """This release's last migration."""
    return THIS.migrations[-1].name


async def restore(url: str) -> None:
    """Fill an empty database from the dump."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "DO $$ BEGIN CREATE ROLE passerelle_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; "
        "END $$; GRANT passerelle_app TO current_user"
    )
    await connection.execute(gzip.decompress(FORMER.read_bytes()).decode())
    await connection.close()


def main() -> None:
    """`python -m tests.integration.migrations.releases FOLDER COMMAND…`: the command line of the release of FOLDER."""
    folder, *sys.argv[1:] = sys.argv[1:]
    release = Release(
        version=NEWER,
        versions=(*THIS.versions, Path(folder) / "versions"),
        functions=(*THIS.functions, Path(folder) / "functions"),
    )
    for function in (schema.migrate, schema.require_current, schema.newer, schema.other_functions):
        function.__defaults__ = (release,)
    from passerelle.cli.main import main as passerelle

    passerelle()


if __name__ == "__main__":
    main()
