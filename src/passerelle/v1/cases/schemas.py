"""Bodies and answers of the case endpoints: the given ones, which old clients rely on."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.json import Json
from passerelle.v1.cases.models import PHONE, CaseView
from passerelle.workflows.models import ExecutionView


def _as_text(value: Any) -> Any:
    """A whole number as its digits: existing clients send numbers."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str | None, Field(default=None)]
Digits = Annotated[
    str | None,
    BeforeValidator(_as_text),
    WithJsonSchema({"type": ["string", "integer", "null"]}),
    Field(default=None, description="A number is kept as text."),
]


class PhoneBody(Body):
    """A phone number."""

    country_code: Digits
    number: Digits


class DocumentBody(Body):
    """A file, as `POST /resources` answers with it."""

    resource_id: UUID
    """The file's id."""
    resource_name: str | None = Field(default=None, description="Given by the file itself; not read")
    resource_path: str | None = Field(default=None, description="Given by the file itself; not read")


class CaseBody(Body):
    """Whom a case is about; everything is optional."""

    first_name: Text
    """The person's first name."""
    last_name: Text
    """The person's last name."""
    personal_number: Digits
    """The person's national number."""
    email: Text
    """The person's e-mail address."""
    phone: PhoneBody | None = None
    """The person's phone."""
    company_name: Text
    """The company's name."""
    company_number: Digits
    """The company's register number."""
    company_address: Text
    """The company's address."""
    documents: list[DocumentBody] | None = Field(
        default=None, max_length=1_000, description="All files of the case: one that is not among them is detached"
    )

    def values(self) -> dict[str, Json]:
        """What was given, by the names of the record's fields."""
        given = self.model_dump(by_alias=True, exclude_unset=True, exclude={"documents"})
        return given | ({PHONE: given[PHONE] or None} if PHONE in given else {})

    def document_ids(self) -> list[UUID] | None:
        """The files that the case is to have; None where that was not said."""
        if "documents" not in self.model_fields_set:
            return None
        return [one.resource_id for one in self.documents or ()]


class PhoneAnswer(Answer):
    """A phone number."""

    country_code: str | None
    """The country's calling code."""
    number: str | None
    """The number without it."""


class PersonalAnswer(Answer):
    """A person."""

    first_name: str | None
    """The person's first name; null where it is not known."""
    last_name: str | None
    """The person's last name; null where it is not known."""
    personal_number: str | None
    """The person's national number; null where it is not known."""
    email: str | None
    """The person's e-mail address; null where it is not known."""
    phone: PhoneAnswer | None
    """The person's phone; null where it is not known."""


class BusinessAnswer(Answer):
    """A company."""

    company_number: str | None
    """The company's register number; null where it is not known."""
    company_name: str | None
    """The company's name; null where it is not known."""
    company_address: str | None
    """The company's address; null where it is not known."""


class DocumentAnswer(Answer):
    """A file of the case."""

    resource_id: UUID
    """The file's id."""
    resource_name: str
    """The file's name."""
    resource_path: str
    """Where the file is kept."""


class PartyDetails(Answer):
    """Whom a case is about."""

    personal: PersonalAnswer
    """The person."""
    business: BusinessAnswer
    """The company."""
    documents: list[DocumentAnswer]
    """The files."""


class CaseAnswer(Answer):
    """A case."""

    created_date: Moment
    """When the case was made."""
    case_id: UUID
    """The case's id: that of its record in the table `cases`."""
    party_id: UUID
    """The id of whom the case is about."""
    party_details: PartyDetails
    """Whom the case is about."""


class CaseWorkflow(Answer):
    """An execution of the case."""

    id: UUID
    """The execution's id."""
    status: str
    """Where it stands."""
    result: Any = Field(description="Null until it is COMPLETED")


class CaseWithWorkflows(CaseAnswer):
    """A case with its executions, newest first."""

    workflows: list[CaseWorkflow]
    """Its executions, newest first."""
    more_workflows: str | None = Field(
        default=None, description="Where the rest is listed, if there are more than 1,000"
    )


def case_answer(case: CaseView) -> CaseAnswer:
    """A case as the API shows it."""
    return CaseAnswer(
        created_date=case.created_at,
        case_id=case.id,
        party_id=case.party_id,
        party_details=PartyDetails.model_validate(case.details()),
    )


def workflow_of_case(view: ExecutionView) -> CaseWorkflow:
    """An execution as its case shows it."""
    return CaseWorkflow(id=view.id, status=view.status, result=view.result)
