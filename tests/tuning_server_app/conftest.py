from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.tuning_server_app.factories import make_key, make_organization
from tuning_server_app.models import Organization


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.TUNING_SERVER_DIR = tmp_path / "tuning_server"


@pytest.fixture
def organization(db: None) -> Organization:
    return make_organization(slug="acme")


@pytest.fixture
def api(organization: Organization) -> Client:
    """A client that sends a valid key of `organization`."""
    _key, secret = make_key(organization)
    return Client(headers={"Authorization": f"Bearer {secret}"})
