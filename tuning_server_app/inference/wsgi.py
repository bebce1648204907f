"""The inference process: gunicorn tuning_server_app.inference.wsgi."""

import os
import warnings
from pathlib import Path

import django
from django.conf import settings

from tuning_server_app.base_models import BaseModel, as_downloaded
from tuning_server_app.inference.app import make_app
from tuning_server_app.inference.engine import Engine

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finetune_site.settings")
django.setup()
# Written to those who write libraries, not to those who read a log.
warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")

_folder = Path(settings.TUNING_SERVER_DIR)
_sources = settings.TUNING_SERVER_BASE_MODELS

application = make_app(
    Engine(
        {
            name: as_downloaded(BaseModel(name, source), _folder / "hub")
            for name, source in _sources.items()
        },
        _folder / "base",
        _folder / "runs",
    )
)
