"""/v1/models: what may be asked or tuned; an organization's own may be deleted."""

from typing import Any

from django.http import HttpRequest

from tuning_server_app import wire
from tuning_server_app.errors import ApiError, model_not_found
from tuning_server_app.models import TunedModel
from tuning_server_app.services import tuned_models
from tuning_server_app.views.endpoint import Endpoint


class Models(Endpoint):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        bases = [
            wire.base_model(base.name, tuned_models.appeared_at(base))
            for base in tuned_models.base_models().values()
        ]
        own = tuned_models.models_of(self.organization).order_by("-pk")
        tuned = [wire.tuned_model(model) for model in own]
        return {"object": "list", "data": [*bases, *tuned]}


class OneModel(Endpoint):
    def get(self, request: HttpRequest, model_id: str) -> dict[str, Any]:
        base = tuned_models.base_models().get(model_id)
        if base is not None:
            return wire.base_model(base.name, tuned_models.appeared_at(base))
        return wire.tuned_model(self._find(model_id))

    def delete(self, request: HttpRequest, model_id: str) -> dict[str, Any]:
        if model_id in tuned_models.base_models():
            raise ApiError(
                403,
                f"{model_id} is a base model. Only your own fine-tuned models can be"
                " deleted.",
                param="model",
            )
        tuned_models.delete_model(self._find(model_id))
        return wire.deleted(model_id, "model")

    def _find(self, model_id: str) -> TunedModel:
        model = tuned_models.models_of(self.organization).filter(name=model_id).first()
        if model is None:
            raise model_not_found(model_id)
        return model
