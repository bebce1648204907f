"""The admin's form of a draft asks only what the chosen provider takes."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jobs_app.models import FineTuningJob
from teams_app.models import Role
from tests.factories import make_job, make_provider
from tests.jobs_app.test_admin import draft_form, page_of, signed_in

pytestmark = pytest.mark.django_db

NEW_JOB = reverse("admin:jobs_app_finetuningjob_add")
DISABLED = re.compile(r'<input [^>]*name="(\w+)"[^>]* disabled[ >]')


def draft_at(kind: str, abilities: dict | None = None, **fields) -> FineTuningJob:
    return make_job(
        provider=make_provider(kind=kind, abilities=abilities or {}), **fields
    )


def form_of(job: FineTuningJob) -> str:
    """As it is shown; what the script would say of other providers left out."""
    page = signed_in(Role.LAUNCHER, job.team).get(page_of(job)).text
    return re.sub(' data-hints="[^"]*"', "", page)


def hidden_in(page: str) -> set[str]:
    return set(DISABLED.findall(page))


@pytest.mark.parametrize(
    ("kind", "abilities", "hidden"),
    [
        ("openai", {}, set()),
        ("nebius", {}, {"learning_rate_multiplier"}),
        ("openai", {"seed": False, "suffix": False}, {"seed", "suffix"}),
    ],
)
def test_what_a_provider_lacks_is_hidden(kind, abilities, hidden):
    assert hidden_in(form_of(draft_at(kind, abilities))) == hidden


def test_the_form_says_why_a_field_is_missing_and_how_far_the_others_go():
    page = form_of(draft_at("nebius", {"validation_file": False}))

    assert "takes none of it: Learning-rate multiplier." in page
    assert "1–20. Left empty" in page
    assert "takes no validation file" in page
    assert "After the training:" in page


def test_the_script_learns_of_every_provider_that_can_be_chosen():
    job = draft_at("openai")
    other = make_provider(team=job.team, kind="nebius")
    foreign = make_provider(kind="nebius")

    page = signed_in(Role.LAUNCHER, job.team).get(page_of(job))

    attrs = page.context["adminform"].form.fields["provider"].widget.widget.attrs
    assert json.loads(attrs["data-lacking"]) == {
        str(job.provider_id): [],
        str(other.pk): ["learning_rate_multiplier"],
    }
    assert f'"{foreign.pk}"' not in attrs["data-hints"]
    assert "provider-form.js" in page.text


def test_a_new_draft_hides_what_the_provider_offered_first_lacks():
    provider = make_provider(abilities={"seed": False})

    page = signed_in(Role.LAUNCHER, provider.team).get(NEW_JOB).text

    assert hidden_in(page) == {"seed"}


def test_what_a_provider_lacks_is_refused_before_it_is_stored():
    job = draft_at("openai", {"seed": False})
    client = signed_in(Role.LAUNCHER, job.team)

    answer = client.post(page_of(job), draft_form(job, seed="5"))

    assert "takes no seed: leave it empty" in answer.text
    assert hidden_in(answer.text) == {"seed"}
    job.refresh_from_db()
    assert job.seed is None


def test_a_value_that_its_provider_no_longer_takes_goes_when_the_draft_is_saved():
    job = draft_at("openai", {"seed": False}, seed=5)

    signed_in(Role.LAUNCHER, job.team).post(page_of(job), draft_form(job))

    job.refresh_from_db()
    assert job.seed is None


def test_a_providers_name_is_text():
    job = draft_at("nebius")
    job.provider.name = "<img src=x>"
    job.provider.save()

    assert "<img src=x>" not in form_of(job)


def test_whoever_only_looks_sees_no_form():
    job = draft_at("nebius")
    page = signed_in(Role.VIEWER, job.team).get(page_of(job))

    assert page.status_code == 200
    assert "data-lacking" not in page.text


def test_more_providers_ask_the_database_no_more(django_assert_num_queries):
    job = draft_at("openai")
    client = signed_in(Role.LAUNCHER, job.team)
    with CaptureQueriesContext(connection) as few:
        client.get(page_of(job))
    for _each in range(5):
        make_provider(team=job.team)
    with django_assert_num_queries(len(few)):
        client.get(page_of(job))
