import pytest

from jobs_app.models import JobStatus
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


@pytest.fixture
def team():
    return make_team()


@pytest.fixture(autouse=True)
def member(client, team):
    user = make_member(Role.VIEWER, team)
    client.force_login(user)
    return user


def shown(client, query=""):
    """The ids on the page, in its order."""
    response = client.get(f"/jobs/{query}")
    assert response.status_code == 200
    return [line.job.pk for line in response.context["lines"]]


def test_newest_first(client, team):
    old, new = make_job(team=team), make_job(team=team)

    assert shown(client) == [new.pk, old.pk]


def test_another_teams_jobs_are_not_there(client):
    make_job()

    assert shown(client) == []


def test_filter_by_status(client, team):
    failed = make_job(team=team, status=JobStatus.FAILED)
    running = make_job(team=team, status=JobStatus.RUNNING)

    assert shown(client, "?status=failed") == [failed.pk]
    assert shown(client, "?status=open") == [running.pk]


def test_filter_by_dataset(client, team):
    wanted, other = make_dataset(team=team), make_dataset(team=team)
    job = make_job(dataset_version=make_version(dataset=wanted))
    make_job(dataset_version=make_version(dataset=other))

    assert shown(client, f"?dataset={wanted.pk}") == [job.pk]


def test_filter_by_provider(client, team):
    provider = make_provider(team=team)
    job = make_job(provider=provider)
    make_job(team=team)

    assert shown(client, f"?provider={provider.pk}") == [job.pk]


@pytest.mark.parametrize("text", ["polite", "카드", "POLITE 카드", "ft:x:polite"])
def test_search_by_words_of_name_and_model(client, team, text):
    dataset = make_dataset(team=team, name="카드 게임")
    job = make_job(
        dataset_version=make_version(dataset=dataset),
        suffix="polite",
        fine_tuned_model="ft:x:polite",
    )
    make_job(team=team)

    assert shown(client, f"?q={text}") == [job.pk]


@pytest.mark.parametrize(
    "query",
    [
        "?status=nonsense",
        "?dataset=99999",
        "?provider=x",
        "?created_by__password=x",
        "?page=999",
        "?page=x",
        "?q=%00",
        "?dataset=99999999999999999999",
    ],
)
def test_a_filter_that_makes_no_sense_filters_nothing(client, team, query):
    job = make_job(team=team)

    assert shown(client, query) == [job.pk]


def test_another_teams_provider_is_no_filter(client, team):
    make_job(team=team)
    foreign = make_provider(name="theirs")
    response = client.get(f"/jobs/?provider={foreign.pk}")

    assert "theirs" not in response.content.decode()


def test_nothing_found_is_not_an_empty_history(client, team):
    make_job(team=team)

    assert "No job fits these filters" in client.get("/jobs/?q=zzz").content.decode()


def test_pages_of_25_keep_the_filter(client, team):
    version = make_version(dataset=make_dataset(team=team))
    provider = make_provider(team=team)
    for _n in range(26):
        make_job(dataset_version=version, provider=provider, status=JobStatus.FAILED)

    assert len(shown(client, "?status=failed&page=2")) == 1
    page = client.get("/jobs/?status=failed").content.decode()
    assert "?status=failed&amp;page=2" in page


def test_the_table_updates_itself_only_while_a_job_on_it_is_open(client, team):
    job = make_job(team=team, status=JobStatus.RUNNING)
    assert 'hx-trigger="every 4s"' in client.get("/jobs/").content.decode()

    job.move_to(JobStatus.SUCCEEDED)
    assert 'hx-trigger="every 4s"' not in client.get("/jobs/").content.decode()


def test_htmx_gets_the_table_alone_but_a_restored_page_whole(client):
    table = client.get("/jobs/", headers={"HX-Request": "true"})
    restored = client.get(
        "/jobs/",
        headers={"HX-Request": "true", "HX-History-Restore-Request": "true"},
    )

    assert table.content.decode().lstrip().startswith('<div id="job-table"')
    assert "HX-Request" in table.headers["Vary"]
    assert "<!doctype html>" in restored.content.decode()


def test_names_from_outside_are_text(client, team):
    make_job(team=team, fine_tuned_model="<script>alert(1)</script>")

    assert "<script>alert" not in client.get("/jobs/").content.decode()


def test_many_jobs_cost_no_more_queries(
    client, team, all_alive, django_assert_max_num_queries
):
    for status in [JobStatus.RUNNING, JobStatus.SUCCEEDED] * 6:
        make_job(team=team, status=status)

    with django_assert_max_num_queries(10):
        assert len(shown(client)) == 12
