import pytest
from django.urls import reverse

from datasets_app import services
from datasets_app.models import DatasetVersion, FreezeRun, RunStatus
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    return make_example().dataset


@pytest.fixture
def reviewer(client, dataset):
    client.force_login(make_member(Role.REVIEWER, dataset.team))
    return client


@pytest.fixture
def run(dataset):
    return services.start_freeze(dataset=dataset, by=None)


def url_of(name: str, row) -> str:
    return reverse(f"datasets:{name}", args=[row.pk])


@pytest.mark.usefixtures("_tasks_at_once")
def test_freezing_makes_a_version_and_leads_to_it(
    reviewer, dataset, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = reviewer.post(url_of("freeze", dataset), {"note": "first"})

    run = FreezeRun.objects.get()
    assert response.url == url_of("freeze_run", run)
    assert run.version
    assert run.version.note == "first"
    assert run.version.created_by == run.created_by
    assert url_of("version", run.version) in reviewer.get(response.url).content.decode()
    update = reviewer.get(response.url, headers={"HX-Request": "true"})
    assert update.headers["HX-Redirect"] == url_of("version", run.version)


def test_looking_freezes_nothing(reviewer, dataset):
    assert reviewer.get(url_of("freeze", dataset)).status_code == 200
    assert not FreezeRun.objects.exists()


def test_the_form_is_filled_in_by_the_teams_rule(reviewer, dataset):
    def is_chosen() -> bool:
        form = reviewer.get(url_of("freeze", dataset)).context["form"]
        return "checked" in str(form["approved_only"])

    assert not is_chosen()
    dataset.team.approved_only = True
    dataset.team.save()
    assert is_chosen()


def test_the_form_asks_nothing_of_the_examples(
    reviewer, dataset, all_alive, django_assert_num_queries
):
    # session, user, dataset, roles, the last check, signs of life
    with django_assert_num_queries(6):
        reviewer.get(url_of("freeze", dataset))


def test_an_open_run_asks_again_and_can_be_cancelled(reviewer, run):
    shown = reviewer.get(url_of("freeze_run", run)).content.decode()
    assert 'hx-trigger="every 1s"' in shown
    assert url_of("freeze_cancel", run) in shown

    reviewer.post(url_of("freeze_cancel", run))
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    shown = reviewer.get(url_of("freeze_run", run)).content.decode()
    assert "Nothing was stored" in shown
    assert "every 1s" not in shown


def test_a_viewer_cancels_nothing(client, run):
    client.force_login(make_member(Role.VIEWER, run.dataset.team))
    answer = client.post(url_of("freeze_cancel", run))
    run.refresh_from_db()

    assert (answer.status_code, run.status) == (403, RunStatus.PENDING)
    shown = client.get(url_of("freeze_run", run)).content.decode()
    assert url_of("freeze_cancel", run) not in shown


def test_an_empty_dataset_is_said_on_the_page(reviewer, dataset):
    empty = make_dataset(team=dataset.team)
    run = services.start_freeze(dataset=empty, by=None, approved_only=True)
    services.run_freeze(run)
    shown = reviewer.get(url_of("freeze_run", run)).content.decode()

    assert "Approve some" in shown
    assert not DatasetVersion.objects.exists()


def test_an_update_for_somebody_signed_out_reloads_the_page(client, run):
    answer = client.get(url_of("freeze_run", run), headers={"HX-Request": "true"})

    assert answer.headers["HX-Refresh"] == "true"


@pytest.mark.parametrize("name", ["detail", "versions"])
def test_a_freeze_is_found_again_until_its_version_is_there(reviewer, run, name):
    def is_told() -> bool:
        shown = reviewer.get(url_of(name, run.dataset)).content.decode()
        return url_of("freeze_run", run) in shown

    assert is_told()
    services.run_freeze(run)
    assert not is_told()
