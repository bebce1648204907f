"""The names that answer chat: base models, tuned models, checkpoints."""

import logging
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from tuning_server_app.base_models import (
    BaseModel,
    BaseModelMissing,
    as_downloaded,
    find_weights,
)
from tuning_server_app.models import Organization, TunedModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Weights:
    """What a model's name stands for. `name` is the model's own, never an alias."""

    name: str
    base_model: str
    adapter: str | None = None  # folder below `runs_folder()`


def runs_folder() -> Path:
    return Path(settings.TUNING_SERVER_DIR) / "runs"


def base_models() -> dict[str, BaseModel]:
    """The models that may be tuned, by the name the API knows them by."""
    sources = settings.TUNING_SERVER_BASE_MODELS
    rates = settings.TUNING_SERVER_LEARNING_RATES
    downloads = Path(settings.TUNING_SERVER_DIR) / "hub"
    return {
        name: as_downloaded(BaseModel(name, source, rates.get(name)), downloads)
        for name, source in sources.items()
    }


def appeared_at(base: BaseModel) -> int:
    """When its weights came to this machine, in Unix seconds; 0 if they are missing."""
    try:
        return int(find_weights(base).stat().st_mtime)
    except (BaseModelMissing, OSError):
        return 0


def models_of(organization: Organization) -> QuerySet[TunedModel]:
    return TunedModel.objects.filter(organization=organization).select_related(
        "organization"
    )


def find_weights_of(name: str, tuned: QuerySet[TunedModel]) -> Weights | None:
    """What `name` stands for, among the base models, the `tuned` ones and the aliases
    of both. A model's own name goes before an alias of that name."""
    return _find(name, tuned) or _find(aliases().get(name, ""), tuned)


def names_for_all() -> list[str]:
    """The base models and their aliases, in the order of the settings; an alias of a
    tuned model is its owner's business."""
    bases = settings.TUNING_SERVER_BASE_MODELS
    return [*bases, *(alias for alias, target in aliases().items() if target in bases)]


def aliases() -> dict[str, str]:
    """Names that stand for other models here: alias → a base or a tuned model."""
    mapped: dict[str, str] = settings.TUNING_SERVER_MODEL_ALIASES
    return mapped


def _find(name: str, tuned: QuerySet[TunedModel]) -> Weights | None:
    if name in settings.TUNING_SERVER_BASE_MODELS:
        return Weights(name, name)
    model = tuned.filter(name=name).first() if name else None
    if model is None or model.base_model not in settings.TUNING_SERVER_BASE_MODELS:
        return None
    return Weights(name, model.base_model, model.adapter)


def delete_model(model: TunedModel) -> None:
    """Forget the name; the weights go with the last name that uses them."""
    with transaction.atomic():
        model.delete()
        if not TunedModel.objects.filter(adapter=model.adapter).exists():
            transaction.on_commit(partial(_remove_weights, model.adapter))


def _remove_weights(adapter: str) -> None:
    try:
        shutil.rmtree(runs_folder() / adapter)
    except OSError:
        logger.exception("The weights %s could not be deleted.", adapter)
