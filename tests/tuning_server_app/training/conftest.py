import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Without the tuning server's packages there is nothing here that could run.
collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["*"]

if not collect_ignore_glob:
    from tests.tuning_server_app.tiny_model import make_tiny_model, make_tiny_tokenizer
    from tests.tuning_server_app.training.runs import write_run


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny-base"))


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tiny_tokenizer()


@pytest.fixture
def make_run(tiny_base: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a run's folder as the tuning server does."""

    def make(name: str = "run", **overrides: Any) -> Path:
        return write_run(tmp_path / name, tiny_base, **overrides)

    return make
