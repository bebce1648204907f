"""What a run is told: `run.json` in its folder."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from tuning_server_app.base_models import BaseModel
from tuning_server_app.training.hyperparameters import RequestedHyperparameters

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class RunConfig:
    """One training run; everything it writes goes beneath `folder`."""

    folder: Path
    base_model: BaseModel
    base_cache: Path
    seed: int
    hyperparameters: RequestedHyperparameters
    start_from_adapter: Path | None

    @property
    def training_file(self) -> Path:
        return self.folder / "training.jsonl"

    @property
    def validation_file(self) -> Path | None:
        path = self.folder / "validation.jsonl"
        return path if path.exists() else None


def read_run_config(folder: Path) -> RunConfig:
    """The run described in `folder/run.json`, which the tuning server wrote."""
    config = orjson.loads((folder / "run.json").read_bytes())
    adapter = config.get("start_from_adapter")
    return RunConfig(
        folder=folder,
        base_model=BaseModel(**config["base_model"]),
        base_cache=Path(config["base_cache"]),
        seed=config["seed"],
        hyperparameters=RequestedHyperparameters(**config["hyperparameters"]),
        start_from_adapter=Path(adapter) if adapter else None,
    )
