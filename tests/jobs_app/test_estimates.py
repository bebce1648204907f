import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.timezone import now

from datasets_app.models import BaseModel
from datasets_app.services import version_tokens
from datasets_app.token_counts import openai_counter
from jobs_app import services, tasks
from jobs_app.auto_epochs import built_in_epochs, cookbook_epochs
from jobs_app.models import FineTuningJob, JobStatus, Price
from teams_app.models import Role
from teams_app.services import make_token
from tests.factories import (
    chat_line,
    chat_lines,
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)
from tuning_server_app.training.hyperparameters import (
    RequestedHyperparameters,
    resolve,
)

pytestmark = pytest.mark.django_db

MODEL = "gpt-4o-2024-08-06"
TOKENS = sum(
    openai_counter().count_all(
        [json.loads(line) for line in chat_lines(10).split(b"\n")[:-1]]
    )
)


@pytest.fixture
def openai():
    return make_provider(kind="openai", default_base_model=MODEL)


@pytest.fixture
def version(openai):
    return make_version(dataset=make_dataset(team=openai.team))


def draft(openai, version, **overrides):
    return make_job(
        **{
            "provider": openai,
            "dataset_version": version,
            "base_model": MODEL,
            "hyperparameters": {"n_epochs": 4},
            **overrides,
        }
    )


def launched(job):
    services.launch_job(job, by=None)
    job.refresh_from_db()
    return job


def ask(client, **form):
    address = reverse("jobs:estimate")
    return client.get(address, form).content.decode()


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [(0, 25), (3, 25), (10, 10), (33, 3), (34, 3), (8333, 3), (8334, 2), (90_000, 1)],
)
def test_the_cookbook_reads_few_rows_often_and_many_seldom(n_rows, expected):
    assert cookbook_epochs(n_rows) == expected


@pytest.mark.parametrize("n_rows", [1, 10, 26, 50, 51, 200, 201, 1000, 1001, 40_000])
@pytest.mark.parametrize("tokens_of_a_row", [20, 127, 128, 900])
@pytest.mark.parametrize("batch_size", ["auto", 1, 7])
def test_the_built_in_servers_rule_is_known(n_rows, tokens_of_a_row, batch_size):
    n_tokens = n_rows * tokens_of_a_row
    chosen = resolve(
        RequestedHyperparameters(batch_size=batch_size),
        n_rows=n_rows,
        n_tokens=n_tokens,
    )

    asked = None if batch_size == "auto" else batch_size
    assert built_in_epochs(n_rows, n_tokens, asked) == chosen.n_epochs


def test_of_no_rows_there_is_a_guess_too():
    assert (cookbook_epochs(0), built_in_epochs(0, 0)) == (25, 20)


def test_a_launch_keeps_what_it_was_expected_to_cost(openai, version):
    job = launched(draft(openai, version))

    assert job.estimated_epochs == 4
    assert job.estimated_tokens == 4 * TOKENS
    assert job.usd_per_million_tokens == 25
    assert job.estimated_usd == Decimal(100 * TOKENS) / 1_000_000


def test_a_price_that_changes_later_changes_no_launch(openai, version):
    job = launched(draft(openai, version))

    Price.objects.update(usd_per_million_tokens=1)

    job.refresh_from_db()
    assert job.usd_per_million_tokens == 25


def test_left_to_the_provider_the_epochs_are_guessed(openai, version):
    job = launched(draft(openai, version, hyperparameters={"n_epochs": "auto"}))

    assert job.estimated_epochs == 10


def test_what_is_cut_off_is_not_estimated(openai):
    long_row = chat_line("Long?", "word " * 200)
    version = make_version(
        dataset=make_dataset(team=openai.team), training=chat_lines(9) + long_row
    )
    BaseModel.objects.update(training_context_tokens=50)

    found = services.estimate_of(draft(openai, version))

    assert found.tokens.n_beyond == 1
    assert 0 < (found.n_tokens or 0) < 4 * (TOKENS + 50)


def test_the_built_in_server_costs_nothing(version):
    built_in = make_provider(kind="built_in", team=version.dataset.team)

    assert launched(draft(built_in, version)).estimated_usd == 0


def test_without_a_price_there_is_no_cost(openai, version):
    Price.objects.all().delete()

    job = launched(draft(openai, version))

    assert job.estimated_tokens
    assert job.estimated_usd is None


