import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tuning_server_app.inference.models import answer, make_adapter
from tests.tuning_server_app.tiny_model import NAME, PEFT_WARNING
from tuning_server_app.errors import ApiError
from tuning_server_app.inference import adapters as adapters_module

pytestmark = pytest.mark.filterwarnings(PEFT_WARNING)


@pytest.fixture
def own_root(adapters_root: Path, tmp_path: Path) -> Path:
    """A root whose adapters a test may change: `x` is like `a` at first."""
    root = tmp_path / "own"
    shutil.copytree(adapters_root / "a", root / "x")
    return root


@pytest.fixture
def own_engine(make_engine: Any, own_root: Path) -> Any:
    engine = make_engine()
    engine._adapters_root = own_root
    return engine


def change(folder: Path, **weights: torch.Tensor) -> None:
    path = folder / adapters_module.WEIGHTS_FILE
    save_file({**load_file(path), **weights}, path)


def test_fifty_adapters_take_no_more_memory_than_is_set_aside(
    own_engine, own_root, monkeypatch
):
    kept = own_engine._load(NAME).result().adapters
    one = kept.get(own_root / "x").n_bytes
    monkeypatch.setattr(adapters_module, "KEPT_BYTES", 4 * one)
    for number in range(50):
        shutil.copytree(own_root / "x", own_root / str(number))
        answer(own_engine, adapter=str(number), max_tokens=1)

    assert kept.n_kept == 4


def test_the_adapter_asked_for_lately_stays(own_engine, own_root, monkeypatch):
    kept = own_engine._load(NAME).result().adapters
    first = kept.get(own_root / "x")
    monkeypatch.setattr(adapters_module, "KEPT_BYTES", 2 * first.n_bytes)
    for name in ("y", "z"):
        shutil.copytree(own_root / "x", own_root / name)
        kept.get(own_root / name)
        assert kept.get(own_root / "x") is first


def test_a_changed_adapter_is_read_anew(own_engine, own_root, tiny_base):
    before = answer(own_engine, adapter="x")
    make_adapter(tiny_base, own_root / "x", seed=7)
    os.utime(own_root / "x" / adapters_module.WEIGHTS_FILE, ns=(1, 1))

    assert answer(own_engine, adapter="x") != before


def test_weights_that_do_not_fit_the_base_are_explained(own_engine, own_root):
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"
    change(own_root / "x", **{name: torch.zeros(16, 7)})

    with pytest.raises(ApiError, match="does not fit the base model") as refused:
        answer(own_engine, adapter="x")

    assert refused.value.code == "adapter_unusable"


def test_what_is_not_plain_lora_is_refused(own_engine, own_root):
    change(own_root / "x", **{"base_model.model.lm_head.weight": torch.zeros(2, 2)})

    with pytest.raises(ApiError, match="more than LoRA's two matrices"):
        answer(own_engine, adapter="x")


def test_a_variant_of_lora_is_refused(own_engine, own_root):
    path = own_root / "x" / "adapter_config.json"
    path.write_text(path.read_text().replace('"use_dora": false', '"use_dora": true'))

    with pytest.raises(ApiError, match="more than plain LoRA: use_dora"):
        answer(own_engine, adapter="x")


def test_broken_files_are_explained_and_others_answer(own_engine, own_root):
    (own_root / "x" / adapters_module.WEIGHTS_FILE).write_bytes(b"broken")

    with pytest.raises(ApiError, match="cannot be read"):
        answer(own_engine, adapter="x")

    assert answer(own_engine)


def test_weights_without_numbers_fail_only_their_own_answer(own_engine, own_root):
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"
    change(own_root / "x", **{name: torch.full((128, 16), torch.nan)})

    with pytest.raises(ApiError) as refused:
        answer(own_engine, adapter="x")

    assert refused.value.code == "answer_failed"
    assert answer(own_engine)
