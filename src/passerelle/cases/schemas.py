"""Bodies and answers of the case endpoints: the given ones, which old clients rely on."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from passerelle.cases.models import PHONE, CaseView
from passerelle.executions.repository import ExecutionView
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.json import Json, JsonObject


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
    resource_name: str | None = Field(default=None, description="Given by the file itself; not read")
    resource_path: str | None = Field(default=None, description="Given by the file itself; not read")


class CaseBody(Body):
    """Whom a case is about; everything is optional."""

    first_name: Text
    last_name: Text
    personal_number: Digits
    email: Text
    phone: PhoneBody | None = None
    company_name: Text
    company_number: Digits
    company_address: Text
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
    number: str | None


class PersonalAnswer(Answer):
    """A person."""

    first_name: str | None
    last_name: str | None
    personal_number: str | None
    email: str | None
    phone: PhoneAnswer | None


class BusinessAnswer(Answer):
    """A company."""

    company_number: str | None
    company_name: str | None
    company_address: str | None


class DocumentAnswer(Answer):
    """A file of the case."""

    resource_id: UUID
    resource_name: str
    resource_path: str


class PartyDetails(Answer):
    """Whom a case is about."""

    personal: PersonalAnswer
    business: BusinessAnswer
    documents: list[DocumentAnswer]


class CaseAnswer(Answer):
    """A case."""

    created_date: Moment
    case_id: UUID
    party_id: UUID
    party_details: PartyDetails


class CaseWorkflow(Answer):
    """An execution of the case."""

    id: UUID
    status: str
    result: Any = Field(description="Null until it is COMPLETED")


class CaseWithWorkflows(CaseAnswer):
    """A case with its executions, newest first."""

    workflows: list[CaseWorkflow]
    more_workflows: str | None = Field(
        default=None, description="Where the rest is listed, if there are more than 1,000"
    )


def case_answer(case: CaseView) -> JsonObject:
    """A case as `CaseAnswer`."""
    answer = CaseAnswer(
        created_date=case.created_at,
        case_id=case.id,
        party_id=case.party_id,
        party_details=PartyDetails.model_validate(case.details()),
    )
    return answer.model_dump(mode="json", by_alias=True)


def workflow_of_case(view: ExecutionView) -> JsonObject:
    """An execution as `CaseWorkflow`."""
    return {"id": str(view.id), "status": view.status, "result": view.result}
