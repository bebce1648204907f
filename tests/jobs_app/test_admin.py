import pytest
from django.test import Client
from django.urls import reverse

from jobs_app import services
from jobs_app.models import FineTuningJob, JobStatus, Provider
from teams_app.models import Role
from tests.factories import (
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db

KEY = "sk-secret-of-the-team"
PROVIDERS = reverse("admin:jobs_app_provider_changelist")
NEW_PROVIDER = reverse("admin:jobs_app_provider_add")
JOBS = reverse("admin:jobs_app_finetuningjob_changelist")
NEW_JOB = reverse("admin:jobs_app_finetuningjob_add")


def signed_in(role: Role, team=None) -> Client:
    client = Client()
    client.force_login(make_member(role, team))
    return client


def page_of(row) -> str:
    return reverse(f"admin:jobs_app_{row._meta.model_name}_change", args=[row.pk])


def provider_form(provider: Provider | None = None, **changes) -> dict:
    return {
        "name": provider.name if provider else "OpenAI",
        "kind": provider.kind if provider else "openai",
        "base_url": provider.base_url if provider else "https://models.example/v1",
        "default_base_model": "",
        "new_api_key": "",
        **changes,
    }


def draft_form(job: FineTuningJob, **changes) -> dict:
    return {
        "dataset_version": job.dataset_version_id,
        "provider": job.provider_id,
        "base_model": job.base_model,
        "suffix": "",
        "seed": "",
        "n_epochs": "",
        "batch_size": "auto",
        "learning_rate_multiplier": "",
        "events-TOTAL_FORMS": "0",
        "events-INITIAL_FORMS": "0",
        **changes,
    }


@pytest.mark.parametrize("role", list(Role))
def test_the_key_is_in_no_page_for_nobody(role):
    provider = make_provider(api_key=KEY)
    client = signed_in(role, provider.team)

    pages = [client.get(PROVIDERS), client.get(page_of(provider))]

    assert [page.status_code for page in pages] == [200, 200]
    stored = provider.__class__.objects.get().__dict__["api_key"]
    for page in pages:
        assert KEY not in page.text
        assert str(stored) not in page.text


def test_a_key_typed_wrongly_with_the_rest_is_not_sent_back():
    provider = make_provider(api_key=KEY)
    client = signed_in(Role.OWNER, provider.team)
    form = provider_form(provider, name="", new_api_key="sk-just-typed")

    answer = client.post(page_of(provider), form)

    assert answer.status_code == 200
    assert "sk-just-typed" not in answer.text


def test_an_empty_key_keeps_the_stored_one():
    provider = make_provider(api_key=KEY)
    client = signed_in(Role.OWNER, provider.team)

    client.post(page_of(provider), provider_form(provider, name="Renamed"))

    provider = Provider.objects.get()
    assert (provider.name, provider.api_key) == ("Renamed", KEY)


def test_a_new_address_clears_the_key_and_says_so():
    provider = make_provider(api_key=KEY)
    client = signed_in(Role.OWNER, provider.team)
    form = provider_form(provider, base_url="https://evil.example/v1")

    answer = client.post(page_of(provider), form, follow=True)

    assert Provider.objects.get().api_key == ""
    assert "stored key was removed" in answer.text


def test_a_new_address_with_its_key_is_stored():
    provider = make_provider(api_key=KEY)
    client = signed_in(Role.OWNER, provider.team)
    form = provider_form(
        provider, base_url="https://other.example/v1", new_api_key="sk-other"
    )

    client.post(page_of(provider), form)

    assert Provider.objects.get().api_key == "sk-other"


@pytest.mark.parametrize(
    "base_url", ["http://models.example/v1", "https://169.254.169.254/v1", "nonsense"]
)
def test_a_forbidden_address_is_refused_in_the_form(base_url):
    team = make_team()
    client = signed_in(Role.OWNER, team)

    answer = client.post(NEW_PROVIDER, provider_form(team=team.pk, base_url=base_url))

    assert answer.context["adminform"].form.errors["base_url"]
    assert not Provider.objects.exists()


def test_the_built_in_kind_cannot_be_chosen():
    team = make_team()
    client = signed_in(Role.OWNER, team)
    form = provider_form(team=team.pk, kind="built_in")

    answer = client.post(NEW_PROVIDER, form)

    assert "kind" in answer.context["adminform"].form.errors


def test_the_built_in_servers_address_cannot_be_edited():
    provider = make_provider(
        kind="built_in", base_url="http://127.0.0.1:8000/v1", api_key=KEY
    )
    client = signed_in(Role.OWNER, provider.team)
    form = provider_form(provider, name="Ours", base_url="http://10.0.0.1/v1")

    client.post(page_of(provider), form)

    provider = Provider.objects.get()
    assert provider.name == "Ours"
    assert provider.base_url == "http://127.0.0.1:8000/v1"
    assert provider.api_key == KEY


@pytest.mark.parametrize("role", [r for r in Role if r != Role.OWNER])
def test_only_owners_change_providers(role):
    provider = make_provider()
    client = signed_in(role, provider.team)

    answer = client.post(page_of(provider), provider_form(provider, name="Mine"))

    assert answer.status_code == 403
    assert client.get(NEW_PROVIDER).status_code == 403


def test_an_owner_cannot_give_a_provider_to_a_team_that_is_not_theirs():
    client = signed_in(Role.OWNER)

    answer = client.post(NEW_PROVIDER, provider_form(team=make_team().pk))

    assert "team" in answer.context["adminform"].form.errors


def test_another_teams_provider_is_not_there():
    provider = make_provider(name="Their provider")
    client = signed_in(Role.OWNER)

    assert "Their provider" not in client.get(PROVIDERS).text
    assert client.get(page_of(provider)).status_code == 302
    assert client.post(page_of(provider), provider_form(provider)).status_code == 302


def test_searching_for_pieces_of_a_key_finds_nothing():
    provider = make_provider(api_key=KEY)
    client = signed_in(Role.VIEWER, provider.team)

    answer = client.get(PROVIDERS, {"api_key__startswith": "gAAA"})

    assert answer.status_code in (302, 400)


def test_a_launcher_makes_and_edits_a_draft():
    provider = make_provider()
    version = make_version(dataset=make_dataset(team=provider.team))
    client = signed_in(Role.LAUNCHER, provider.team)
    unsaved = FineTuningJob(provider=provider, dataset_version=version, base_model="b")

    client.post(NEW_JOB, draft_form(unsaved, n_epochs="3"))
    job = FineTuningJob.objects.get()
    assert job.team == provider.team
    assert job.hyperparameters == {"n_epochs": 3}
    client.post(page_of(job), draft_form(job, batch_size="4", suffix="mine"))

    job.refresh_from_db()
    assert job.hyperparameters == {"batch_size": 4}
    assert job.suffix == "mine"


def test_a_draft_cannot_mix_teams_even_for_a_member_of_both():
    mine, other = make_provider(), make_provider()
    version = make_version(dataset=make_dataset(team=other.team))
    user = make_member(Role.LAUNCHER, mine.team)
    other.team.membership_set.create(user=user, role=Role.LAUNCHER)
    client = Client()
    client.force_login(user)
    unsaved = FineTuningJob(provider=mine, dataset_version=version, base_model="b")

    answer = client.post(NEW_JOB, draft_form(unsaved))

    assert "different teams" in answer.text
    assert not FineTuningJob.objects.exists()


def test_a_draft_cannot_use_another_teams_provider():
    job = make_job()
    client = signed_in(Role.LAUNCHER, job.team)

    answer = client.post(page_of(job), draft_form(job, provider=make_provider().pk))

    assert "provider" in answer.context["adminform"].form.errors


def test_a_draft_that_was_launched_meanwhile_is_not_overwritten():
    job = make_job()
    stale = FineTuningJob.objects.get(pk=job.pk)
    services.launch_job(job, by=None)

    assert not services.change_draft(stale, base_model="another")

    job.refresh_from_db()
    assert (job.status, job.base_model) == (JobStatus.PENDING, "base-model")


@pytest.mark.parametrize("status", [s for s in JobStatus if s != JobStatus.DRAFT])
def test_what_was_launched_is_only_looked_at(status):
    job = make_job(status=status)
    client = signed_in(Role.OWNER, job.team)

    assert client.get(page_of(job)).status_code == 200
    changed = draft_form(job, base_model="another")
    assert client.post(page_of(job), changed).status_code == 403


def test_a_viewer_only_looks_at_drafts():
    job = make_job()
    client = signed_in(Role.VIEWER, job.team)

    assert client.get(page_of(job)).status_code == 200
    assert client.post(page_of(job), draft_form(job)).status_code == 403


def run_action(client: Client, name: str, *jobs: FineTuningJob):
    picked = {"action": name, "_selected_action": [job.pk for job in jobs]}
    return client.post(JOBS, picked, follow=True)


def test_selected_drafts_are_launched():
    job = make_job()
    client = signed_in(Role.LAUNCHER, job.team)

    answer = run_action(client, "launch", job)

    job.refresh_from_db()
    assert job.status == JobStatus.PENDING
    assert "Launched: 1" in answer.text


def test_launching_what_is_no_draft_says_so():
    job = make_job(status=JobStatus.RUNNING)
    client = signed_in(Role.LAUNCHER, job.team)

    assert "launched already" in run_action(client, "launch", job).text


def test_a_member_who_may_launch_elsewhere_only_launches_there():
    theirs, ours = make_job(), make_job()
    waiting = make_job(team=theirs.team, status=JobStatus.PENDING)
    user = make_member(Role.LAUNCHER, ours.team)
    theirs.team.membership_set.create(user=user, role=Role.REVIEWER)
    client = Client()
    client.force_login(user)

    run_action(client, "launch", theirs, ours)
    run_action(client, "cancel", waiting, ours)

    for job in (theirs, waiting, ours):
        job.refresh_from_db()
    assert (theirs.status, waiting.status) == (JobStatus.DRAFT, JobStatus.PENDING)
    assert ours.status == JobStatus.CANCELLED


def test_a_reviewer_has_no_launch_action():
    job = make_job()
    client = signed_in(Role.REVIEWER, job.team)

    run_action(client, "launch", job)

    job.refresh_from_db()
    assert job.status == JobStatus.DRAFT


def test_a_job_that_runs_cannot_be_deleted_and_one_that_is_over_can():
    running = make_job(status=JobStatus.RUNNING)
    client = signed_in(Role.OWNER, running.team)
    delete = reverse("admin:jobs_app_finetuningjob_delete", args=[running.pk])

    assert client.post(delete, {"post": "yes"}).status_code == 403
    FineTuningJob.objects.update(status=JobStatus.FAILED)
    assert client.post(delete, {"post": "yes"}).status_code == 302

    assert not FineTuningJob.objects.exists()


def test_the_list_shows_states_and_links_to_the_portal():
    job = make_job(status=JobStatus.RUNNING)
    client = signed_in(Role.VIEWER, job.team)

    page = client.get(JOBS).text

    assert "state--running" in page
    assert reverse("jobs:detail", args=[job.pk]) in page


def test_hostile_words_of_a_provider_are_shown_as_text():
    job = make_job(status=JobStatus.RUNNING, poll_problem="<script>alert(1)</script>")
    job.events.create(message="<img src=x onerror=alert(2)>")
    client = signed_in(Role.VIEWER, job.team)

    page = client.get(page_of(job)).text

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize("role", list(Role))
def test_schedules_are_for_superusers(role):
    client = signed_in(role)

    schedule = reverse("admin:django_celery_beat_periodictask_changelist")

    assert client.get(schedule).status_code == 403
