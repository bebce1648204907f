from collections.abc import Iterator

import pytest
from django.core.cache import cache

from jobs_app.models import Provider
from tests.factories import make_provider
from tests.jobs_app.fake_provider import API_KEY, FakeProvider
from tests.jobs_app.faulty_provider import FaultyProvider
from tests.jobs_app.receiver import Receiver


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def fake(settings) -> Iterator[FakeProvider]:
    """A provider's server on loopback, which the settings allow."""
    with FakeProvider() as running:
        settings.PROVIDER_ALLOWED_HOSTS = [running.host]
        yield running


@pytest.fixture
def faulty(settings) -> Iterator[FaultyProvider]:
    """A provider's server that can fail in every way, likewise allowed."""
    with FaultyProvider() as running:
        settings.PROVIDER_ALLOWED_HOSTS = [running.host]
        yield running


@pytest.fixture
def faulty_provider(db, faulty: FaultyProvider) -> Provider:
    return make_provider(base_url=faulty.base_url, api_key=API_KEY)


@pytest.fixture
def provider(db, fake: FakeProvider) -> Provider:
    return make_provider(base_url=fake.base_url, api_key=API_KEY)


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    with Receiver() as running:
        settings.WEBHOOK_ALLOWED_HOSTS = [running.host]
        yield running


@pytest.fixture
def _sends_email(settings) -> None:
    settings.SENDS_EMAIL = True
