"""What the provider would refuse is refused at the launch, at every door."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from datasets_app.models import Method
from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus
from teams_app.models import Role
from tests.factories import make_job, make_member, make_provider

pytestmark = pytest.mark.django_db


def job_at(kind: str, abilities: dict | None = None, **fields) -> FineTuningJob:
    provider = make_provider(kind=kind, abilities=abilities or {})
    return make_job(provider=provider, **fields)


REFUSED = [
    ("nebius", {}, {"hyperparameters": {"n_epochs": 21}}, "between 1 and 20"),
    ("nebius", {}, {"hyperparameters": {"learning_rate_multiplier": 2}}, "leave it"),
    ("azure", {}, {"suffix": "s" * 19}, "at most 18"),
    ("openai", {"suffix": False}, {"suffix": "s"}, "takes no suffix"),
    ("openai", {"seed": False}, {"seed": 0}, "takes no seed"),
]


@pytest.mark.parametrize(("kind", "abilities", "fields", "said"), REFUSED)
def test_what_does_not_fit_is_not_launched(kind, abilities, fields, said):
    job = job_at(kind, abilities, **fields)

    with pytest.raises(ValidationError, match=said):
        services.launch_job(job, by=None)
    assert FineTuningJob.objects.get().status == JobStatus.DRAFT


def test_what_the_provider_chooses_always_fits():
    job = job_at("nebius", hyperparameters={"learning_rate_multiplier": "auto"})

    assert services.launch_job(job, by=None)


@pytest.mark.parametrize(
    ("kind", "abilities", "fits"),
    [("openai", {}, True), ("nebius", {}, False), ("openai", {"dpo": False}, False)],
)
def test_preferences_go_only_where_they_are_trained_on(kind, abilities, fits):
    job = job_at(kind, abilities)
    job.dataset_version.dataset.method = Method.DPO
    job.dataset_version.dataset.save()

    if fits:
        assert services.launch_job(job, by=None)
    else:
        with pytest.raises(ValidationError, match="rows of this kind"):
            services.launch_job(job, by=None)


def fields_page(provider, **typed) -> str:
    client = Client()
    client.force_login(make_member(Role.LAUNCHER, provider.team))
    given = {"provider": provider.pk, **typed}
    return client.get(reverse("jobs:new_fields"), given).text


def test_the_form_leaves_out_what_the_provider_cannot_do():
    provider = make_provider(kind="nebius", abilities={"seed": False, "suffix": False})

    page = fields_page(provider)

    assert 'name="n_epochs"' in page
    assert "1–20" in page
    for name in ("learning_rate_multiplier", "seed", "suffix"):
        assert f'name="{name}"' not in page
    assert "deploy" in page


def test_what_was_typed_stays_when_the_provider_changes():
    page = fields_page(make_provider(kind="openai"), n_epochs="7", suffix="mine")

    assert 'value="7"' in page
    assert 'value="mine"' in page


def test_another_teams_provider_shapes_no_form():
    mine, other = make_provider(kind="openai"), make_provider(kind="nebius")
    client = Client()
    client.force_login(make_member(Role.LAUNCHER, mine.team))

    page = client.get(reverse("jobs:new_fields"), {"provider": other.pk}).text

    assert "1–20" not in page
