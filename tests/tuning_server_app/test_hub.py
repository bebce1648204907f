"""Base models of the hub: downloaded at a command, whole or not at all, and no code."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.tuning_server_app.hub_stand_in import Hub
from tuning_server_app.base_models import BaseModelMissing, find_weights, hub_place
from tuning_server_app.checks import check_tuning_server
from tuning_server_app.services import hub as hub_service
from tuning_server_app.services.tuned_models import base_models

pytest.importorskip("huggingface_hub")
pytestmark = pytest.mark.torch

REPOSITORY = "house/tiny"
FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "tokenizer.json": b"{}",
    "modeling_tiny.py": b"raise SystemExit",
    "pytorch_model.bin": b"pickle",
    "original/model.safetensors": b"once more",
    "tiny-q4.gguf": b"GGUF",
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with Hub(REPOSITORY, FILES) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        yield running


def set_source(settings: Any, source: str) -> None:
    settings.TUNING_SERVER_BASE_MODELS = {"ours/tiny": source}


def fetch() -> str:
    out = io.StringIO()
    call_command("fetch_base_models", stdout=out)
    return out.getvalue()


def test_weights_and_tokenizer_come_and_no_code(hub: Hub, settings: Any):
    set_source(settings, f"hub:{REPOSITORY}@v1")
    assert "Downloading ours/tiny" in fetch()
    folder = find_weights(base_models()["ours/tiny"])
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json"}
    assert hub.revisions == ["v1"]
    assert folder.is_relative_to(settings.TUNING_SERVER_DIR)
    assert fetch() == ""  # it is there


def test_one_gguf_file_comes_alone(hub: Hub, settings: Any):
    set_source(settings, f"hub:{REPOSITORY}/tiny-q4.gguf")
    fetch()
    assert find_weights(base_models()["ours/tiny"]).read_bytes() == b"GGUF"
    assert hub.sent == ["tiny-q4.gguf"]


def test_a_download_that_fails_leaves_nothing(hub: Hub, settings: Any):
    set_source(settings, "hub:house/unknown")
    with pytest.raises(CommandError, match="could not be downloaded"):
        fetch()
    assert [*(settings.TUNING_SERVER_DIR / "hub").iterdir()] == []


def test_what_is_not_downloaded_is_a_warning_with_the_command(settings: Any):
    set_source(settings, f"hub:{REPOSITORY}")
    [warning] = check_tuning_server()
    assert warning.id == "tuning_server.W001"
    assert "fetch_base_models" in str(warning.hint)
    assert hub_service.missing_downloads() == ["ours/tiny"]
    with pytest.raises(BaseModelMissing, match="fetch_base_models"):
        find_weights(base_models()["ours/tiny"])


@pytest.mark.parametrize(
    "source", ["hub:tiny", "hub:a/b/c", "hub:a/b@", "hub:https://x/y", "hub:"]
)
def test_a_source_that_names_no_model_is_an_error(settings: Any, source: str):
    set_source(settings, source)
    [error] = check_tuning_server()
    assert error.id == "tuning_server.E001"
    assert "hub:OWNER/NAME" in error.msg


def test_a_place_on_the_hub_is_read():
    place = hub_place("hub:Qwen/Qwen2.5-0.5B-GGUF/dir/a-q4_k_m.gguf@refs/pr/1")
    assert place is not None
    assert (place.repository, place.file) == (
        "Qwen/Qwen2.5-0.5B-GGUF",
        "dir/a-q4_k_m.gguf",
    )
    assert place.revision == "refs/pr/1"
