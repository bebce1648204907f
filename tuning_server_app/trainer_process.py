"""The training subprocess: started, listened to, stopped."""

import contextlib
import logging
import os
import queue
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from tuning_server_app.devices import Device
from tuning_server_app.run_files import LOG

logger = logging.getLogger(__name__)

PROJECT_ROOT = Path(__file__).resolve().parent.parent
LISTEN_SECONDS = 0.5
STOP_SECONDS = 3
EXIT_SECONDS = 30
# 143: it was told to stop, and did.
STOPPED = {128 + signal.SIGTERM, -signal.SIGTERM}

# What a training needs to know of its surroundings; no key or password is among it.
ENVIRONMENT = re.compile(
    r"PATH|HOME|LANG|LC_.*|TZ|TMPDIR|VIRTUAL_ENV|PYTHON.*|LD_LIBRARY_PATH"
    r"|(CUDA|NVIDIA|HIP|ROCR|OMP|MKL|KMP|GOMP|OPENBLAS|TORCH|PYTORCH|TRITON|TOKENIZERS|NCCL|GLOO)_.*"
)
ANY_DEVICE = Device()
PAUSE = b"pause\n"
EXCEPTION_NAME = re.compile(
    r"^((?:\w+\.)*\w+(?:Error|Exception|Interrupt|Exit))\b", re.MULTILINE
)
LOG_TAIL_BYTES = 65_536
# Where the processes of one run meet. A free port that is asked of the system may be
# gone seconds later, when torch is loaded: outgoing calls take theirs from 32768 on.
FIRST_PORT, N_PORTS = 20_000, 10_000


class TrainerProcess:
    """`python -m tuning_server_app.training FOLDER`, alive inside a `with` block.

    On several devices it is one process for each, under `accelerate launch`.
    """

    def __init__(self, folder: Path, device: Device = ANY_DEVICE) -> None:
        self._folder = folder
        self._device = device
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._is_asked_to_pause = False

    def __enter__(self) -> Self:
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own module, no shell)
                _command(self._folder, len(self._device.names)),
                cwd=PROJECT_ROOT,
                env=environment() | self._device.environment,
                pass_fds=self._device.locks,
                start_new_session=True,  # a group of its own, to be stopped as one
                # Stays open and silent: its end tells the trainer that we died.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def log_path(self) -> Path:
        return self._folder / LOG

    def events(self) -> Iterator[dict[str, Any] | None]:
        """What the trainer reports; None whenever it was silent for half a second."""
        while True:
            try:
                line = self._lines.get(timeout=LISTEN_SECONDS)
            except queue.Empty:
                yield None
                continue
            if line is None:
                return
            event = _parse(line)
            if event is not None:
                yield event

    def ask_to_pause(self) -> None:
        """Have it save its state after the step at hand, and end."""
        if self._process.stdin is not None and not self._is_asked_to_pause:
            self._is_asked_to_pause = True
            with contextlib.suppress(OSError):  # it has ended already
                os.write(self._process.stdin.fileno(), PAUSE)

    def exit_code(self) -> int:
        """How it ended, after its last event; killed if it cannot find the end."""
        try:
            return self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            logger.exception("The trainer in %s did not end.", self._folder)
            self._signal(signal.SIGKILL)
            return self._process.wait()

    def last_exception(self) -> str:
        """The name of the last exception in the log: never its text, which may quote
        the training data."""
        with self.log_path.open("rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - LOG_TAIL_BYTES))
            names = EXCEPTION_NAME.findall(log.read().decode(errors="replace"))
        return names[-1] if names else ""

    def _read(self) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _stop(self) -> None:
        if self._process.poll() is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: int) -> None:
        """To the process and its group; `accelerate launch` passes it on to others."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _command(folder: Path, n_processes: int) -> list[str | Path]:
    module: list[str | Path] = ["tuning_server_app.training", folder]
    if n_processes <= 1:
        return [sys.executable, "-m", *module]
    launch = f"--multi_gpu --num_processes {n_processes} --num_machines 1"
    port = str(FIRST_PORT + secrets.randbelow(N_PORTS))
    plain = "--mixed_precision no --dynamo_backend no --module --main_process_port"
    launcher = [sys.executable, "-m", "accelerate.commands.launch"]
    return [*launcher, *launch.split(), *plain.split(), port, *module]


def environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if ENVIRONMENT.fullmatch(name)
    }


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        event = None
    if isinstance(event, dict):
        return event
    logger.warning("The trainer wrote a line that is no event (%s bytes).", len(line))
    return None
