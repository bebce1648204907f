import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Without the tuning server's packages there is nothing here that could run.
collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["*"]

if not collect_ignore_glob:
    from tests.tuning_server_app.inference.models import make_adapter
    from tests.tuning_server_app.tiny_model import (
        NAME,
        make_tiny_model,
        make_tiny_tokenizer,
    )
    from tuning_server_app.base_models import BaseModel
    from tuning_server_app.inference.engine import Engine


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny-base"))


@pytest.fixture(scope="session")
def adapters_root(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Adapters a, b and c of random weights: each answers in its own way."""
    root = tmp_path_factory.mktemp("adapters")
    for seed, name in enumerate("abc"):
        make_adapter(tiny_base, root / name, seed)
    return root


@pytest.fixture
def make_engine(
    tiny_base: Path, adapters_root: Path, tmp_path: Path
) -> Iterator[Callable[..., Any]]:
    engines = []

    def make(folder: Path = tiny_base) -> Any:
        base = BaseModel(NAME, str(folder))
        engines.append(Engine({NAME: base}, tmp_path, adapters_root))
        return engines[-1]

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def engine(make_engine: Callable[[], Any]) -> Any:
    return make_engine()


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tiny_tokenizer()
