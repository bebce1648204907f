"""./manage.py tuning_key, tuning_webhook, and ask where nothing answers."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.tuning_server_app.factories import make_organization, make_webhook
from tuning_server_app.models import ApiKey, Webhook
from tuning_server_app.services import hub

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


@pytest.fixture
def both(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """What a command writes to stdout and to stderr."""

    def both(*arguments: str) -> tuple[str, str]:
        call_command(*arguments)
        said = capsys.readouterr()
        return said.out, said.err

    return both


def test_a_new_key_stands_alone_on_stdout(both: Any):
    out, beside = both("tuning_key", "create", "laptop", "--organization", "acme")
    assert out.strip().startswith(ApiKey.objects.get().prefix)
    assert len(out.split()) == 1
    assert "shown only now. It belongs to acme." in beside


def test_a_new_webhooks_secret_stands_alone_on_stdout(both: Any):
    make_organization(slug="default")
    out, beside = both("tuning_webhook", "add", "https://hooks.example/x")
    assert out.split() == [Webhook.objects.get().secret]
    assert "Keep this secret" in beside


def test_a_list_tells_what_a_key_is_worth_and_whose_it_is(both: Any):
    both("tuning_key", "create", "old")
    assert both("tuning_key", "revoke", "old")[0].strip() == "Revoked: old"
    both("tuning_key", "create", "new", "--organization", "acme")
    old, new = both("tuning_key", "list")[0].splitlines()
    assert old.startswith("default  old  ")
    assert old.endswith("…  revoked  –")
    assert new.startswith("acme  new  ")
    assert new.endswith("…  valid  –")


def test_a_key_of_another_organization_is_not_revoked():
    run("tuning_key", "create", "laptop", "--organization", "acme")
    with pytest.raises(CommandError, match="no valid key"):
        run("tuning_key", "revoke", "laptop")
    assert ApiKey.objects.get().revoked_at is None


def test_a_webhook_belongs_to_the_organization_that_is_named():
    make_organization()
    acme = make_organization(slug="acme")
    run("tuning_webhook", "add", "https://a.example/", "--organization", "acme")
    assert Webhook.objects.get().organization == acme


def test_one_webhook_is_removed_and_told_of():
    default, acme = (make_organization(slug=slug) for slug in ("default", "acme"))
    gone = make_webhook(default, "https://a.example/")
    make_webhook(default, "https://b.example/", name="other")
    make_webhook(acme, "https://c.example/", name=gone.name)
    assert run("tuning_webhook", "remove", gone.name) == f"Removed: {gone.name}"
    assert Webhook.objects.count() == 2
    assert not Webhook.objects.filter(pk=gone.pk).exists()


def test_what_is_wrong_with_a_webhook_is_listed():
    make_webhook(make_organization(), "https://a.example/", problem="It is gone.")
    assert run("tuning_webhook", "list").endswith("https://a.example/  It is gone.")


def test_what_is_downloaded_is_told_and_a_failure_ends_it(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(hub, "missing_downloads", lambda: ["one", "two", "three"])
    monkeypatch.setattr(hub, "download", lambda name: name == "one")
    out = io.StringIO()
    with pytest.raises(CommandError, match="two could not be downloaded"):
        call_command("fetch_base_models", stdout=out)
    assert [line.split()[1] for line in out.getvalue().splitlines()] == ["one", "two"]
