"""What forms begin with and make of what was typed."""

import pytest

from jobs_app.admin_forms import DraftForm
from jobs_app.forms import AskForm, prefill
from jobs_app.models import Provider
from teams_app.models import Role
from tests.factories import make_job, make_member, make_provider
from tests.jobs_app.test_admin import draft_form, page_of

pytestmark = pytest.mark.django_db
KNOBS = {"n_epochs": 3, "batch_size": "auto"}


@pytest.fixture
def job(client):
    job = make_job(hyperparameters={**KNOBS, "beta": 1})
    client.force_login(make_member(Role.LAUNCHER, job.team))
    return job


def test_without_a_system_prompt_the_question_goes_alone():
    form = AskForm({"question": "Why?"})
    assert form.is_valid()
    assert form.messages() == [{"role": "user", "content": "Why?"}]


def test_what_was_left_to_the_provider_is_left_empty_again(job):
    assert "batch_size" not in prefill(job)
    begun = DraftForm(instance=job).initial
    assert begun["n_epochs"] == 3
    assert "batch_size" not in begun
    assert "beta" not in begun


@pytest.mark.parametrize("field", ["dataset_version", "provider", "seed"])
def test_a_draft_that_lacks_something_is_told_so(client, job, field):
    changed = draft_form(job, **{field: "x" if field == "seed" else ""})
    form = client.post(page_of(job), changed).context["adminform"].form
    assert field in form.errors


def test_a_form_that_is_shown_again_follows_the_provider_that_was_chosen(job):
    other = make_provider(team=job.team, abilities={"seed": False})
    form = DraftForm(draft_form(job, provider=other.pk), instance=job)
    assert form.fields["seed"].widget.attrs["disabled"]
    assert Provider.objects.count() == 2
