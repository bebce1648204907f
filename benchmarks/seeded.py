"""A site of its own for a benchmark, in a scratch folder, and rows to fill it with."""

import argparse
import contextlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.import_speed import write_rows
from tests import postgresql

Clock = Callable[[], float]


def options(description: str | None, *, repeat: int = 3) -> argparse.Namespace:
    """What every benchmark of rows can be told; `clock` tells seconds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=repeat)
    parser.add_argument("--only", nargs="*", help="these of its parts")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument(
        "--cpu",
        dest="clock",
        action="store_const",
        const=processor_seconds,
        default=time.perf_counter,
        help="count processor seconds, ours and the database server's: comparable "
        "where the machine is busy",
    )
    return parser.parse_args()


def processor_seconds() -> float:
    """Of this process, and of the server's process for our connection."""
    return time.process_time() + _server_seconds()


def _server_seconds() -> float:
    from django.db import connection

    if connection.vendor != "postgresql" or connection.connection is None:
        return 0.0
    pid = connection.connection.info.backend_pid
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def load() -> str:
    return ", ".join(f"{each:.1f}" for each in os.getloadavg())


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


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
