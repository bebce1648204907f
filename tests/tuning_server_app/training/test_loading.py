"""Weights are read as numbers alone: nothing in a model's folder is ever run."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.tuning_server_app.tiny_model import make_tiny_model
from tuning_server_app.training.loading import load_model


def test_pickled_weights_are_refused(tmp_path: Path):
    folder = make_tiny_model(tmp_path)
    safe = folder / "model.safetensors"
    torch.save(load_file(safe), folder / "pytorch_model.bin")
    safe.unlink()

    with pytest.raises(OSError, match="safetensors"):
        load_model(folder)


def test_code_in_a_models_folder_is_not_run(tmp_path: Path):
    folder = make_tiny_model(tmp_path)
    config = json.loads((folder / "config.json").read_bytes())
    config |= {
        "model_type": "own",
        "auto_map": {
            "AutoConfig": "own.OwnConfig",
            "AutoModelForCausalLM": "own.OwnModel",
        },
    }
    (folder / "config.json").write_text(json.dumps(config))
    ran = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')")

    with pytest.raises(ValueError, match="trust_remote_code"):
        load_model(folder)
    assert not ran.exists()
