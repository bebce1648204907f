"""/v1/fine_tuning/checkpoints/…/permissions: which other organizations may ask a model.

OpenAI wants an admin's key here; this server's keys all belong to an organization, and
one of the model's own organization may lend it.
"""

from typing import Any

from django.http import HttpRequest

from tuning_server_app import wire
from tuning_server_app.errors import invalid, model_not_found, not_found, refuse_unknown
from tuning_server_app.models import TunedModel
from tuning_server_app.paging import cut_page, read_limit, read_order
from tuning_server_app.services import permissions, tuned_models
from tuning_server_app.views.endpoint import Endpoint, read_json

MAX_PROJECTS = 100
MAX_PROJECT_ID = 100
NEWEST_FIRST = {"descending": True, "ascending": False}


class PermissionEndpoint(Endpoint):
    def find(self, model_id: str) -> TunedModel:
        """The organization's own model or checkpoint.

        Raises:
            ApiError: it has none of this name.
        """
        own = tuned_models.models_of(self.organization)
        model = own.filter(name=model_id).first()
        if model is None:
            raise model_not_found(model_id, tuned_models.names_for_all())
        return model


class Permissions(PermissionEndpoint):
    def get(self, request: HttpRequest, model_id: str) -> dict[str, Any]:
        rows = self.find(model_id).permissions.all()
        if project_id := request.GET.get("project_id"):
            rows = rows.filter(project_id=project_id)
        found, has_more = cut_page(
            rows,
            after=request.GET.get("after"),
            limit=read_limit(request.GET, default=10),
            newest_first=read_order(request.GET, NEWEST_FIRST, default="descending"),
        )
        return wire.page([wire.permission(row) for row in found], has_more=has_more)

    def post(self, request: HttpRequest, model_id: str) -> dict[str, Any]:
        model = self.find(model_id)
        rows = permissions.permit(model, _project_ids(read_json(request)))
        return wire.page([wire.permission(row) for row in rows], has_more=False)


class OnePermission(PermissionEndpoint):
    def delete(
        self, request: HttpRequest, model_id: str, permission_id: str
    ) -> dict[str, Any]:
        rows = self.find(model_id).permissions.filter(wire_id=permission_id)
        n_deleted, _by_model = rows.delete()
        if not n_deleted:
            raise not_found("permission", permission_id)
        return wire.deleted(permission_id, "checkpoint.permission")


def _project_ids(body: object) -> list[str]:
    fields = body if isinstance(body, dict) else {}
    refuse_unknown(fields, {"project_ids"})
    project_ids = fields.get("project_ids")
    if (
        not isinstance(project_ids, list)
        or not 1 <= len(project_ids) <= MAX_PROJECTS
        or not all(_is_id(project_id) for project_id in project_ids)
    ):
        raise invalid(
            f"project_ids must be a list of 1 to {MAX_PROJECTS} organizations of this"
            " server, each by its short name.",
            param="project_ids",
        )
    return project_ids


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_PROJECT_ID
