"""A site of its own for a benchmark, in a scratch folder, and rows to fill it with."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.import_speed import write_rows
from tests import postgresql


@contextlib.contextmanager
def in_scratch_site(*, on_postgresql: bool) -> Iterator[Path]:
    """Django is set up on an empty database that is gone afterwards."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-"))
        os.environ["FINETUNE_SITE_VAR"] = folder
        os.environ["DATABASE_URL"] = (
            stack.enter_context(postgresql.server()) if on_postgresql else ""
        )
        os.environ["TUNING_SERVER"] = "False"
        os.environ["DJANGO_SETTINGS_MODULE"] = "finetune_site.settings"
        _set_up()
        yield Path(folder)


def _set_up() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def make_rows(n_rows: int, folder: Path) -> Any:
    """A dataset of chats of about 1.9 KB, imported."""
    from datasets_app import services
    from datasets_app.models import Split
    from teams_app.access import default_team

    path = folder / "rows.jsonl"
    write_rows(path, n_rows)
    dataset = services.create_dataset(team=default_team(), name="benchmark", by=None)
    with path.open("rb") as file:
        run = services.start_import(
            dataset=dataset, file=file, file_name=path.name, split=Split.TRAIN
        )
    services.run_import(run)
    return dataset