def test_a_big_versions_tokens_come_later(openai, version, monkeypatch, fake):
    monkeypatch.setattr(version_tokens, "SMALL_BYTES", 10)
    job = launched(draft(openai, version))
    assert job.estimated_tokens is None
    assert job.usd_per_million_tokens == 25

    version_tokens.count_waiting_version(version.token_counts.get())
    services.complete_estimates(job.provider)
    job.refresh_from_db()

    assert job.estimated_tokens == 4 * TOKENS


def test_a_draft_is_not_estimated_yet(openai, version):
    job = draft(openai, version)

    services.complete_estimates(job.provider)
    job.refresh_from_db()

    assert job.estimated_tokens is None


@pytest.mark.parametrize(
    ("trained", "words"),
    [(100, "as estimated"), (150, "50 % more"), (75, "25 % fewer")],
)
def test_the_page_compares_what_was_trained(client, openai, version, trained, words):
    job = draft(
        openai,
        version,
        status=JobStatus.SUCCEEDED,
        launched_at=now(),
        estimated_epochs=1,
        estimated_tokens=100,
        usd_per_million_tokens=25,
        trained_tokens=trained,
    )
    client.force_login(make_member(Role.VIEWER, openai.team))

    assert words in client.get(reverse("jobs:detail", args=[job.pk])).content.decode()


def test_the_page_says_where_a_price_is_missing(client, openai, version):
    job = launched(draft(openai, version, base_model="o9"))
    client.force_login(make_member(Role.OWNER, openai.team))
    page = client.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert "No price for o9" in page
    assert f"?team={openai.team_id}&amp;provider_kind=openai&amp;base_model=o9" in page

    client.force_login(make_member(Role.LAUNCHER, openai.team))
    page = client.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert "Ask an owner of the team to add the price." in page
    assert "price/add" not in page


def test_the_form_shows_what_it_would_cost(client, openai, version):
    client.force_login(make_member(Role.LAUNCHER, openai.team))
    chosen = {"version": version.pk, "provider": openai.pk, "base_model": MODEL}

    answer = ask(client, **chosen, n_epochs="1000000")
    assert "Choose a version" in answer  # more epochs than can be asked for

    answer = ask(client, **chosen, n_epochs="40")
    assert f"{40 * TOKENS:,}" in answer
    assert "25 USD per million" in answer


def test_the_form_says_that_it_guesses(client, openai, version):
    client.force_login(make_member(Role.LAUNCHER, openai.team))

    answer = ask(client, version=version.pk, provider=openai.pk, base_model="o9")

    assert "a guess" in answer
    assert "not in the table of base models" in answer
    assert "No price for o9" in answer
    assert "Ask an owner of the team to add the price." in answer


def test_an_owner_is_led_to_where_a_price_is_added(client, openai, version):
    client.force_login(make_member(Role.OWNER, openai.team))

    answer = ask(client, version=version.pk, provider=openai.pk, base_model="o9")

    assert "price/add" in answer


def test_the_form_waits_for_a_worker_to_count(client, openai, version, monkeypatch):
    monkeypatch.setattr(version_tokens, "SMALL_BYTES", 10)
    client.force_login(make_member(Role.LAUNCHER, openai.team))

    answer = ask(client, version=version.pk, provider=openai.pk, base_model=MODEL)

    assert "Counting the version" in answer
    assert "load delay:1s" in answer


def test_another_teams_version_is_not_estimated(client, openai, version):
    client.force_login(make_member(Role.OWNER, make_team()))

    answer = ask(client, version=version.pk, provider=openai.pk, base_model=MODEL)

    assert "Choose a version" in answer


def test_the_api_tells_the_estimate(client, openai, version):
    user = make_member(Role.VIEWER, openai.team)
    job = launched(draft(openai, version))
    token = make_token(user=user, name="script")

    answer = client.get(
        f"/api/jobs/{job.pk}", headers={"authorization": f"Bearer {token}"}
    ).json()

    assert answer["estimated_tokens"] == 4 * TOKENS
    assert Decimal(answer["estimated_usd"]) == job.estimated_usd
    assert answer["trained_usd"] is None


def test_the_command_prints_the_estimate(openai, version, capsys, monkeypatch):
    monkeypatch.setattr(tasks.submit_job, "delay_on_commit", lambda _pk: None)

    call_command(
        "launch_job",
        version.dataset.name,
        f"--team={openai.team.slug}",
        f"--provider={openai.name}",
        "--epochs=4",
    )

    said = capsys.readouterr().err
    assert f"{4 * TOKENS:,} tokens in 4 epochs, about 0.0" in said
    assert FineTuningJob.objects.get().estimated_tokens == 4 * TOKENS
