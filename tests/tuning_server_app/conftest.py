from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.datasets_app.tokenizers_for_tests import write_tokenizer
from tests.tuning_server_app.factories import BASE, make_key, make_organization
from tuning_server_app.models import Organization

CONTEXT = 200


@pytest.fixture(scope="session")
def small_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files as the server makes of a base model's tokenizer, of a model that reads
    CONTEXT tokens."""
    folder = write_tokenizer(tmp_path_factory.mktemp("tokenizers") / "small")
    (folder / "config.json").write_text(f'{{"max_position_embeddings": {CONTEXT}}}')
    return folder


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path, small_tokenizer: Path) -> None:
    settings.TUNING_SERVER_DIR = tmp_path / "tuning_server"
    tokenizers = settings.TUNING_SERVER_DIR / "tokenizers"
    tokenizers.mkdir(parents=True)
    (tokenizers / BASE).symlink_to(small_tokenizer)


@pytest.fixture
def organization(db: None) -> Organization:
    return make_organization(slug="acme")


@pytest.fixture
def api(organization: Organization) -> Client:
    """A client that sends a valid key of `organization`."""
    _key, secret = make_key(organization)
    return Client(headers={"Authorization": f"Bearer {secret}"})
