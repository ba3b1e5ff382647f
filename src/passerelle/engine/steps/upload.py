"""`upload`: the end user sends files. Its output is `{files: [{resourceId, resourceName, resourcePath, type, …}]}`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from passerelle.definitions.expressions import Scope
from passerelle.definitions.form_answers import FieldFinding
from passerelle.definitions.kinds import Compiling, Path, TextTemplate
from passerelle.definitions.parts import part
from passerelle.engine.kinds import Done
from passerelle.engine.user_kinds import Refused, UserKind, in_text, rendered
from passerelle.kit.json import Json, JsonObject

DEFAULT_SIZE = "10MB"


@dataclass(frozen=True, slots=True)
class UploadConfig:
    """Which files, how large (in bytes) and how many."""

    title: TextTemplate
    accept: tuple[str, ...]
    max_size: int
    most: int
    least: int

    def accepts(self, media_type: str) -> bool:
        """Whether files of this type are taken."""
        return not self.accept or any(
            pattern in (media_type, f"{media_type.partition('/')[0]}/*") for pattern in self.accept
        )


class UploadKind(UserKind):
    """A page that takes files; their type is checked by content, not by name."""

    name = "upload"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Asks the end user for files; stored as resources and as attachments of the record.",
        "additionalProperties": False,
        "required": ["title"],
        "properties": {
            "title": part("text", "The page's heading; `${…}` in it is replaced."),
            "accept": {
                "type": "array",
                "description": "The media types that are taken; any type without it.",
                "minItems": 1,
                "items": {
                    "type": "string",
                    "pattern": "^[a-z]+/([a-z0-9.+-]+|\\*)$",
                    "errorMessage": "must be a media type such as `application/pdf` or `image/*`",
                },
                "examples": [["application/pdf", "image/*"]],
            },
            "maxSize": part("size", f"The largest size of one file; {DEFAULT_SIZE} by default."),
            "max": {"type": "integer", "minimum": 1, "maximum": 100, "default": 1, "description": "The most files."},
            "min": {"type": "integer", "minimum": 0, "maximum": 100, "default": 1, "description": "The fewest files."},
        },
        "examples": [{"title": "Registry extract", "accept": ["application/pdf"], "maxSize": "10MB", "max": 3}],
    }

    def compile(self, value: Json, path: Path, compiling: Compiling) -> UploadConfig:
        config = UploadConfig(
            title=compiling.text_template(value["title"], (*path, "title"), insert=in_text),
            accept=tuple(value.get("accept", ())),
            max_size=compiling.size(value.get("maxSize", DEFAULT_SIZE), (*path, "maxSize")),
            most=int(value.get("max", 1)),
            least=int(value.get("min", 1)),
        )
        if config.least > config.most:
            compiling.problem((*path, "min"), f"must be at most `max`, which is {config.most}, is {config.least}")
        return config

    def show(self, config: UploadConfig, scope: Scope) -> JsonObject:
        return {
            "title": rendered(config.title, scope),
            "accept": list(config.accept),
            "maxSize": config.max_size,
            "max": config.most,
            "min": config.least,
        }

    def submit(self, config: UploadConfig, scope: Scope, answer: Json, by: str | None, now: datetime) -> Done:
        """The answer is `{files: […]}`, each `{resourceId, resourceName, resourcePath, type, size, sha256}`."""
        files = answer.get("files", [])
        if findings := [*_wrong_number(config, len(files)), *_wrong_files(config, files)]:
            raise Refused(findings)
        return Done({"files": files})


def _wrong_number(config: UploadConfig, number: int) -> Iterator[FieldFinding]:
    if number < config.least:
        message = "send a file" if config.least == 1 else f"send at least {config.least} files"
        yield FieldFinding(("files",), "minItems", message, {"limit": config.least})
    if number > config.most:
        yield FieldFinding(("files",), "maxItems", f"send at most {config.most} files", {"limit": config.most})


def _wrong_files(config: UploadConfig, files: list[JsonObject]) -> Iterator[FieldFinding]:
    for place, file in enumerate(files):
        if "type" in file and not config.accepts(file["type"]):
            said = f"is of a type that is not taken here; send {', '.join(config.accept)}"
            yield FieldFinding(("files", place), "accept", said, {"accept": list(config.accept)})
        if file.get("size", 0) > config.max_size:
            said = f"is larger than {config.max_size:,} bytes"
            yield FieldFinding(("files", place), "maxSize", said, {"limit": config.max_size})
