"""What a training run's folder holds, for those who fill it and those who read it.

No torch here, and no Django: the tuning server and its trainer both import this module.
"""

from pathlib import Path

CONFIG = "run.json"
TRAINING_FILE = "training.jsonl"
VALIDATION_FILE = "validation.jsonl"
LOG = "trainer.log"
# Adapters that answer chat, one folder an epoch: step-N.
CHECKPOINTS = "checkpoints"
# All that a run needs to go on as if it had never stood still: step-N.
STATES = "states"


def step_folder(step: int) -> str:
    return f"step-{step}"


def newest_state(run: Path) -> Path | None:
    """The run's last saved state; each has its name only since it is whole."""
    states = (run / STATES).glob("step-*")
    return max(states, key=step_of, default=None)


def step_of(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])
