"""A page that takes files: the documents that are asked for, each in a place of its own, or files of whatever kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from passerelle.end_user.pages.presenters.base import Presenter, Submission
from passerelle.end_user.session.models import FieldProblem, StepView
from passerelle.kit.json import JsonObject
from passerelle.languages.language import Language

_SENTENCES: Final[Mapping[str, str]] = {
    "minItems": "upload.too_few",
    "maxItems": "upload.too_many",
    "accept": "upload.wrong_type",
    "maxSize": "upload.too_large",
}


class UploadPresenter(Presenter):
    """The files so far, and where to add one."""

    name = "upload"
    template = "upload.html"

    def content(self, step: StepView, t: Language, attempt: Submission) -> dict[str, Any]:
        named = "documents" in step.config
        places = [_place(step, document, t, attempt) for document in documents_of(step)]
        return {"places": places, "named": named}

    def sentence(self, step: StepView, problem: FieldProblem, t: Language) -> str:
        document = document_of(step, (problem.pointer or "").removeprefix("/documents/")) or documents_of(step)[0]
        key = _SENTENCES.get(problem.keyword, "problem.other")
        if key == "upload.too_few" and document["max"] == 1:
            key = "upload.needed"
        said = t(key, least=document["min"], most=document["max"], size=size_text(document["maxSize"], t))
        return _titled(document, t) + said

    def target(self, pointer: str) -> str:
        return _element("file", pointer.removeprefix("/documents/")) if pointer.startswith("/documents/") else "file"


def documents_of(step: StepView) -> list[JsonObject]:
    """What the step asks for: its documents, or a single one without a name."""
    return list(step.config.get("documents") or [{"id": "", **step.config, "title": None, "hint": None}])


def document_of(step: StepView, name: str) -> JsonObject | None:
    """One of the documents by its id, which is empty where the step names none."""
    return next((one for one in documents_of(step) if one["id"] == name), None)


def _place(step: StepView, document: JsonObject, t: Language, attempt: Submission) -> dict[str, Any]:
    accept, name = list(document["accept"] or ()), document["id"]
    files = [_file(file, t) for file in step.files if file.get("document", "") == name]
    return {
        "id": name,
        "element": _element("file", name),
        "camera_element": _element("camera", name),
        "title": t.of(document["title"]),
        "hint": t.of(document["hint"]),
        "files": files,
        "types": types_text(accept, t),
        "accept": ",".join(accepted(accept)),
        "size": size_text(document["maxSize"], t),
        "max_size": document["maxSize"],
        "most": document["max"],
        "least": document["min"],
        "camera": not accept or any(one.startswith("image/") for one in accept),
        "problem": attempt.problems.get(f"/documents/{name}", "").removeprefix(_titled(document, t)) if name else "",
    }


def _titled(document: JsonObject, t: Language) -> str:
    """What a sentence begins with that stands apart from the document's place."""
    return f"{t.of(document['title'])}: " if document["title"] else ""


def _file(file: JsonObject, t: Language) -> dict[str, Any]:
    return {
        "id": file["resourceId"],
        "name": file.get("sentName", file["resourceName"]),
        "size": size_text(file["size"], t),
        "kept_as": file["resourceName"] if "sentName" in file else None,
        "preview": bool(file.get("preview")),
    }


def _element(part: str, name: str) -> str:
    return f"{part}-{name}" if name else part


def accepted(accept: Sequence[str]) -> list[str]:
    """What the browser's chooser offers. Some know phones' own photos by their endings alone."""
    photos = (".heic", ".heif") if any(one in ("image/*", "image/heic", "image/heif") for one in accept) else ()
    return [*accept, *photos]


_UNITS: Final = ("B", "KB", "MB", "GB")
_NAMES: Final = {
    "application/pdf": "PDF",
    "application/msword": "DOC",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/zip": "ZIP",
    "image/jpeg": "JPEG",
    "text/plain": "TXT",
}


def size_text(size: int, t: Language) -> str:
    """`3.4 MB`, `3,4 MB`: 1 KB is 1,024 bytes."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    text = f"{amount:.1f}".removesuffix(".0").replace(".", t.decimal)
    return f"{text}\u00a0{_UNITS[unit]}"


def types_text(accept: Sequence[str], t: Language) -> str:
    """Media types as people know them."""
    if not accept:
        return t("upload.any")
    words = (
        t("upload.images") if one == "image/*" else _NAMES.get(one, one.partition("/")[2].upper()) for one in accept
    )
    return ", ".join(words)
