"""/v1/models: what may be asked or tuned; an organization's own may be deleted."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from tuning_server_app import wire
from tuning_server_app.errors import ApiError, model_not_found
from tuning_server_app.models import TunedModel
from tuning_server_app.services import permissions, tuned_models
from tuning_server_app.views.endpoint import Endpoint


class ModelEndpoint(Endpoint):
    def shared(self) -> dict[str, dict[str, Any]]:
        """By name: the base models, and the aliases whose model this caller may use."""
        bases = tuned_models.base_models()
        usable = permissions.usable_models_of(self.organization)
        shared = {
            name: wire.base_model(name, tuned_models.appeared_at(base))
            for name, base in bases.items()
        }
        for alias in tuned_models.aliases():
            weights = tuned_models.find_weights_of(alias, usable)
            if weights is not None and weights.name != alias:
                created = tuned_models.appeared_at(bases[weights.base_model])
                shared[alias] = wire.alias(alias, weights.name, created)
        return shared


class Models(ModelEndpoint):
    def get(self, request: HttpRequest) -> dict[str, Any]:
        usable = permissions.usable_models_of(self.organization).order_by("-pk")
        tuned = [wire.tuned_model(model) for model in usable]
        return {"object": "list", "data": [*self.shared().values(), *tuned]}


class OneModel(ModelEndpoint):
    def get(self, request: HttpRequest, model_id: str) -> dict[str, Any]:
        shared = self.shared().get(model_id)
        usable = permissions.usable_models_of(self.organization)
        return shared or wire.tuned_model(_find(usable, model_id))

    def delete(self, request: HttpRequest, model_id: str) -> dict[str, Any]:
        if model_id in self.shared():
            raise ApiError(
                403,
                f"{model_id} is a model for everybody here. Only your own fine-tuned"
                " models can be deleted.",
                param="model",
            )
        own = tuned_models.models_of(self.organization)
        tuned_models.delete_model(_find(own, model_id))
        return wire.deleted(model_id, "model")


def _find(models: QuerySet[TunedModel], model_id: str) -> TunedModel:
    model = models.filter(name=model_id).first()
    if model is None:
        raise model_not_found(model_id, tuned_models.names_for_all())
    return model
