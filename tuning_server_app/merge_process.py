"""The subprocess that merges an adapter into its base: started, watched, stopped."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson

from tuning_server_app.base_models import BaseModel
from tuning_server_app.trainer_process import PROJECT_ROOT, environment

logger = logging.getLogger(__name__)

MODULE = "tuning_server_app.training.merge"
LOOK_SECONDS = 1
STOP_SECONDS = 5


class NotMerged(Exception):
    """The text says why, and what to do."""


def merge(
    base: BaseModel,
    *,
    base_cache: Path,
    adapter: Path,
    target: Path,
    log_path: Path,
    keep_going: Callable[[], None],
) -> None:
    """Have the merged model written to `target`, an empty folder.

    Args:
        keep_going: called every second; whatever it raises stops the process.

    Raises:
        NotMerged
        OSError: the process cannot be started, or the disk is full.
    """
    arguments = (base.name, base.source, base_cache, adapter, target)
    with (
        log_path.open("wb") as log,
        subprocess.Popen(  # noqa: S603 (our own module, no shell)
            [sys.executable, "-m", MODULE, *map(str, arguments)],
            cwd=PROJECT_ROOT,
            env=environment(),
            stdin=subprocess.PIPE,  # its end tells the process that we died
            stdout=subprocess.PIPE,
            stderr=log,
        ) as process,
    ):
        try:
            _wait(process, keep_going)
        finally:
            _stop(process)
        said = process.stdout.read() if process.stdout else b""
    if process.returncode:
        raise NotMerged(_reason(said, process.returncode, log_path))


def _wait(process: subprocess.Popen[bytes], keep_going: Callable[[], None]) -> None:
    while True:
        try:
            process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            keep_going()
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # one that has ended gets no signal
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _reason(said: bytes, exit_code: int, log_path: Path) -> str:
    try:
        return str(orjson.loads(said)["message"])
    except (orjson.JSONDecodeError, KeyError):
        logger.error("Merging ended with %s. See %s", exit_code, log_path)
    return (
        "Merging stopped unexpectedly; most often memory or disk space ran out. The"
        f" server's operator finds the reason in {log_path.name}."
    )
