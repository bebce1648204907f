"""What a training subprocess finds in its folder."""

from typing import Any

import pytest

from tests.tuning_server_app.factories import BASE, make_file, make_job
from tuning_server_app.services import run_folder
from tuning_server_app.training.run_config import read_run_config

pytestmark = pytest.mark.django_db


def test_a_run_is_told_the_rate_its_base_model_has_in_the_settings(settings: Any):
    settings.TUNING_SERVER_LEARNING_RATES = {BASE: 2e-4}
    file = make_file()
    job = make_job(organization=file.organization, training_file=file.wire_id)

    config = read_run_config(run_folder.prepare(job))

    assert config.base_model.learning_rate == 2e-4
