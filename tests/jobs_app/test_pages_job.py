from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from jobs_app.models import EventType, FineTuningJob, JobStatus
from jobs_app.progress import duration_of
from jobs_app.questions import tuned_models
from teams_app.models import Role
from tests.factories import (
    chat_lines,
    make_dataset,
    make_job,
    make_member,
    make_provider,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db
UPDATE = {"HX-Request": "true"}


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def member(client, team):
    user = make_member(Role.LAUNCHER, team)
    client.force_login(user)
    return user


@pytest.fixture
def running(team, member):
    return make_job(team=team, status=JobStatus.RUNNING, launched_at=now())


def report(job, step, **data):
    data = {"step": step, "total_steps": 40, "train_loss": 2 / step, **data}
    job.events.create(type=EventType.METRICS, message=f"Step {step}", data=data)


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def detail(client, job, query=""):
    return text(client.get(f"/jobs/{job.pk}/{query}"))


def seen(client, job):
    """What the page's next poll says it has seen."""
    return client.get(f"/jobs/{job.pk}/").context["fingerprint"]


def update(client, job, seen, query=""):
    return client.get(f"/jobs/{job.pk}/live/?seen={seen}{query}", headers=UPDATE)


ROUTES = ["", "live/", "charts/", "points/", "held-out/"]


@pytest.mark.parametrize("route", ROUTES)
def test_another_teams_job_is_not_there(client, member, route):
    assert client.get(f"/jobs/{make_job().pk}/{route}").status_code == 404


@pytest.mark.parametrize("route", ROUTES)
def test_strangers_see_nothing(client, route):
    assert client.get(f"/jobs/{make_job().pk}/{route}").status_code == 302


def test_the_page_names_what_was_trained_on(client, running):
    version = running.dataset_version
    page = detail(client, running)

    assert version.training_sha256 in page
    assert f"/datasets/versions/{version.pk}/" in page


def test_no_page_shows_a_key(client, running):
    assert running.provider.api_key
    assert running.provider.api_key not in detail(client, running)


def test_curves_are_drawn_from_the_first_step_on(client, running):
    assert "The curves start with the first step" in detail(client, running)

    report(running, 1)
    report(running, 2, full_valid_loss=0.9)
    page = detail(client, running)

    assert 'class="chart__line chart__line--train_loss"' in page
    assert "chart__dots--full_valid_loss" in page
    assert 'role="img"' in page


def test_there_is_no_inline_style_or_script(client, running):
    report(running, 1)
    report(running, 2)
    page = detail(client, running)

    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page


def test_the_points_come_as_a_table_when_it_is_opened(client, running):
    report(running, 4)
    table = text(client.get(f"/jobs/{running.pk}/points/", headers=UPDATE))

    assert "0.5000" in table
    assert "0.5000" not in detail(client, running).split('id="points"')[1]
    assert "0.5000" in detail(client, running, "?points=1").split('id="points"')[1]


def test_a_chosen_part_of_the_curves_is_drawn(client, running):
    for step in range(1, 21):
        report(running, step)
    part = text(client.get(f"/jobs/{running.pk}/charts/?first=5&last=9&is_log=on"))

    assert 'data-first="5.0" data-last="9.0"' in part


def test_a_part_that_makes_no_sense_is_the_whole(client, running):
    report(running, 1)
    report(running, 7)
    part = text(client.get(f"/jobs/{running.pk}/charts/?first=x&last="))

    assert 'data-first="1.0" data-last="7.0"' in part


def test_an_update_with_nothing_new_is_empty(client, running):
    assert update(client, running, seen(client, running)).status_code == 204


def test_an_update_brings_the_new_step_and_asks_again(client, running):
    before = seen(client, running)
    report(running, 10)
    part = text(update(client, running, before))

    assert "step 10 of 40" in part
    assert 'hx-trigger="every 2s"' in part
    assert 'id="charts"' in part


def test_an_update_leaves_alone_what_people_hold(client, running):
    before = seen(client, running)
    report(running, 10)
    part = text(update(client, running, before))

    assert "<textarea" not in part
    assert 'id="job-actions"' not in part  # the cancel question may be open
    assert 'id="points-table"' not in part  # it is closed


def test_an_open_table_and_a_zoomed_chart_are_updated_as_they_are(client, running):
    before = seen(client, running)
    for step in (1, 5, 9):
        report(running, step)
    part = text(update(client, running, before, "&points=1&first=4&last=9"))

    assert "0.4000" in part.split('id="points-table"')[1]
    assert 'data-first="5.0"' in part


def test_the_last_update_asks_no_more_and_brings_the_models_name(client, running):
    before = seen(client, running)
    running.move_to(
        JobStatus.SUCCEEDED, fine_tuned_model="ft:base:x", finished_at=now()
    )
    part = text(update(client, running, before))

    assert "hx-trigger" not in part
    assert "Launch again" in part
    assert "ft:base:x" in part.split('id="use-from-code"')[1]


def test_a_hostile_model_name_stays_a_text_in_the_code_people_copy(
    client, member, team
):
    name = 'ft:x", messages=[]); import os; ("'
    job = make_job(team=team, status=JobStatus.SUCCEEDED, fine_tuned_model=name)

    page = client.get(f"/jobs/{job.pk}/").content.decode()

    code = unescape(page.split("<code>from openai", 1)[1].split("</code>")[0])
    assert f"model={name!r}," in code


def test_a_finished_jobs_page_does_not_poll(client, member, team):
    job = make_job(team=team, status=JobStatus.CANCELLED)

    assert "every 2s" not in detail(client, job)


def test_a_failure_is_a_sentence_with_what_to_do(client, member, team):
    error = {"code": "invalid_n_examples", "message": "Only 7 examples"}
    job = make_job(team=team, status=JobStatus.FAILED, error=error)
    page = detail(client, job)

    assert "Only 7 examples." in page
    assert "freeze a new version and launch it" in page


def test_a_failure_without_reason_says_so(client, member, team):
    job = make_job(team=team, status=JobStatus.FAILED)

    assert "The provider gave no reason." in detail(client, job)


def test_an_unreachable_provider_is_told_with_the_next_attempt(client, running):
    running.poll_problem = "The provider could not answer."
    running.n_poll_failures = 3
    running.next_poll_at = now() + timedelta(minutes=40.5)
    running.save()
    page = detail(client, running)

    assert "The provider could not answer." in page
    assert "3 attempts failed; the next is in 40 min" in page


def test_the_timeline_names_who_and_the_providers_request(client, running, member):
    running.move_to(JobStatus.PAUSED, by=member, request_id="req-77")
    story = detail(client, running).split('id="timeline"')[1]

    assert f"by {member}" in story
    assert "req-77" in story


def test_the_timeline_is_newest_first_without_the_figures(client, running):
    running.events.create(message="first thing", created_at=now() - timedelta(hours=1))
    report(running, 1)
    running.move_to(JobStatus.PAUSED, note="by the provider")
    story = detail(client, running).split('id="timeline"')[1]

    assert story.index("by the provider") < story.index("first thing")
    assert "state--paused" in story
    assert "Step 1" not in story
    assert "1 report of figures" in story


def test_a_long_timeline_is_folded(client, running):
    for n in range(40):
        running.events.create(message=f"thing number {n}")

    assert "Show 10 earlier events" in detail(client, running)
    assert "thing number 0" in detail(client, running, "?events=all")


def test_what_the_provider_made_of_auto_is_shown(client, running):
    running.hyperparameters = {"n_epochs": 3}
    running.resolved_hyperparameters = {"n_epochs": 3, "batch_size": 4}
    running.save()
    page = " ".join(detail(client, running).split('id="job-facts"')[1].split())

    assert "<dt>Epochs</dt> <dd>3</dd>" in page
    assert '<dd>4 <span class="quiet">(asked: auto)</span></dd>' in page


def test_viewers_have_no_buttons_that_change_things(client, team):
    client.force_login(make_member(Role.VIEWER, team))
    job = make_job(team=team, status=JobStatus.RUNNING)
    page = detail(client, job)

    assert f"/jobs/{job.pk}/cancel/" not in page
    assert f"/jobs/{job.pk}/ask/" in page


@pytest.mark.parametrize(
    "data",
    [{}, {"step": "x"}, {"step": 1, "train_loss": "x"}, {"step": 1, "total_steps": []}],
)
def test_odd_figures_do_not_take_the_page_down(client, running, data):
    running.events.create(type=EventType.METRICS, message="odd", data=data)

    assert detail(client, running)
    assert text(client.get("/"))


def test_words_of_the_provider_are_text(client, running):
    running.events.create(message="<img src=x onerror=alert(1)>")

    assert "<img" not in detail(client, running)


def test_a_launch_for_later_does_not_pretend_that_it_runs(client, running, settings):
    settings.TIME_ZONE = "Asia/Seoul"
    at = datetime(2096, 1, 2, 3, 0, tzinfo=UTC)
    fields = {"status": JobStatus.PENDING, "scheduled_for": at, "next_poll_at": at}
    FineTuningJob.objects.filter(pk=running.pk).update(**fields)

    page = detail(client, running)

    assert "01/02/2096 noon KST" in page
    assert "To be launched" in page
    assert "nothing is lost" in page
    for untrue in ("Next poll", "Let it train", "Launched<"):
        assert untrue not in page


@pytest.mark.parametrize(
    ("scheduled_in", "took"),
    [(timedelta(hours=1), None), (timedelta(minutes=-1), timedelta(seconds=60))],
)
def test_what_never_came_to_its_time_took_none(team, scheduled_in, took):
    at = now()
    job = make_job(
        team=team,
        status=JobStatus.CANCELLED,
        launched_at=at - timedelta(hours=1),
        scheduled_for=at + scheduled_in,
        finished_at=at,
    )

    assert duration_of(job) == took


class TestHeldOut:
    @pytest.fixture
    def succeeded(self, member, team):
        version = make_version(
            dataset=make_dataset(team=team), validation=chat_lines(2)
        )
        return make_job(
            dataset_version=version,
            provider=make_provider(team=team, kind="openai"),
            status=JobStatus.SUCCEEDED,
            fine_tuned_model="ft:base:x",
        )

    def add(self, job, line_number, tuned, expected="Thirty damage."):
        job.held_out_answers.create(
            line_number=line_number,
            question="How much?",
            expected=expected,
            base_answer="<b>No idea</b>",
            tuned_answer=tuned,
        )

    def test_answers_stand_side_by_side_and_are_counted(self, client, succeeded):
        self.add(succeeded, 1, "Thirty \n damage. ")
        self.add(succeeded, 2, "Forty damage.")
        page = detail(client, succeeded)

        assert "word for word: tuned 1 of 2, base 0 of 2" in page
        assert "&lt;b&gt;No idea&lt;/b&gt;" in page
        assert page.count("mark--right") == 1

    def test_asking_elsewhere_says_that_it_costs(self, client, succeeded):
        page = detail(client, succeeded)

        assert "Ask the held-out questions" in page
        assert "The provider charges" in page

    def test_while_answers_come_in_the_part_updates_itself(self, client, succeeded):
        succeeded.next_comparison_at = now()
        succeeded.save()
        self.add(succeeded, 1, "Thirty damage.")
        part = text(client.get(f"/jobs/{succeeded.pk}/held-out/", headers=UPDATE))

        assert "1 of 2 questions done" in part
        assert 'hx-trigger="every 3s"' in part

    def test_viewers_cannot_start_it(self, client, succeeded, team):
        client.force_login(make_member(Role.VIEWER, team))

        assert f"/jobs/{succeeded.pk}/compare/" not in detail(client, succeeded)

    def test_without_validation_rows_there_is_no_such_part(self, client, member, team):
        job = make_job(team=team, status=JobStatus.SUCCEEDED)

        assert "Held-out questions" not in detail(client, job)


def test_a_long_job_costs_no_more_queries(
    client, running, all_alive, django_assert_max_num_queries
):
    for step in range(1, 41):
        report(running, step)
        running.events.create(message=f"{step}")
    for step in (10, 20):
        running.checkpoints.create(
            remote_id=str(step), name=f"c{step}", step_number=step, created_at=now()
        )

    with django_assert_max_num_queries(14):
        detail(client, running)


def test_where_a_model_must_be_deployed_the_page_says_how_and_asks_that():
    job = make_job(
        provider=make_provider(kind="azure"),
        status=JobStatus.SUCCEEDED,
        fine_tuned_model="gpt.ft-1",
    )
    client = Client()
    client.force_login(make_member(Role.LAUNCHER, job.team))
    page = reverse("jobs:detail", args=[job.pk])
    assert "choose Deploy" in client.get(page).text

    keep = reverse("jobs:deployment", args=[job.pk])
    client.post(keep, {"deployment": " mine "})

    job.refresh_from_db()
    assert [model.name for model in tuned_models(job)] == ["mine"]


def test_only_launchers_name_a_deployment():
    job = make_job(status=JobStatus.SUCCEEDED, fine_tuned_model="gpt.ft-1")
    client = Client()
    client.force_login(make_member(Role.REVIEWER, job.team))
    keep = reverse("jobs:deployment", args=[job.pk])

    assert client.post(keep, {"deployment": "mine"}).status_code == 403


def test_elsewhere_nothing_is_said_of_deploying():
    job = make_job(status=JobStatus.SUCCEEDED, fine_tuned_model="ft:x")
    client = Client()
    client.force_login(make_member(Role.VIEWER, job.team))

    assert "Before anybody can ask" not in (
        client.get(reverse("jobs:detail", args=[job.pk])).text
    )


def test_a_provider_that_cannot_chat_is_not_offered_to_be_asked():
    provider = make_provider(abilities={"chat": False})
    job = make_job(
        provider=provider, status=JobStatus.SUCCEEDED, fine_tuned_model="ft:x"
    )
    client = Client()
    client.force_login(make_member(Role.OWNER, job.team))
    page = reverse("jobs:detail", args=[job.pk])
    assert "Ask both models" not in client.get(page).text

    provider.abilities = {}
    provider.save()
    assert "Ask both models" in client.get(page).text
