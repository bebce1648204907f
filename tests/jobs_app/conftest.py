from collections.abc import Iterator

import pytest
from django.core.cache import cache

from jobs_app.models import Provider
from tests.factories import make_provider
from tests.jobs_app.fake_provider import API_KEY, FakeProvider


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
def provider(db, fake: FakeProvider) -> Provider:
    return make_provider(base_url=fake.base_url, api_key=API_KEY)
