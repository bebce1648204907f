"""What a run is told: `run.json` in its folder."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from tuning_server_app.base_models import BaseModel
from tuning_server_app.run_files import CONFIG, TRAINING_FILE, VALIDATION_FILE
from tuning_server_app.training.hyperparameters import RequestedHyperparameters


@dataclass(frozen=True)
class RunConfig:
    """One training run; everything it writes goes beneath `folder`."""

    folder: Path
    base_model: BaseModel
    base_cache: Path
    seed: int
    method: str
    hyperparameters: RequestedHyperparameters
    start_from_adapter: Path | None
    # How often a run of this job was killed, most likely for its memory.
    n_halvings: int

    @property
    def training_file(self) -> Path:
        return self.folder / TRAINING_FILE

    @property
    def validation_file(self) -> Path | None:
        path = self.folder / VALIDATION_FILE
        return path if path.exists() else None


def read_run_config(folder: Path) -> RunConfig:
    """The run described in `folder/run.json`, which the tuning server wrote."""
    config = orjson.loads((folder / CONFIG).read_bytes())
    adapter = config.get("start_from_adapter")
    return RunConfig(
        folder=folder,
        base_model=BaseModel(**config["base_model"]),
        base_cache=Path(config["base_cache"]),
        seed=config["seed"],
        method=config["method"],
        hyperparameters=RequestedHyperparameters(**config["hyperparameters"]),
        start_from_adapter=Path(adapter) if adapter else None,
        n_halvings=config.get("n_halvings", 0),
    )
