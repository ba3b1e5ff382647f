"""`/x/{execution}`: the screens of an execution, for the browser that it is bound to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from passerelle.errors import PasserelleError
from passerelle.executions.visitor.errors import NO_WAY_BACK, STEP_NOT_CURRENT, TOO_MANY_SUBMISSIONS
from passerelle.executions.visitor.models import FieldProblem, Screen, StepView
from passerelle.executions.visitor.service import Visitor
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.bodies import receive_body
from passerelle.kit.json import Json, JsonObject, dumps, loads
from passerelle.pages.answers import FRAGMENT, Answers, Setting
from passerelle.pages.boundary import on_a_page
from passerelle.pages.browsers import Browsers, Visit
from passerelle.pages.changing import changed
from passerelle.pages.forms.model import Field
from passerelle.pages.forms.parsing import parse_form
from passerelle.pages.forms.posted import Posted
from passerelle.pages.forms.problems import sentences
from passerelle.pages.forms.reading import read_form
from passerelle.pages.posts import FORM_LIMIT, pairs_of
from passerelle.pages.sending import Files, problem_of
from passerelle.pages.texts import Language, languages
from passerelle.pages.views import FRESHLY, Attempt, address, screen_view, tongues_of

PUBLIC: Final = ("/x/",)
