"""What a launch by the REST API means: names looked up, gaps filled, doubts refused."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from datasets_app.models import DatasetVersion
from jobs_app import services
from jobs_app.api_errors import Refusal
from jobs_app.api_schemas import LaunchIn
from jobs_app.models import Provider
from teams_app.access import require_role
from teams_app.models import Role, User


def launch_arguments(user: User, data: LaunchIn) -> dict[str, Any]:
    """Keyword arguments for services.create_job, of rows that `user` may see."""
    version = _version(user, data)
    require_role(user, version, Role.LAUNCHER)
    provider = provider_for(user, data.provider, version)
    return {
        "provider": provider,
        "dataset_version": version,
        "base_model": data.base_model or _first_base_model(provider),
        "hyperparameters": data.hyperparameters,
        "suffix": data.suffix,
        "seed": data.seed,
        "scheduled_for": data.scheduled_for,
    }


def _version(user: User, data: LaunchIn) -> DatasetVersion:
    if (data.version is None) == (data.dataset is None):
        raise Refusal(
            422,
            what=_("It is not clear what to train on."),
            why=_("The request must name either a “dataset” or a “version”."),
            what_to_do=_("Send the one or the other."),
        )
    versions = DatasetVersion.objects.visible_to(user)
    versions = versions.select_related("dataset__team")
    if data.team:
        versions = versions.filter(dataset__team__slug=data.team)
    if data.version is not None:
        version = versions.filter(pk=data.version).first()
    else:
        version = _newest(versions.filter(dataset__name=data.dataset))
    if version is None:
        raise _no_version(data)
    return version


def _newest(versions: QuerySet[DatasetVersion]) -> DatasetVersion | None:
    """The dataset's newest version; refused if several teams have such a dataset."""
    teams = list(
        versions.order_by().values_list("dataset__team__slug", flat=True).distinct()
    )
    if len(teams) > 1:
        raise Refusal(
            422,
            what=_("Several teams have a dataset of this name."),
            why=_("You are in the teams %(teams)s.") % {"teams": ", ".join(teams)},
            what_to_do=_("Name one of them as “team”."),
        )
    return versions.order_by("-number").first()


def _no_version(data: LaunchIn) -> Refusal:
    if data.version is not None:
        return Refusal(
            404,
            what=_("There is no dataset version %(id)s.") % {"id": data.version},
            why=_("It does not exist, or it belongs to a team you are not in."),
            what_to_do=_("Send the name of a “dataset” to use its newest version."),
        )
    return Refusal(
        404,
        what=_("There is no frozen version of “%(name)s”.") % {"name": data.dataset},
        why=_("No dataset that you can see is so named, or it was never frozen."),
        what_to_do=_("Freeze it with: ./manage.py freeze DATASET, or on its page."),
    )


def provider_for(
    user: User, named: str | int | None, version: DatasetVersion
) -> Provider:
    """The one that is named, or the first of the version's team. Raises Refusal."""
    providers = Provider.objects.visible_to(user).select_related("team")
    providers = providers.filter(team=version.dataset.team_id)
    if named is not None:
        providers = providers.filter(_names(named))
    provider = providers.order_by("pk").first()
    if provider is None:
        raise Refusal(
            404,
            what=_("There is no such provider."),
            why=_("The team “%(team)s” has no provider that fits “%(name)s”.")
            % {"team": version.dataset.team, "name": named or _("any")},
            what_to_do=_("An owner of the team can add one in the admin."),
        )
    return provider


def _names(provider: str | int) -> Q:
    return Q(pk=provider) if isinstance(provider, int) else Q(name=provider)


def _first_base_model(provider: Provider) -> str:
    """The provider's default, or whatever it lists first."""
    names = [provider.default_base_model] if provider.default_base_model else []
    names = names or services.base_models(provider)
    if not names:
        raise Refusal(
            422,
            what=_("It is not clear which model to tune."),
            why=_("The provider has no default base model and lists none."),
            what_to_do=_("Name one as “base_model”."),
        )
    return names[0]
