"""Grading with the models of this server."""

from typing import Any

import orjson

from tuning_server_app import inference_client
from tuning_server_app.errors import model_not_found
from tuning_server_app.graders.grading import Grading
from tuning_server_app.graders.model_grading import Ask, ModelFault
from tuning_server_app.graders.request import Grader, graders_of
from tuning_server_app.graders.templates import Namespace
from tuning_server_app.inference_client import InferenceDown
from tuning_server_app.models import Organization
from tuning_server_app.services.permissions import usable_models_of
from tuning_server_app.services.tuned_models import (
    Weights,
    find_weights_of,
    names_for_all,
)


def check_models(grader: Grader, organization: Organization) -> None:
    """Raises ApiError: the grader asks a model that the organization may not use."""
    inner = graders_of(grader).values() if grader["type"] == "multi" else ()
    for each in (grader, *inner):
        if "model" in each:
            _find(each["model"], organization)


def run_grader(
    grader: Grader, organization: Organization, *, sample: str, item: dict[str, Any]
) -> dict[str, Any]:
    """The reward of one sample, as the API answers it."""
    return Grading(Namespace(sample, item), _ask(organization)).run(grader)


def _ask(organization: Organization) -> Ask:
    def ask(body: dict[str, Any]) -> dict[str, Any]:
        weights = _find(body["model"], organization)
        try:
            answer = inference_client.ask(
                {**body, "model": weights.name},
                base_model=weights.base_model,
                adapter=weights.adapter,
            )
            said: dict[str, Any] = orjson.loads(answer.read())
        except (InferenceDown, orjson.JSONDecodeError) as error:
            raise _server_error(str(error)) from error
        if answer.status != 200:
            raise _server_error(str(said.get("error", {}).get("message")))
        return said

    return ask


def _find(name: str, organization: Organization) -> Weights:
    weights = find_weights_of(name, usable_models_of(organization))
    if weights is None:
        raise model_not_found(name, names_for_all())
    return weights


def _server_error(details: str) -> ModelFault:
    return ModelFault(
        model_grader_server_error=True, model_grader_server_error_details=details
    )
