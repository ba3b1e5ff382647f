"""`upload`: the end user sends files. Its output is `{files: [{resourceId, resourceName, resourcePath, type, …}]}`.

Where it asks for `documents`, each file names its own, and the output has `documents: {<id>: [file, …]}` as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from passerelle.definitions.expressions import Scope
from passerelle.definitions.form_answers import FieldFinding
from passerelle.definitions.kinds import Path, StepContext, TextTemplate
from passerelle.definitions.model import Text
from passerelle.definitions.parts import IDENTIFIER, part
from passerelle.definitions.readings import members
from passerelle.engine.kinds import Done
from passerelle.engine.user_kinds import AnswerRefused, UserKind, in_text, rendered
from passerelle.kit.json import JsonObject, KnownJson

DEFAULT_SIZE = "10MB"
ANY = ""
"""The id of what a step asks for that names no documents."""


@dataclass(frozen=True, slots=True)
class DocumentConfig:
    """A document that is asked for: which files, how large (in bytes) and how many."""

    id: str
    title: Text | None
    hint: Text | None
    accept: tuple[str, ...]
    max_size: int
    most: int
    least: int
    keeps_location: bool = False
    """Whether pictures go on telling where they were taken."""

    def accepts(self, media_type: str) -> bool:
        """Whether files of this type are taken."""
        return not self.accept or any(
            pattern in (media_type, f"{media_type.partition('/')[0]}/*") for pattern in self.accept
        )

    def shown(self) -> JsonObject:
        """What its page says."""
        return {"accept": list(self.accept), "maxSize": self.max_size, "max": self.most, "min": self.least}


@dataclass(frozen=True, slots=True)
class UploadConfig:
    """What is asked for: documents, or a single one named `ANY` that stands for files of whatever kind."""

    title: TextTemplate
    documents: tuple[DocumentConfig, ...]

    def document(self, name: str) -> DocumentConfig | None:
        """One of the documents."""
        return next((one for one in self.documents if one.id == name), None)

    @property
    def any(self) -> DocumentConfig | None:
        """What is asked for where no documents are named."""
        return self.document(ANY)


_LIMITS: JsonObject = {
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
    "location": {
        "enum": ["remove", "keep"],
        "default": "remove",
        "description": "Whether pictures go on telling where they were taken: it is taken out of the files themselves "
        "unless it is to be kept.",
    },
    "max": {"type": "integer", "minimum": 1, "maximum": 100, "default": 1, "description": "The most files."},
    "min": {"type": "integer", "minimum": 0, "maximum": 100, "default": 1, "description": "The fewest files."},
}


class UploadKind(UserKind[UploadConfig]):
    """A page that takes files; their type is checked by content, not by name."""

    name = "upload"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Asks the end user for files; stored as resources and as attachments of the record.",
        "additionalProperties": False,
        "required": ["title"],
        "properties": {
            "title": part("text", "The page's heading; `${…}` in it is replaced."),
            **_LIMITS,
            "documents": {
                "type": "array",
                "description": "The documents that are asked for, each in a place of its own, such as the front and "
                "the back of a card. `accept`, `maxSize` and `location` of the step hold for those that say nothing "
                "else.",
                "minItems": 1,
                "maxItems": 20,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["id", "title"],
                    "properties": {
                        "id": {
                            "type": "string",
                            "pattern": IDENTIFIER,
                            "maxLength": 50,
                            "description": "Names the document; expressions read its files as "
                            "`steps.<step>.documents.<id>`.",
                            "errorMessage": "must begin with a letter and have letters, digits and `_` only",
                        },
                        "title": part("text", "What the end user reads above its place."),
                        "hint": part("text", "What helps to send the right thing."),
                        **_LIMITS,
                    },
                },
                "examples": [[{"id": "front", "title": "Front"}, {"id": "back", "title": "Back"}]],
            },
        },
        "examples": [
            {"title": "Registry extract", "accept": ["application/pdf"], "maxSize": "10MB", "max": 3},
            {
                "title": "Identity card",
                "documents": [{"id": "front", "title": "Front"}, {"id": "back", "title": "Back"}],
            },
        ],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> UploadConfig:
        title = compiling.text_template(value["title"], (*path, "title"), insert=in_text)
        if "documents" not in value:
            return UploadConfig(title, (_document({"id": ANY, **value, "title": None}, {}, path, compiling),))
        for name in ("min", "max"):
            if name in value:
                compiling.problem((*path, name), "stands at each of `documents`, not here")
        documents: list[DocumentConfig] = []
        for number, one in enumerate(value["documents"]):
            place = (*path, "documents", number)
            compiling.identifier(one["id"], (*place, "id"))
            if any(other.id == one["id"] for other in documents):
                compiling.problem(
                    (*place, "id"), f"`{one['id']}` names a document before; each needs a name of its own"
                )
            documents.append(_document(one, value, place, compiling))
        return UploadConfig(title, tuple(documents))

    def show(self, config: UploadConfig, scope: Scope) -> JsonObject:
        title = {"title": rendered(config.title, scope)}
        if config.any is not None:
            return {**title, **config.any.shown()}
        asked = [{"id": one.id, "title": one.title, "hint": one.hint, **one.shown()} for one in config.documents]
        return {**title, "documents": asked}

    def output_shape(self, config: UploadConfig) -> JsonObject:
        files: JsonObject = {"type": "array"}
        if config.any is not None:
            return members({"files": files})
        return members({"files": files, "documents": members({one.id: files for one in config.documents})})

    def submit(
        self, config: UploadConfig, scope: Scope, answer: KnownJson, evidence: JsonObject | None, now: datetime
    ) -> Done:
        """The answer is `{files: […]}`, each `{resourceId, resourceName, resourcePath, type, size, sha256}`, and the
        `document` that it is, where documents are asked for."""
        files = answer.get("files", [])
        sent = {one.id: [file for file in files if file.get("document", ANY) == one.id] for one in config.documents}
        findings = [*_unknown(config, files)]
        for document in config.documents:
            findings += [*_wrong_number(document, len(sent[document.id])), *_wrong_files(document, files)]
        if findings:
            raise AnswerRefused(findings)
        return Done({"files": files} if config.any is not None else {"files": files, "documents": sent})


def _document(value: JsonObject, around: JsonObject, path: Path, compiling: StepContext) -> DocumentConfig:
    """One document; `around` is the step, whose `accept` and `maxSize` hold where it says nothing."""
    document = DocumentConfig(
        id=value["id"],
        title=compiling.text(value["title"], (*path, "title")) if value["title"] is not None else None,
        hint=compiling.text(value["hint"], (*path, "hint")) if "hint" in value else None,
        accept=tuple(value.get("accept", around.get("accept", ()))),
        max_size=compiling.size(value.get("maxSize", around.get("maxSize", DEFAULT_SIZE)), (*path, "maxSize")),
        most=int(value.get("max", 1)),
        least=int(value.get("min", 1)),
        keeps_location=value.get("location", around.get("location")) == "keep",
    )
    if document.least > document.most:
        compiling.problem((*path, "min"), f"must be at most `max`, which is {document.most}, is {document.least}")
    return document


def _unknown(config: UploadConfig, files: list[JsonObject]) -> Iterator[FieldFinding]:
    for place, file in enumerate(files):
        if config.document(file.get("document", ANY)) is None:
            known = ", ".join(one.id for one in config.documents if one.id)
            said = f"is for no document that is asked for; there is {known}" if known else "names a document"
            yield FieldFinding(("files", place), "unknown", said)


def _wrong_number(document: DocumentConfig, number: int) -> Iterator[FieldFinding]:
    path = ("documents", document.id) if document.id else ("files",)
    if number < document.least:
        message = "send a file" if document.least == 1 else f"send at least {document.least} files"
        yield FieldFinding(path, "minItems", message, {"limit": document.least})
    if number > document.most:
        yield FieldFinding(path, "maxItems", f"send at most {document.most} files", {"limit": document.most})


def _wrong_files(document: DocumentConfig, files: list[JsonObject]) -> Iterator[FieldFinding]:
    for place, file in enumerate(files):
        if file.get("document", ANY) != document.id:
            continue
        if "type" in file and not document.accepts(file["type"]):
            said = f"is of a type that is not taken here; send {', '.join(document.accept)}"
            yield FieldFinding(("files", place), "accept", said, {"accept": list(document.accept)})
        if file.get("size", 0) > document.max_size:
            said = f"is larger than {document.max_size:,} bytes"
            yield FieldFinding(("files", place), "maxSize", said, {"limit": document.max_size})
