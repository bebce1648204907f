"""./manage.py tuning_key and ask."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tuning_server_app.models import ApiKey

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_a_new_key_opens_the_server(client: Client):
    secret = run("tuning_key", "create", "laptop", "--organization", "acme")
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/v1/models", headers=headers).status_code == 200
    assert ApiKey.objects.get().organization.slug == "acme"


def test_the_key_itself_is_not_kept():
    secret = run("tuning_key", "create", "laptop")
    kept = ApiKey.objects.values().get()
    assert secret not in str(kept)
    assert secret.startswith(kept["prefix"])


def test_a_second_key_of_the_same_name_is_refused():
    run("tuning_key", "create", "laptop")
    with pytest.raises(CommandError, match="Revoke it first"):
        run("tuning_key", "create", "laptop")


def test_a_revoked_name_is_free_again():
    run("tuning_key", "create", "laptop")
    run("tuning_key", "revoke", "laptop")
    run("tuning_key", "create", "laptop")
    assert ApiKey.objects.filter(revoked_at=None).count() == 1


def test_an_unknown_key_cannot_be_revoked():
    with pytest.raises(CommandError, match="no valid key named “laptop”"):
        run("tuning_key", "revoke", "laptop")


@pytest.mark.parametrize("slug", ["a:b", "x" * 51])
def test_what_is_no_short_name_of_an_organization_is_refused(slug):
    with pytest.raises(CommandError, match="up to 50 letters, digits"):
        run("tuning_key", "create", "laptop", "--organization", slug)


def test_keys_are_listed_without_their_secret():
    secret = run("tuning_key", "create", "laptop")
    listed = run("tuning_key", "list")
    assert "laptop" in listed
    assert secret not in listed


def test_asking_an_unknown_model_names_those_there_are():
    with pytest.raises(CommandError, match="SmolLM2-135M-Instruct"):
        run("ask", "nobody", "Hello?")


def test_asking_without_the_inference_process_says_how_to_start_it(
    settings: Any, tmp_path: Path
):
    settings.INFERENCE_SOCKET = tmp_path / "nothing.sock"
    with pytest.raises(CommandError, match=r"\./run starts it"):
        run("ask", "SmolLM2-135M-Instruct", "Hello?")
