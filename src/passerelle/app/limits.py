"""Every limit with its number, for the reference page: the numbers are those that the code uses."""

from __future__ import annotations

from typing import Final, NamedTuple

from passerelle.accounts import attempts
from passerelle.conversions import csv_file, openapi
from passerelle.conversions import reading as conversions
from passerelle.conversions.bpmn import reading as bpmn
from passerelle.definitions import (
    compilation,
    compiler,
    form_answers,
    json_schema,
    problems,
    schema_size,
    source,
    yaml_text,
)
from passerelle.definitions.expressions import functions, parser, tokens, values
from passerelle.end_user.session import consent_copies
from passerelle.end_user.session import limits as pace
from passerelle.engine import calling, commits
from passerelle.engine.steps import each
from passerelle.engine.transitions import working
from passerelle.kit import jobs, work, workshop
from passerelle.kit.http import bodies, errors, protocol
from passerelle.links import copies
from passerelle.people import attempts as people
from passerelle.records import filters, rows
from passerelle.resources import opening, uploads
from passerelle.webhooks import dispatcher
from passerelle.workflows import preconditions, runs_here


class Bound(NamedTuple):
    """What is limited, how much there may be, and what is told beyond it: a code, or what happens."""

    what: str
    most: float
    beyond: str


GROUPS: Final[dict[str, tuple[Bound, ...]]] = {
    "Requests": (
        Bound("Bytes of a body, where an address says nothing else", bodies.BODY_LIMIT, "`BODY_TOO_LARGE`"),
        Bound("Bytes of the head of a request: its address and headers", protocol.MOST_HEAD, "`HEAD_TOO_LARGE`"),
        Bound("Seconds for the head of a request", protocol.HEAD_SECONDS, "the connection ends with 408"),
        Bound("Seconds for the body of a request in any case", protocol.BODY_SECONDS, "the connection ends"),
        Bound("Bytes of a body for each of which another second is granted", protocol.BODY_PACE, "the connection ends"),
        Bound(
            "Connections of a process on which a head is awaited",
            protocol.MOST_WITHOUT_HEAD,
            "the oldest ends with 408",
        ),
        Bound(
            "Connections of a process in all, if it may have so many files open",
            protocol.MOST,
            "an idle one ends; where none is, 503 with `Retry-After`",
        ),
        Bound(
            "Problems of one answer that are told; the others are counted",
            errors.MOST_TOLD,
            "one entry says how many more",
        ),
        Bound("Columns of a CSV file", rows.MOST_COLUMNS, "`IMPORT_UNREADABLE`"),
        Bound("Levels of a filter", filters.DEEPEST, "`FILTER_TOO_LARGE`"),
        Bound("Conditions of a filter", filters.MOST_PARTS, "`FILTER_TOO_LARGE`"),
        Bound("Values of `in` in a filter", filters.MOST_VALUES, "`FILTER_INVALID`"),
        Bound("Fields to sort by", filters.MOST_SORTS, "`FILTER_INVALID`"),
    ),
    "Files": (
        Bound("Bytes of a file where nothing else is said", uploads.LARGEST, "`FILE_TOO_LARGE`"),
        Bound("Seconds of the processor for opening one that an end user sends", opening.SECONDS, "`FILE_BROKEN`"),
        Bound("Bytes of memory for opening one", opening.MEMORY, "`FILE_BROKEN`"),
        Bound("Pixels of a picture", opening.PIXELS, "`FILE_TOO_MANY_PIXELS`"),
        Bound(
            "Pixels of a JPEG, which is read at a fraction of its size", opening.JPEG_PIXELS, "`FILE_TOO_MANY_PIXELS`"
        ),
        Bound(
            "Characters of what was agreed to that a PDF is made of", consent_copies.LONGEST, "`CONSENT_NOT_READABLE`"
        ),
        Bound(
            "Seconds of the processor for making a PDF of what was agreed to",
            workshop.SECONDS,
            "`CONSENT_NOT_READABLE`",
        ),
        Bound("Copies of terms by e-mail in a day, of one link", copies.COPIES, "the page says where they went"),
    ),
    "Definitions": (
        Bound("Bytes of a definition", yaml_text.MAX_BYTES, "`DEFINITION_INVALID`"),
        Bound("Values in it, those that aliases repeat included", source.MAX_NODES, "`DEFINITION_INVALID`"),
        Bound("Levels of lists and mappings", source.MAX_DEPTH, "`DEFINITION_INVALID`"),
        Bound("Steps, inner ones included", compiler.MOST_STEPS, "`DEFINITION_INVALID`"),
        Bound("Steps that a step may stand inside of", compilation.MOST_NESTED, "`DEFINITION_INVALID`"),
        Bound("Problems that are told; the others are counted", problems.MOST_TOLD, "one line says how many more"),
        Bound("Seconds of the processor for checking one", workshop.SECONDS, "`DEFINITION_TOO_HEAVY`"),
        Bound("Bytes of memory for checking one", workshop.MEMORY, "`DEFINITION_TOO_HEAVY`"),
    ),
    "Files that become definitions": (
        Bound("Bytes of a file; of YAML as many as a definition may have", conversions.LARGEST, "`IMPORT_INVALID`"),
        Bound("Levels of objects, lists and elements", conversions.DEEPEST, "`IMPORT_INVALID`"),
        Bound("Values of a document", conversions.MOST_VALUES, "`IMPORT_INVALID`"),
        Bound("Columns of a CSV", csv_file.MOST_COLUMNS, "`IMPORT_INVALID`"),
        Bound("Rows of a CSV that are looked at", csv_file.MOST_ROWS, "the others are not; it is told"),
        Bound(
            "Operations of an OpenAPI document that are listed", openapi.MOST_LISTED, "the others are not; it is told"
        ),
        Bound("Operations that become steps at once", openapi.MOST, "`IMPORT_INVALID`"),
        Bound("Elements of a BPMN file", bpmn.MOST_ELEMENTS, "`IMPORT_INVALID`"),
        Bound("Nodes of a process", bpmn.MOST_NODES, "`IMPORT_INVALID`"),
        Bound("Seconds of the processor for converting one", workshop.SECONDS, "`IMPORT_TOO_HEAVY`"),
    ),
    "JSON Schemas in definitions": (
        Bound("Schemas in one, once each `$ref` is followed", schema_size.MOST_SCHEMAS, "`DEFINITION_INVALID`"),
        Bound("Schemas that are about the same value", schema_size.MOST_AT_ONCE, "`DEFINITION_INVALID`"),
        Bound("Levels, those behind each `$ref` included", schema_size.DEEPEST, "`DEFINITION_INVALID`"),
        Bound("Bytes that a compiled `pattern` takes", json_schema.PATTERN_BYTES, "`DEFINITION_INVALID`"),
        Bound(
            "Attempts of a `pattern` that looks around or back", json_schema.PATTERN_ATTEMPTS, "the value does not fit"
        ),
        Bound("Values in a value of which every problem is told", json_schema.MOST_JUDGED, "the first problem is told"),
        Bound("Values in a form's answer", form_answers.MOST_VALUES, "`tooLarge` at the form"),
        Bound("Bytes of a form's answer", form_answers.LARGEST, "`tooLarge` at the form"),
        Bound("Levels of a form's answer", form_answers.DEEPEST, "`tooDeep` at the field"),
        Bound("Steps of work for the conditions of a form", form_answers.CHECK_STEPS, "conditions stay as they are"),
    ),
    "Expressions": (
        Bound("Characters of one", tokens.MAX_LENGTH, "`DEFINITION_INVALID`"),
        Bound("Levels of one", parser.MAX_DEPTH, "`DEFINITION_INVALID`"),
        Bound("Steps of work of one", work.EVALUATION_STEPS, "`EXPRESSION_FAILED`"),
        Bound("Steps of work of all values of a step that reaches outside", work.HERE_STEPS, "`STEP_TOO_COSTLY`"),
        Bound("Characters of a text that one makes", values.MAX_TEXT, "`EXPRESSION_FAILED`"),
        Bound("Characters of all texts in its result", values.MAX_RESULT_TEXT, "`EXPRESSION_FAILED`"),
        Bound("Values in its result, and items of a list that it makes", values.MAX_RESULT, "`EXPRESSION_FAILED`"),
        Bound("Characters of a pattern of `matches`", functions.LONGEST_PATTERN, "`EXPRESSION_FAILED`"),
    ),
    "Executions": (
        Bound("Steps of work of all its expressions", work.EXECUTION_STEPS, f"`{commits.EXECUTION_TOO_COSTLY}`"),
        Bound(
            "Seconds of the processor for one transition that is worked out elsewhere",
            workshop.SECONDS,
            f"`{commits.EXECUTION_TOO_HEAVY}`",
        ),
        Bound("Bytes of all outputs of its steps, as JSON", work.KEPT_BYTES, f"`{commits.EXECUTION_TOO_LARGE}`"),
        Bound("Events that wait in it for their steps", preconditions.EVENTS_WAITING, "`EVENTS_TOO_MANY`"),
        Bound("Bytes of these events together", preconditions.EVENT_BYTES_WAITING, "`EVENTS_TOO_MANY`"),
        Bound(
            "Processes that may die with one at the same place",
            commits.TOO_OFTEN_LOST,
            f"`{commits.EXECUTION_SET_ASIDE}`",
        ),
        Bound("Pure steps between two commits", working.PURE_STEPS_AT_ONCE, "a commit, and others have their turn"),
        Bound("Items of `each`", each.MOST_ITEMS, "`EACH_TOO_LONG`"),
        Bound(
            "Of one workspace that go on in the process that got the request",
            runs_here.HERE_AT_ONCE,
            "the workers take them",
        ),
        Bound("Jobs that one worker has under way", jobs.AT_ONCE, "the others wait, workspace by workspace"),
        Bound(
            "Seconds after which a job that waits for an answer from outside holds no place",
            jobs.WaitingJobs.PATIENCE,
            "another job has its place",
        ),
        Bound("Jobs of one worker that wait without a place", jobs.WaitingJobs.MOST, "further ones hold theirs"),
        Bound("Calls to the outside of one process at once", calling.CALLS, "the others wait, workspace by workspace"),
        Bound("Of these of one workspace", calling.CALLS_EACH, "the others wait"),
    ),
    "End users and sign-ins": (
        Bound("Answers of an end user in a minute", pace.LIMITS["submit"].most, "`TOO_MANY_SUBMISSIONS`"),
        Bound("Files of an end user in a minute", pace.LIMITS["file"].most, "`TOO_MANY_SUBMISSIONS`"),
        Bound("Copies of what they agreed to in a minute", pace.LIMITS["copy"].most, "`TOO_MANY_SUBMISSIONS`"),
        Bound("Times that typing is kept in a minute", pace.LIMITS["save"].most, "`TOO_MANY_SUBMISSIONS`"),
        Bound(
            "Failed sign-ins with one key from one address in a minute",
            attempts.PER_KEY_AND_ADDRESS.most,
            "`TOO_MANY_ATTEMPTS`",
        ),
        Bound(
            "Failed sign-ins with keys that do not exist from one address in a minute",
            attempts.UNKNOWN_PER_ADDRESS.most,
            "`TOO_MANY_ATTEMPTS` for such keys",
        ),
        Bound(
            "Failed sign-ins of one person from one network in ten minutes",
            people.PER_PERSON.most,
            "`TOO_MANY_ATTEMPTS`",
        ),
        Bound("Failed sign-ins from one network in ten minutes", people.PER_NETWORK.most, "`TOO_MANY_ATTEMPTS`"),
        Bound("Failed sign-ins of one person in an hour", people.PER_TARGET.most, "`TOO_MANY_ATTEMPTS`"),
        Bound("E-mails to one address that anybody can cause in an hour", people.EMAILS.most, "none is sent"),
    ),
    "Webhooks": (
        Bound("Attempts of one worker at once", dispatcher.AT_MOST, "the others wait, workspace by workspace"),
        Bound("Of these to one endpoint", dispatcher.OF_EACH, "the others wait"),
        Bound("Of these to one that fails", dispatcher.OF_FAILING, "the others wait"),
    ),
}


def page() -> str:
    """The reference page, in Markdown."""
    lines = [
        "# Limits",
        "",
        "What is counted, how much there may be, and what is told beyond it. Codes of requests stand in "
        "[errors](errors.md); those of executions in the execution's `error`. A step of work is about a microsecond. "
        "See the [guide](../guides/limits.md). Generated by `make generate`.",
    ]
    for group, limits in GROUPS.items():
        lines += ["", f"## {group}", "", "| what | at most | beyond it |", "| --- | --- | --- |"]
        lines += [f"| {limit.what} | {_number(limit.most)} | {limit.beyond} |" for limit in limits]
    return "\n".join(lines) + "\n"


def _number(most: float) -> str:
    return f"{int(most):,}"
