import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tuning_server_app.base_models import BaseModel
from tuning_server_app.training import convert
from tuning_server_app.training.convert import ensure_ready


@pytest.fixture
def gguf(tmp_path):
    """Its content is of no account here: that GGUF becomes safetensors is shown by
    every run on the model in the box."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    return BaseModel("org/model", str(path))


def test_a_folder_of_safetensors_is_used_as_it_is(tiny_base, tmp_path):
    cache = tmp_path / "cache"

    assert ensure_ready(BaseModel("tiny", str(tiny_base)), cache) == tiny_base
    assert not cache.exists()


def test_of_two_at_once_one_converts_and_the_other_waits(gguf, tmp_path, monkeypatch):
    both_asked = threading.Barrier(2)
    conversions = []

    def convert_slowly(source, folder):
        conversions.append(source)
        time.sleep(0.2)
        (folder / "config.json").write_text("{}")

    def ask() -> bool:
        both_asked.wait()
        return (ensure_ready(gguf, tmp_path / "cache") / "config.json").exists()

    monkeypatch.setattr(convert, "_write_safetensors", convert_slowly)
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(ask) for _ in range(2)]
        assert all(each.result() for each in asked)

    assert len(conversions) == 1


def test_a_conversion_that_died_is_done_again(gguf, tmp_path, monkeypatch):
    def die(source, folder):
        (folder / "half").write_text("x")
        raise OSError("disk full")

    monkeypatch.setattr(convert, "_write_safetensors", die)
    with pytest.raises(OSError, match="disk full"):
        ensure_ready(gguf, tmp_path / "cache")

    monkeypatch.setattr(convert, "_write_safetensors", lambda source, folder: None)
    ready = ensure_ready(gguf, tmp_path / "cache")

    assert ready.name == "org--model"
    assert not list(ready.iterdir())
    left = {path.name for path in (tmp_path / "cache").iterdir()}
    assert left == {"org--model", "org--model.lock"}
