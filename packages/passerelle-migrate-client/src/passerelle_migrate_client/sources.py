"""The files of a client: which are read, which are not and why, and how their bytes become text and back."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from passerelle_migrate_client.errors import CommandError
from passerelle_migrate_client.languages import Language, language_of, may_be_source

LARGEST: Final = 2_000_000
"""Bytes of a source file that people write; what is longer was generated."""
LONGEST_LINE: Final = 5_000
"""Bytes of a line; a longer one was written by a bundler."""
NAMES_API: Final = re.compile(
    rb"workflowDefinitionId|workflow_definition_id|parametersId|partyDetails|link/send|workflows/run"
)
"""What only clients of this API say."""
PROSE: Final = frozenset({".md", ".rst", ".txt", ".adoc", ".html", ".log", ".lock", ".svg", ".pdf", ".map"})
"""Files that are no programs, whatever they name."""
VENDORED: Final = frozenset(
    {
        "node_modules", "bower_components", "jspm_packages", "vendor", "third_party", "site-packages", ".venv", "venv",
        "virtualenv", ".tox", ".nox", "__pycache__", ".git", ".hg", ".svn", "dist", "build", "out", "target", "bin",
        "obj", ".gradle", ".idea", ".vscode", ".next", ".nuxt", ".mypy_cache", ".pytest_cache", ".terraform",
        "coverage",
    }
)  # fmt: skip
"""Folders of other people's code, and of what a build makes."""
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is read. `text` is UTF-8, whatever the file's own encoding."""

    path: Path
    language: Language
    text: bytes
    encoding: str

    def encoded(self, text: bytes) -> bytes:
        """Another text as this file's bytes."""
        return _encode(text.decode(), self.encoding)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is not read, and why."""

    path: Path
    reason: str
    names_api: bool = False
    """Whether it says what only clients of this API say: somebody has to look at it."""


def sources(paths: Sequence[Path], encoding: str | None) -> Iterator[Source | Skipped]:
    """Every source file below `paths`, and what was passed over, in the order of their names.

    `encoding`: of files that are not UTF-8 and do not say what they are. Raises `CommandError`.
    """
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise CommandError(f"--encoding: there is no encoding `{encoding}`; cp1250 is one") from None
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path}: there is no such file or folder")
        yield from _folder(path, encoding) if path.is_dir() else _file(path, encoding, named=True)


def _folder(folder: Path, encoding: str | None) -> Iterator[Source | Skipped]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield Skipped(folder, f"cannot be read: {error.strerror}")
        return
    for entry in entries:
        if entry.is_symlink():
            if entry.is_dir() or may_be_source(entry):
                yield Skipped(entry, "is a link: give what it points to, if that is yours")
        elif entry.is_dir():
            if entry.name in VENDORED:
                yield Skipped(entry, "holds other people's code, or what a build made: give it by name to read it")
            else:
                yield from _folder(entry, encoding)
        elif entry.is_file():
            yield from _file(entry, encoding, named=False) if may_be_source(entry) else _other(entry)


def _other(path: Path) -> Iterator[Skipped]:
    """A file in no language that is known: told where it names the API, unless it is made to be read by people."""
    if path.suffix.lower() in PROSE:
        return
    try:
        with path.open("rb") as file:
            named = NAMES_API.search(file.read(LARGEST)) is not None
    except OSError as error:
        yield Skipped(path, f"cannot be read: {error.strerror}")
        return
    if named:
        yield Skipped(path, "is in no language that this command knows", names_api=True)


def _file(path: Path, encoding: str | None, *, named: bool) -> Iterator[Source | Skipped]:
    """The file; nothing where it is no client's source and was not asked for by name."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        yield Skipped(path, f"cannot be read: {error.strerror}")
        return
    language = language_of(path, content)
    names_api = NAMES_API.search(content.replace(b"\0", b"")) is not None
    if language is None:
        if named or names_api:
            yield Skipped(path, "is in no language that this command knows", names_api)
    elif size > LARGEST:
        yield Skipped(path, f"has {size:,} bytes: files up to {LARGEST:,} are read", names_api)
    else:
        found = _decoded(path, language, content, encoding)
        yield replace(found, names_api=names_api) if isinstance(found, Skipped) else found


def _decoded(path: Path, language: Language, content: bytes, encoding: str | None) -> Source | Skipped:
    used = _encoding_of(content, language) or encoding
    if used is None:
        return Skipped(path, "is binary" if b"\0" in content else "is not UTF-8: say what it is with --encoding")
    try:
        text = _decode(content, used)
    except (UnicodeDecodeError, LookupError):
        return Skipped(path, f"cannot be read as {used}")
    reason = _unfit(text, content, used, language)
    return Skipped(path, reason) if reason is not None else Source(path, language, text, used)


def _unfit(text: bytes, content: bytes, encoding: str, language: Language) -> str | None:
    """Why a file that can be read is left alone."""
    if b"\0" in text:
        return "is binary"
    if _encode(text.decode(), encoding) != content:
        return f"would not come out of {encoding} as it went in"
    if language.name != "Postman" and max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        return f"has a line of more than {LONGEST_LINE:,} bytes: a bundler wrote it"
    return None


def _encoding_of(content: bytes, language: Language) -> str | None:
    for bom, name in _BOMS:
        if content.startswith(bom):
            return name
    if language.name == "Python":
        try:
            return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
        except SyntaxError:
            return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _decode(content: bytes, encoding: str) -> bytes:
    if encoding.startswith("utf-16-"):
        content = content[2:]
    return content.decode(encoding).encode()


def _encode(text: str, encoding: str) -> bytes:
    bom = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    return bom + text.encode(encoding)
