"""Which base models of the hub are missing, and what a download is told."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tuning_server_app.services import hub
from tuning_server_app.services.tuned_models import base_models


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run; each fails."""
    commands: list[list[str]] = []

    def run(command: list[str], **_options: Any) -> Any:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(hub.subprocess, "run", run)
    return commands


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("hub:house/tiny", []),
        ("hub:house/tiny@v1", ["--revision", "v1"]),
        ("hub:house/tiny/a.gguf", ["--file", "a.gguf"]),
    ],
)
def test_a_download_is_told_what_the_settings_say(
    settings: Any, told: list[list[str]], source: str, more: list[str]
):
    settings.TUNING_SERVER_BASE_MODELS = {"ours/tiny": source}
    assert not hub.download("ours/tiny")
    folder = str(settings.TUNING_SERVER_DIR / "hub" / "ours--tiny")
    assert told[0][3:] == ["house/tiny", folder, *more]


def test_what_lies_here_is_not_downloaded(
    settings: Any, told: list[list[str]], tmp_path: Path
):
    settings.TUNING_SERVER_BASE_MODELS = {"own": str(tmp_path)}
    assert hub.missing_downloads() == []
    assert hub.download("own")
    assert told == []


def test_what_was_downloaded_is_not_missing(settings: Any):
    sources = {name: f"hub:house/{name}/a.gguf" for name in ("here", "far")}
    settings.TUNING_SERVER_BASE_MODELS = sources
    weights = Path(base_models()["here"].source)
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert hub.missing_downloads() == ["far"]
