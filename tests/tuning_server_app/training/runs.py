"""Training runs of the tiny model, as the tuning server would set them up."""

import io
import json
import threading
from pathlib import Path
from typing import Any

from tests.tuning_server_app.tiny_model import NAME
from tuning_server_app.training.events import Events
from tuning_server_app.training.run import run

Event = dict[str, Any]


def chat(question: str, answer: str, **answer_fields: Any) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer, **answer_fields},
        ]
    }


CHATS = [
    chat("How much?", "Ten."),
    chat("피해는?", "모든 유닛에게 10의 피해를 줍니다."),
    chat("Which unit?", "The Nether Blade hits every unit."),
    chat("환불은?", "14일 안에 할 수 있습니다."),
    chat("Where to?", "It goes to the graveyard."),
    chat("날씨는?", "내일은 비가 옵니다."),
]


def preference(question: str, preferred: str, other: str) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": preferred}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
    }


PREFERENCES = [
    preference("How much?", "Ten.", "It goes to the graveyard."),
    preference("환불은?", "14일 안에 할 수 있습니다.", "내일은 비가 옵니다."),
    preference("Which unit?", "The Nether Blade hits every unit.", "Ten."),
    preference("날씨는?", "내일은 비가 옵니다.", "14일 안에."),
]


def write_run(
    folder: Path,
    base: Path,
    *,
    chats: list[Any] = CHATS,
    validation: list[Any] | None = None,
    seed: int = 3,
    start_from: Path | None = None,
    method: str = "supervised",
    n_halvings: int = 0,
    **hyperparameters: Any,
) -> Path:
    folder.mkdir()
    config = {
        "base_model": {"name": NAME, "source": str(base)},
        "base_cache": str(folder / "cache"),
        "seed": seed,
        "method": method,
        "n_halvings": n_halvings,
        "hyperparameters": {
            "n_epochs": 4,
            "batch_size": 2,
            "learning_rate_multiplier": 30,
            **hyperparameters,
        },
        "start_from_adapter": str(start_from) if start_from else None,
    }
    (folder / "run.json").write_text(json.dumps(config))
    write_lines(folder / "training.jsonl", chats)
    if validation is not None:
        write_lines(folder / "validation.jsonl", validation)
    return folder


def write_lines(path: Path, rows: list[Any]) -> None:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def train(folder: Path, *, pause_at: int | None = None) -> list[Event]:
    """Run it in this process; its events, whether it finished, paused or failed."""
    pause = threading.Event()
    stream = Listening(pause, pause_at)
    run(folder, Events(stream), pause)
    return stream.events


class Listening(io.StringIO):
    """Takes a run's events, and asks it to pause at the step given."""

    def __init__(self, pause: threading.Event, pause_at: int | None) -> None:
        super().__init__()
        self._pause = pause
        self._pause_at = pause_at

    @property
    def events(self) -> list[Event]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def write(self, line: str) -> int:
        event = json.loads(line)
        if event["type"] == "metrics" and event["step"] == self._pause_at:
            self._pause.set()
        return super().write(line)


def of_kind(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"] == kind]


def losses(events: list[Event]) -> list[float]:
    return [event["train_loss"] for event in of_kind(events, "metrics")]
