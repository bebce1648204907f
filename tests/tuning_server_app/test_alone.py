"""The tuning server without the rest of the site, as TUNING_SERVER_ONLY chooses it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from finetune_site.alone.management.commands.first_start import Command

ROOT = Path(settings.BASE_DIR)
OTHER_APPS = {"jobs_app", "datasets_app", "teams_app"}
# Import names of the packages that requirements-common.txt leaves to the site.
OTHER_PACKAGES = {
    *("django_celery_beat", "django_htmx", "ninja", "pydantic", "re2", "openai"),
    *("prometheus_client", "pyarrow", "quicktok", "quicktok_v1", "rensa"),
}
PROGRAM = """
import sys
import finetune_site.wsgi
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from finetune_site import celery_app

call_command("first_start", stdout=sys.stderr)
celery_app.loader.import_default_modules()  # as a worker does
client = Client(SERVER_NAME="localhost")
client.force_login(User.objects.create_superuser("operator"))
for path in ("/v1/models", "/v1/openapi.json", "/admin/tuning_server_app/apikey/add/",
             "/healthz", "/readyz", "/", "/sign-in/"):
    print(path, client.get(path).status_code)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    var = tmp_path_factory.mktemp("alone")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "finetune_site.settings",
        "FINETUNE_SITE_VAR": str(var),
        "TUNING_SERVER_ONLY": "true",
    }
    environment.pop("DATABASE_URL", None)
    return environment


@pytest.fixture(scope="module")
def printed(environment: dict[str, str]) -> list[str]:
    """What a process tells that brings an empty database up and serves."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_an_empty_database_comes_to_serve_v1_and_the_operators_admin(
    printed: list[str],
):
    assert dict(line.split() for line in printed[:-1]) == {
        "/v1/models": "401",
        "/v1/openapi.json": "200",
        "/admin/tuning_server_app/apikey/add/": "200",
        "/healthz": "200",
        "/readyz": "503",  # there is no broker
        "/": "302",
        "/sign-in/": "404",
    }


def test_neither_web_process_nor_worker_imports_another_app(printed: list[str]):
    assert set(printed[-1].split()) & OTHER_APPS == set()


def test_what_is_left_to_the_site_is_not_imported(printed: list[str]):
    assert set(printed[-1].split()) & OTHER_PACKAGES == set()


@pytest.mark.django_db
def test_the_database_of_a_whole_site_is_refused():
    with pytest.raises(CommandError, match="belongs to a whole site"):
        call_command(Command())
