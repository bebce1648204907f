"""Requests made up from our own OpenAPI page, and what the server answers to them.

A few for each operation, the same ones at every run. Those of the right form must be
answered in the described form or be refused in the envelope; those of a wrong form must
be refused; none may be a server error.
"""

from collections.abc import Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import hypothesis
import orjson
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, Verbosity, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.tuning_server_app.factories import (
    BASE,
    make_chat,
    make_checkpoint,
    make_file,
    make_job,
    make_key,
    make_upload,
)
from tuning_server_app import inference_client
from tuning_server_app.errors import ApiError
from tuning_server_app.inference.chat_request import parse_chat_request
from tuning_server_app.models import Organization
from tuning_server_app.services.permissions import permit

FEW = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.quiet,
)
DJANGO = get_wsgi_application()


def site(environment: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """The site, each answer read to its end and closed, as a server does it."""
    answer: Any = DJANGO(environment, start_response)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


SCHEMA = schemathesis.openapi.from_wsgi("/v1/openapi.json", site)
OPERATIONS: list[Any] = [
    found.ok()  # type: ignore[union-attr]
    for found in SCHEMA.get_all_operations()
]
RIGHT = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
WRONG = [*RIGHT, checks.negative_data_rejection]


class Inference:
    """Reads a chat as the inference process does, and answers the same to all."""

    content_type = "application/json"
    retry_after = None
    is_stream = False

    def __init__(self, body: dict[str, Any], **weights: Any) -> None:
        self.status, self._said = 200, _completion()
        try:
            given = {"base": weights["base_model"], "adapter": weights["adapter"]}
            parse_chat_request({**body, **given})
        except ApiError as error:
            self.status, self._said = error.status, error.envelope

    def read(self) -> bytes:
        return orjson.dumps(self._said)


def _completion() -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": BASE,
        "choices": [],
    }


@pytest.fixture(autouse=True)
def _connection_stays() -> Iterator[None]:
    """A server closes its connection between requests; here the test still needs it,
    for all of it happens within one transaction."""
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def make_cases(organization: Organization, ids: dict[str, str]) -> Any:
    """Makes the strategy of an operation's requests, on rows that are there."""
    key = {"Authorization": f"Bearer {make_key(organization)[1]}"}

    def make(operation: Any, mode: GenerationMode = GenerationMode.POSITIVE) -> Any:
        names = {parameter.name for parameter in operation.path_parameters}
        path = {name: ids[name] for name in names} or None
        return operation.as_strategy(mode, headers=key, path_parameters=path)

    return make


@pytest.fixture
def ids(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the parameters of the paths are called: rows that are there."""
    monkeypatch.setattr(inference_client, "ask", Inference)
    job = make_job(organization=organization)
    model = make_checkpoint(job).tuned_model
    return {
        "file_id": make_file(organization).wire_id,
        "upload_id": make_upload(organization).wire_id,
        "fine_tuning_job_id": job.wire_id,
        "fine_tuned_model_checkpoint": model.name,
        "permission_id": permit(model, ["friends"])[0].wire_id,
        "model": model.name,
        "completion_id": make_chat(organization).wire_id,
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_a_request_of_the_described_form(make_cases: Any, operation: Any):
    @FEW
    @hypothesis.given(make_cases(operation))
    def ask(case: Any) -> None:
        case.call_and_validate(checks=RIGHT)

    ask()


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.body], ids=lambda each: each.label
)
def test_a_body_of_another_form_is_refused(make_cases: Any, operation: Any):
    @FEW
    @hypothesis.given(make_cases(operation, GenerationMode.NEGATIVE))
    def ask(case: Any) -> None:
        case.call_and_validate(checks=WRONG)

    ask()
