"""Lending a model: its owner lets another organization chat with it."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet

from tuning_server_app.models import CheckpointPermission, Organization, TunedModel


def usable_models_of(organization: Organization) -> QuerySet[TunedModel]:
    """The models the organization may chat with: its own, and those lent to it."""
    lent = CheckpointPermission.objects.filter(project_id=organization.slug)
    usable = Q(organization=organization) | Q(pk__in=lent.values("tuned_model"))
    return TunedModel.objects.filter(usable).select_related("organization")


def permit(model: TunedModel, project_ids: Iterable[str]) -> list[CheckpointPermission]:
    """Lend the model to each of them; one that has it already keeps what it has."""
    with transaction.atomic():
        return [
            model.permissions.get_or_create(project_id=project_id)[0]
            for project_id in dict.fromkeys(project_ids)
        ]
