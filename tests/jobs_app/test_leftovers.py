"""Files that we left at a provider: found, listed to launchers, deleted on request."""

import pytest
from django.urls import reverse

from jobs_app import services, tasks
from jobs_app.models import JobStatus, LeftoverFile, LeftoverReason, RemoteFile
from jobs_app.services.uploading import file_name
from teams_app.models import AuditEntry, Role, Verb
from tests.factories import make_dataset, make_job, make_member, make_version
from tests.jobs_app.faults import OPERATIONS

OURS = file_name(1, "train", "0123456789abcdef" * 4)


@pytest.fixture
def known(faulty, faulty_provider) -> RemoteFile:
    """A file of ours that a version refers to."""
    version = make_version(dataset=make_dataset(team=faulty_provider.team))
    name = file_name(version.number, "train", version.training_sha256)
    file = faulty.add_file(name, b"{}")
    return RemoteFile.objects.create(
        provider=faulty_provider,
        dataset_version=version,
        split="train",
        remote_id=file["id"],
    )


def job_of(known, status=JobStatus.RUNNING):
    version = known.dataset_version
    return make_job(provider=known.provider, dataset_version=version, status=status)


def found(provider) -> dict[str, str]:
    services.look_for_leftovers(provider)
    return dict(LeftoverFile.objects.values_list("remote_id", "reason"))


def asked_to_delete(file_id: str) -> None:
    files = LeftoverFile.objects.filter(remote_id=file_id)
    assert services.request_deletion(files, by=None) == 1


def test_a_file_that_nothing_refers_to_is_listed(faulty, faulty_provider):
    file = faulty.add_file(OURS, b"{}")

    assert found(faulty_provider) == {file["id"]: LeftoverReason.NOT_OURS_NOW}


def test_a_file_of_others_is_none_of_ours(faulty, faulty_provider):
    faulty.add_file("their-training-file.jsonl", b"{}")

    assert found(faulty_provider) == {}


def test_a_file_that_no_open_job_needs_is_listed(known):
    job_of(known, JobStatus.SUCCEEDED)

    assert found(known.provider) == {known.remote_id: LeftoverReason.UNUSED}


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.UNSURE])
def test_a_file_that_an_open_job_needs_is_not(known, status):
    job_of(known, status)

    assert found(known.provider) == {}


def test_a_file_on_its_way_is_not(known):
    RemoteFile.objects.update(remote_id="", sent_at=known.created_at)

    assert found(known.provider) == {}


def test_what_is_gone_leaves_the_list(faulty, faulty_provider):
    faulty.add_file(OURS, b"{}")
    found(faulty_provider)
    faulty.files.clear()

    assert found(faulty_provider) == {}


def test_a_deleted_file_is_gone_there_and_here(faulty, known):
    found(known.provider)
    asked_to_delete(known.remote_id)

    services.delete_leftovers(known.provider)

    assert faulty.files == {}
    assert not RemoteFile.objects.exists()
    assert not LeftoverFile.objects.exists()


def test_what_nobody_asked_to_delete_stays(faulty, known):
    found(known.provider)

    services.delete_leftovers(known.provider)

    assert list(faulty.files) == [known.remote_id]


def test_a_file_that_a_job_needs_by_now_is_kept(faulty, known):
    found(known.provider)
    asked_to_delete(known.remote_id)
    job_of(known)

    services.delete_leftovers(known.provider)

    assert list(faulty.files) == [known.remote_id]
    assert RemoteFile.objects.exists()


def test_a_deletion_that_fails_says_why_and_is_not_repeated(faulty, known):
    found(known.provider)
    asked_to_delete(known.remote_id)
    faulty.refuses(*OPERATIONS["delete_file"], 403, "not with this key")

    services.delete_leftovers(known.provider)

    assert "not with this key" in LeftoverFile.objects.get().problem
    assert services.providers_with_deletions() == []


def test_the_slow_tick_finds_a_deletion_that_rang_unheard(known):
    found(known.provider)
    asked_to_delete(known.remote_id)

    assert services.providers_with_deletions() == [known.provider.pk]


def delete_in_admin(client, user):
    client.force_login(user)
    return client.post(
        reverse("admin:jobs_app_leftoverfile_changelist"),
        {
            "action": "delete_there",
            "_selected_action": [file.pk for file in LeftoverFile.objects.all()],
        },
    )


def test_a_launcher_deletes_in_the_admin(client, known):
    found(known.provider)
    launcher = make_member(Role.LAUNCHER, known.provider.team)

    delete_in_admin(client, launcher)

    assert LeftoverFile.objects.get().delete_requested_at is not None
    assert AuditEntry.objects.filter(verb=Verb.DELETED).exists()


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_who_may_not_launch_deletes_nothing(client, known, role):
    found(known.provider)

    answer = delete_in_admin(client, make_member(role, known.provider.team))

    assert answer.status_code == 403
    assert LeftoverFile.objects.get().delete_requested_at is None


def test_another_team_sees_and_deletes_nothing(client, known):
    found(known.provider)
    stranger = make_member(Role.OWNER)

    delete_in_admin(client, stranger)

    assert LeftoverFile.objects.get().delete_requested_at is None
    page = client.get(reverse("admin:jobs_app_leftoverfile_changelist"))
    assert LeftoverFile.objects.get().name not in page.content.decode()


def test_a_providers_words_about_a_file_are_in_no_log(faulty, faulty_provider, caplog):
    file = faulty.add_file(OURS, b"{}")
    found(faulty_provider)
    asked_to_delete(file["id"])
    faulty.refuses(*OPERATIONS["delete_file"], 403, "my secret answer")

    services.delete_leftovers(faulty_provider)

    assert "my secret answer" in LeftoverFile.objects.get().problem
    assert "my secret answer" not in caplog.text


@pytest.mark.parametrize("task", [tasks.look_for_leftovers, tasks.read_models])
def test_a_providers_words_about_its_lists_are_in_no_log(
    faulty, faulty_provider, caplog, task
):
    caplog.set_level("INFO")
    faulty.refuses("GET", r"/v1/(files|models)", 403, "my secret answer")

    task(faulty_provider.pk)

    assert "listed" in caplog.text
    assert "my secret answer" not in caplog.text
