"""`upload`: the end user sends files. Its output is `{files: [{resourceId, resourceName, resourcePath, type, …}]}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from passerelle.definitions.kinds import Compiling, Path, StepKind
from passerelle.definitions.model import Text
from passerelle.definitions.parts import part
from passerelle.kit.json import Json, JsonObject

DEFAULT_SIZE = "10MB"


@dataclass(frozen=True, slots=True)
class UploadConfig:
    """Which files, how large (in bytes) and how many."""

    title: Text
    accept: tuple[str, ...]
    max_size: int
    most: int
    least: int


class UploadKind(StepKind):
    """A page that takes files; their type is checked by content, not by name."""

    name = "upload"
    user_facing = True
    runnable = False
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Asks the end user for files; stored as resources and as attachments of the record.",
        "additionalProperties": False,
        "required": ["title"],
        "properties": {
            "title": part("text", "The page's heading."),
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
            title=compiling.text(value["title"], (*path, "title")),
            accept=tuple(value.get("accept", ())),
            max_size=compiling.size(value.get("maxSize", DEFAULT_SIZE), (*path, "maxSize")),
            most=int(value.get("max", 1)),
            least=int(value.get("min", 1)),
        )
        if config.least > config.most:
            compiling.problem((*path, "min"), f"must be at most `max`, which is {config.most}, is {config.least}")
        return config
