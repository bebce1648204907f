from collections.abc import Iterator

import pytest

from finetune_site.celery import app


@pytest.fixture
def _tasks_at_once() -> Iterator[None]:
    """A task that is rung runs there and then."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False
