from datetime import timedelta

import pytest
from django.utils.timezone import now

from jobs_app.models import EventType, JobStatus
from teams_app.models import Role
from tests.factories import (
    make_dataset,
    make_example,
    make_job,
    make_member,
    make_team,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def member(client, team):
    user = make_member(Role.LAUNCHER, team)
    client.force_login(user)
    return user


def home(client, **headers):
    response = client.get("/", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_strangers_are_sent_to_the_sign_in_page(client):
    assert client.get("/").headers["Location"] == "/sign-in/?next=/"


def test_an_update_after_signing_out_reloads_the_whole_page(client):
    response = client.get("/", headers={"HX-Request": "true"})

    assert response.headers["HX-Refresh"] == "true"


def test_an_empty_team_is_told_where_to_start(client, member, all_alive):
    page = home(client)

    assert "Start with examples" in page
    assert "/datasets/new/" in page


def test_a_dataset_without_version_should_be_frozen(client, member, team):
    make_dataset(team=team)

    assert "Freeze a dataset" in home(client)


def test_a_version_without_job_should_be_launched(client, member, team):
    make_version(dataset=make_dataset(team=team))

    assert "Launch the first training" in home(client)


def test_silence_is_told_with_the_command_that_mends_it(client, member):
    page = home(client)

    assert "Background work stands still" in page
    assert "honcho start broker" in page


def test_with_nothing_open_the_page_rests(client, member, team, all_alive):
    make_job(team=team, status=JobStatus.SUCCEEDED)
    page = home(client)

    assert "every 3s" not in page
    assert "Recent jobs" in page


def test_an_open_job_shows_how_far_it_is(client, member, team, all_alive):
    job = make_job(
        team=team,
        status=JobStatus.RUNNING,
        launched_at=now(),
        estimated_finish_at=now() + timedelta(seconds=90.5),
    )
    figures = {"step": 12, "total_steps": 48, "train_loss": 0.75}
    job.events.create(type=EventType.METRICS, message="…", data=figures)
    page = home(client)

    assert "step 12 of 48" in page
    assert "0.7500" in page
    assert "1 min 30 s left" in page
    assert 'value="25"' in page


def test_an_update_is_the_part_that_changes_and_nothing_else(client, member):
    part = home(client, **{"HX-Request": "true"})

    assert part.lstrip().startswith('<div id="home-live"')


def test_another_teams_rows_are_not_there(client, member, all_alive):
    job = make_job(status=JobStatus.RUNNING, suffix="secret-plan")
    page = home(client)

    assert "secret-plan" not in page
    assert job.dataset_version.dataset.name not in page


def test_it_leads_to_the_review_queue(client, member, team, all_alive):
    dataset = make_dataset(team=team)
    for state in ("draft", "in_review", "approved"):
        make_example(dataset=dataset, state=state)
    page = home(client)

    assert f'href="/datasets/{dataset.pk}/review/">2 to review</a>' in page


def test_who_may_not_review_is_not_led_there(client, team, all_alive):
    client.force_login(make_member(Role.CURATOR, team))
    make_example(dataset=make_dataset(team=team))

    assert "to review" not in home(client)


def test_many_jobs_cost_no_more_queries(
    client, member, team, django_assert_max_num_queries
):
    for status in [JobStatus.RUNNING, JobStatus.SUCCEEDED] * 5:
        make_job(team=team, status=status)

    with django_assert_max_num_queries(12):
        home(client)
