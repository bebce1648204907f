"""A compatibility check against a server that can do this and that, over real HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from datasets_app.models import RunStatus
from datasets_app.services import runs
from jobs_app import services
from jobs_app.models import Provider, ProviderCheck
from jobs_app.providers import Ability, ProviderClient, is_able
from tests.factories import make_provider
from tests.jobs_app.fake_provider import API_KEY, Fault, Request, error
from tests.jobs_app.faults import says
from tests.jobs_app.faulty_provider import FaultyProvider

pytestmark = pytest.mark.django_db
JOBS = "/v1/fine_tuning/jobs"


@pytest.fixture
def server(settings):
    with FaultyProvider() as running:
        settings.PROVIDER_ALLOWED_HOSTS = [running.host]
        yield running


@pytest.fixture
def provider(server) -> Provider:
    return make_provider(base_url=server.base_url, api_key=API_KEY)


def started(provider: Provider, **options: Any) -> ProviderCheck:
    asked = {"base_model": "base-model", "may_cost": True, "by": None, **options}
    return services.start_check(provider, **asked)


def walked(check: ProviderCheck) -> dict[str, str]:
    """Run it until it ends, as ticks would. Returns {step: result}."""
    for _round in range(60):
        services.run_check(check)
        check.refresh_from_db()
        if not check.is_open:
            return {line["step"]: line["result"] for line in check.results}
    raise AssertionError(check.results)


def nothing_is_left(server: FaultyProvider) -> bool:
    is_over = all(j["status"] in {"cancelled"} for j in server.jobs.values())
    return is_over and not server.files


@dataclass
class RefusedField(Fault):
    """A server that does not know a field of a request for a job."""

    field: str = ""

    def matches(self, request: Request) -> bool:
        return super().matches(request) and self.field in request.json


def refuses(server: FaultyProvider, field: str) -> None:
    answer = says(400, error(f"Unknown field {field}", "unknown_parameter"))
    server.faults.append(RefusedField("POST", JOBS, answer, 99, field=field))


def lose_worker(check: ProviderCheck) -> None:
    """As it is a while after the worker was killed."""
    long_ago = now() - timedelta(seconds=runs.STALE_SECONDS + 1)
    ProviderCheck.objects.filter(pk=check.pk).update(heartbeat_at=long_ago)


class Killed(BaseException):
    """Nothing of ours catches it, as nothing catches a kill."""


def kill_after(monkeypatch: pytest.MonkeyPatch, name: str, times: int = 1) -> None:
    """The process dies when the provider has done it, and before anything is noted."""
    act = getattr(ProviderClient, name)
    calls = []

    def act_and_die(*args: Any, **kwargs: Any) -> Any:
        found = act(*args, **kwargs)
        calls.append(name)
        if len(calls) <= times:
            raise Killed
        return found

    monkeypatch.setattr(ProviderClient, name, act_and_die)


def test_a_server_that_can_everything_is_found_so_and_left_clean(provider, server):
    server.training_seconds, server.training_steps = 30, 10_000  # it runs at once

    check = started(provider)
    results = walked(check)

    assert check.status == RunStatus.FINISHED
    assert set(results.values()) == {"works"}
    provider.refresh_from_db()
    assert set(provider.abilities) == set(Ability)
    assert all(provider.abilities.values())
    assert provider.keeps_metadata is True
    assert provider.checked_at is not None
    assert nothing_is_left(server)


def test_extras_that_are_refused_are_found_one_by_one(provider, server):
    refuses(server, "seed")
    refuses(server, "validation_file")

    check = started(provider)
    walked(check)

    provider.refresh_from_db()
    found = {each for each, has in provider.abilities.items() if not has}
    assert found == {Ability.SEED, Ability.VALIDATION_FILE, Ability.LAUNCH_KEY}
    assert is_able(provider, Ability.SUFFIX)
    assert "Unknown field" in str(check.results)
    assert nothing_is_left(server)


@pytest.mark.parametrize(
    ("path", "ability"),
    [
        (f"{JOBS}/.*/pause", Ability.PAUSE),
        (f"{JOBS}/.*/cancel", Ability.CANCEL),
        ("/v1/uploads", Ability.UPLOADS),
        ("/v1/chat/completions", Ability.CHAT),
    ],
)
def test_a_call_that_is_not_there_is_not_offered(path, ability, provider, server):
    server.refuses("POST", path, 404, "No such route")

    walked(started(provider))

    provider.refresh_from_db()
    assert not is_able(provider, ability)


def test_a_server_that_forgets_metadata_is_known_to(provider, server):
    server.keeps_metadata = False

    walked(started(provider))

    provider.refresh_from_db()
    assert provider.keeps_metadata is False
    assert provider.abilities[Ability.LAUNCH_KEY] is False


def test_without_consent_nothing_is_done_that_costs_money(provider, server):
    provider.kind = "openai"
    provider.save()

    results = walked(started(provider, may_cost=False))

    assert results["file"] == results["uploads"] == results["clean"] == "works"
    assert results["job"] == results["dpo"] == results["chat"] == "left_out"
    assert server.count("create_job") == server.count("chat") == 0
    assert nothing_is_left(server)


def test_a_wrong_key_ends_the_check_at_once_and_finds_nothing(provider, server):
    provider.enter_key("sk-wrong")
    provider.save()

    check = started(provider)
    results = walked(check)

    assert (results.pop("models"), results.pop("clean")) == ("fails", "works")
    assert set(results.values()) == {"left_out"}
    assert "API key" in check.results[0]["words"]
    provider.refresh_from_db()
    assert (provider.abilities, provider.checked_at) == ({}, None)


@pytest.mark.parametrize("name", ["upload", "create_job", "cancel", "delete_file"])
def test_a_killed_check_is_taken_up_and_leaves_nothing(
    name, provider, server, monkeypatch
):
    check = started(provider)
    with monkeypatch.context() as patch:
        kill_after(patch, name)
        with pytest.raises(Killed):
            walked(check)
    lose_worker(check)

    walked(check)

    assert check.status == RunStatus.FINISHED
    assert len(server.sent("POST", "/v1/files")) <= 3
    assert nothing_is_left(server)


def test_a_file_that_arrived_before_a_kill_is_not_sent_again(
    provider, server, monkeypatch
):
    check = started(provider, base_model="base-model")
    with monkeypatch.context() as patch:
        kill_after(patch, "upload")
        with pytest.raises(Killed):
            walked(check)
    lose_worker(check)

    walked(check)

    assert server.created["file"] == 2  # one for each method


def test_a_step_that_kills_every_worker_is_left_out_in_the_end(
    provider, server, monkeypatch
):
    check = started(provider)
    kill_after(monkeypatch, "create_job", times=99)
    for _round in range(2 * runs.MAX_ATTEMPTS):
        try:
            walked(check)
        except Killed:
            lose_worker(check)

    check.refresh_from_db()
    assert check.status == RunStatus.FINISHED
    assert nothing_is_left(server)


def test_a_server_that_is_down_for_a_moment_is_asked_again(provider, server):
    server.fails("create_job", "accept_then_server_error")

    assert walked(started(provider))["job"] == "works"

    assert nothing_is_left(server)


def test_a_server_that_stays_down_ends_the_check(provider, server):
    server.fails("list_models", "server_error", times=99)
    server.fails("upload_file", "server_error", times=99)

    results = walked(started(provider))

    assert results["file"] == "fails"
    assert results["job"] == "left_out"


def test_a_cancelled_check_cleans_up_and_does_no_more(provider, server):
    server.processing_seconds = 60
    check = started(provider)
    services.run_check(check)
    services.cancel_check(check)

    results = walked(check)

    assert check.status == RunStatus.CANCELLED
    assert results["job"] == "left_out"
    assert server.count("create_job") == 0
    assert nothing_is_left(server)


def test_a_new_address_ends_the_check_and_is_not_asked(provider, server):
    server.processing_seconds = 60
    check = started(provider)
    services.run_check(check)
    n_asked = len(server.requests)
    provider.base_url = f"{server.base_url}/elsewhere"
    services.save_provider(provider, new_key=API_KEY)

    check = ProviderCheck.objects.get(pk=check.pk)
    walked(check)

    assert len(server.requests) == n_asked
    provider.refresh_from_db()
    assert provider.abilities == {}


def test_what_was_found_at_one_address_is_forgotten_at_another(provider):
    provider.abilities, provider.checked_at = {"pause": False}, now()
    provider.keeps_metadata = True
    provider.save()
    provider.base_url = "https://elsewhere.example/v1"

    services.save_provider(provider)

    assert (provider.abilities, provider.checked_at) == ({}, None)
    assert provider.keeps_metadata is None


def test_of_two_checks_of_a_provider_one_is_made(provider):
    assert started(provider) == started(provider)


def test_of_two_workers_one_walks(provider, server):
    check = started(provider)
    copy = ProviderCheck.objects.get(pk=check.pk)
    assert runs.claim(check)

    services.run_check(copy)

    assert server.requests == []


def test_a_check_needs_a_model(provider):
    provider.default_base_model = ""

    with pytest.raises(ValidationError, match="base model"):
        started(provider, base_model=" ")


def test_a_check_that_waits_is_found_by_the_tick(provider):
    check = started(provider)
    assert list(services.waiting_checks()) == []
    long_ago = now() - timedelta(seconds=60)
    ProviderCheck.objects.update(created_at=long_ago)

    assert list(services.waiting_checks()) == [check]


def test_a_job_that_a_killed_worker_left_is_stopped_before_another_is_made(
    provider, server, monkeypatch
):
    check = started(provider)
    with monkeypatch.context() as patch:
        kill_after(patch, "create_job")
        with pytest.raises(Killed):
            walked(check)
    [lost] = server.jobs
    lose_worker(check)
    n_before = len(server.requests)

    services.run_check(check)

    posts = [r.path for r in server.requests[n_before:] if r.method == "POST"]
    assert posts.index(f"{JOBS}/{lost}/cancel") < posts.index(JOBS)


def test_what_was_found_is_not_kept_when_the_address_changed_at_the_end(
    provider, server, monkeypatch
):
    def move_away(*_arguments: Any) -> None:
        Provider.objects.update(base_url="https://elsewhere.example/v1")

    monkeypatch.setattr(ProviderClient, "delete_file", move_away)

    walked(started(provider))

    provider.refresh_from_db()
    assert provider.abilities == {}
