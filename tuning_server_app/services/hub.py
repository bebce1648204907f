"""Bringing base models from the Hugging Face hub to this machine, at a command."""

import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tuning_server_app.base_models import (
    BaseModel,
    BaseModelMissing,
    find_weights,
    folder_name,
    hub_place,
)
from tuning_server_app.services.tuned_models import base_models
from tuning_server_app.trainer_process import PROJECT_ROOT

MODULE = "tuning_server_app.training.fetch"


def missing_downloads() -> list[str]:
    """The names of the models of the hub that are not on this machine."""
    bases = base_models()
    return [
        name
        for name, source in settings.TUNING_SERVER_BASE_MODELS.items()
        if hub_place(source) is not None and not _is_there(bases[name])
    ]


def download(name: str) -> bool:
    """Bring one of them here. False if that failed; why, stands on stderr."""
    place = hub_place(settings.TUNING_SERVER_BASE_MODELS[name])
    if place is None:
        return True
    folder = Path(settings.TUNING_SERVER_DIR) / "hub" / folder_name(BaseModel(name, ""))
    command = [sys.executable, "-m", MODULE, place.repository, str(folder)]
    if place.file:
        command += ["--file", place.file]
    if place.revision:
        command += ["--revision", place.revision]
    done = subprocess.run(  # noqa: S603 (our own module, no shell)
        command, cwd=PROJECT_ROOT, check=False
    )
    return done.returncode == 0


def _is_there(base: BaseModel) -> bool:
    try:
        find_weights(base)
    except BaseModelMissing:
        return False
    return True
