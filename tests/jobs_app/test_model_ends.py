from datetime import date, timedelta

import pytest
from django.utils.timezone import localdate, now

from jobs_app.models import JobStatus, ListedModel, ProviderPace
from jobs_app.services import model_ends
from teams_app.models import Role
from teams_app.services import make_token
from tests.factories import make_dataset, make_job, make_member, make_version

MODELS = ("GET", "/v1/models")
pytestmark = pytest.mark.django_db


def listed(provider, **shutdown_dates: date | None) -> None:
    for name, day in shutdown_dates.items():
        ListedModel.objects.create(provider=provider, name=name, shutdown_date=day)


@pytest.fixture
def answers(fake):
    models = [
        {"id": "base-model", "shutdown_date": "2027-01-14"},
        {"id": "other", "shutdown_date": None},
        {"id": "in-seconds", "shutdown_date": 1_800_000_000},
        {"id": "odd", "shutdown_date": "soon"},
    ]
    fake.answers(*MODELS, 200, {"object": "list", "data": models})


def test_the_days_come_from_the_providers_list(provider, answers):
    model_ends.read_models(provider)

    days = dict(ListedModel.objects.values_list("name", "shutdown_date"))
    assert days == {
        "base-model": date(2027, 1, 14),
        "other": None,
        "in-seconds": date(2027, 1, 15),
        "odd": None,
    }


def test_a_day_that_changed_is_changed(provider, fake, answers):
    listed(provider, other=date(2026, 1, 1))

    model_ends.read_models(provider)

    assert model_ends.shutdown_of(provider, "other") is None


def test_they_are_read_once_a_day(provider, answers):
    assert model_ends.providers_to_list_models_of() == [provider.pk]
    model_ends.read_models(provider)
    assert model_ends.providers_to_list_models_of() == []
    ProviderPace.objects.update(models_read_at=now() - timedelta(hours=25))
    assert model_ends.providers_to_list_models_of() == [provider.pk]


def test_a_provider_that_is_silent_is_asked_again_in_an_hour(provider, fake):
    listed(provider, base=date(2027, 1, 14))
    fake.answers(*MODELS, 500, {})

    model_ends.read_models(provider)

    assert model_ends.providers_to_list_models_of() == []
    read_at = ProviderPace.objects.get().models_read_at
    assert read_at is not None
    assert read_at < now() - timedelta(hours=22)
    assert ListedModel.objects.count() == 1


def test_a_tuned_model_ends_with_its_base(provider):
    listed(provider, base=date(2027, 1, 14), tuned=date(2027, 6, 1))
    job = make_job(provider=provider, base_model="base", fine_tuned_model="tuned")

    shutdown = model_ends.shutdown_of_job(job)

    assert shutdown == model_ends.Shutdown("base", date(2027, 1, 14), is_of_base=True)


@pytest.mark.parametrize(
    ("days", "said"),
    [(-1, "was shut down on"), (89, "in 89 days"), (200, "will be shut down on")],
)
def test_the_launch_form_says_when_the_base_model_ends(client, provider, days, said):
    listed(provider, base=localdate() + timedelta(days=days))
    job = make_job(provider=provider)
    client.force_login(make_member(Role.LAUNCHER, provider.team))
    form = {"version": job.dataset_version_id, "provider": provider.pk}

    page = client.get("/jobs/new/estimate/", {**form, "base_model": "base"}).text

    assert said in page
    assert ("notice--warning" in page) == (days == 89)


def test_the_job_page_warns_of_the_tuned_models_end(client, provider):
    listed(provider, base=localdate() + timedelta(days=10))
    job = make_job(
        provider=provider,
        status=JobStatus.SUCCEEDED,
        base_model="base",
        fine_tuned_model="ft:base",
    )
    client.force_login(make_member(Role.VIEWER, provider.team))

    assert "in 10 days" in client.get(f"/jobs/{job.pk}/").text


def test_the_api_tells_it_at_the_launch_and_with_the_job(client, provider):
    ListedModel.objects.create(
        provider=provider, name="base-model", shutdown_date=date(2030, 5, 1)
    )
    version = make_version(dataset=make_dataset(team=provider.team))
    launcher = make_member(Role.LAUNCHER, provider.team)
    token = make_token(user=launcher, name="script")
    headers = {"Authorization": f"Bearer {token}"}
    asked = {"version": version.pk, "base_model": "base-model"}

    told = client.post(
        "/api/jobs", asked, content_type="application/json", headers=headers
    ).json()
    assert told["shutdown_date"] == "2030-05-01"
    job = client.get(f"/api/jobs/{told['id']}", headers=headers).json()
    assert job["shutdown_date"] == "2030-05-01"
