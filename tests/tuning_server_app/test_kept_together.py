"""What belongs together is stored or undone together, and names its own house only."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models.signals import pre_delete, pre_save
from django.test import Client
from django.utils.timezone import now

from tests.tuning_server_app.factories import (
    BASE,
    make_file,
    make_job,
    make_model,
    make_organization,
    make_upload,
)
from tuning_server_app import file_store, services
from tuning_server_app.file_store import Draft
from tuning_server_app.models import (
    ApiKey,
    File,
    JobEvent,
    JobStatus,
    Organization,
    TunedModel,
    TuningJob,
    Upload,
    UploadPart,
    UploadStatus,
)
from tuning_server_app.services import files, jobs, permissions, tuned_models, uploads
from tuning_server_app.services.stored_chats import ChatRecord

pytestmark = pytest.mark.django_db
JOBS = "/v1/fine_tuning/jobs"


def fail(*_arguments: object, **_more: object) -> None:
    raise RuntimeError


def make_part(upload: Upload, content: bytes = b"part") -> UploadPart:
    draft = Draft()
    draft.write(content)
    return uploads.add_part(upload, draft)


def test_a_job_is_stored_with_its_first_events_or_not_at_all(
    api: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(jobs, "_validating", fail)
    body = {"model": BASE, "training_file": make_file(organization).wire_id}
    assert api.post(JOBS, body, "application/json").status_code == 500
    assert not TuningJob.objects.exists()


@pytest.mark.parametrize("with_validation", [True, False])
def test_the_log_of_a_job_names_the_files_it_has(
    api: Client, organization: Organization, with_validation: bool
):
    body = {"model": BASE, "training_file": make_file(organization).wire_id}
    if with_validation:
        body["validation_file"] = make_file(organization).wire_id
    api.post(JOBS, body, "application/json")
    [job] = TuningJob.objects.all()
    message = job.events.latest("pk").message
    assert ("validation file" in message) == with_validation
    assert message.endswith(body.get("validation_file", body["training_file"]))


def test_a_file_that_could_not_be_deleted_keeps_its_bytes(
    organization: Organization,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
):
    file = make_file(organization)
    monkeypatch.setattr(File, "delete", fail)
    with (
        pytest.raises(RuntimeError),
        django_capture_on_commit_callbacks(execute=True),
    ):
        files.delete_file(file)
    assert file_store.path_of(file.blob).exists()


def test_an_upload_that_could_not_be_ended_keeps_its_parts(
    organization: Organization, django_capture_on_commit_callbacks: Any
):
    upload = make_upload(organization)
    part = make_part(upload)
    pre_delete.connect(fail, sender=UploadPart, dispatch_uid="fails")
    try:
        with (
            pytest.raises(RuntimeError),
            django_capture_on_commit_callbacks(execute=True),
        ):
            uploads.cancel_upload(upload)
    finally:
        pre_delete.disconnect(sender=UploadPart, dispatch_uid="fails")
    assert Upload.objects.get().status == UploadStatus.PENDING
    assert file_store.path_of(part.blob).exists()


def test_uploads_that_ended_are_not_looked_at_again_and_again(
    organization: Organization, django_assert_num_queries: Any
):
    ended = {"status": UploadStatus.COMPLETED, "expires_at": now() - timedelta(days=1)}
    make_upload(organization, **ended)
    with django_assert_num_queries(1):
        uploads.expire_uploads()


def test_of_an_unknown_part_a_few_characters_are_quoted(
    api: Client, organization: Organization
):
    path = f"/v1/uploads/{make_upload(organization).wire_id}/complete"
    response = api.post(path, {"part_ids": ["x" * 99]}, "application/json")
    assert f"no part {'x' * 50}." in response.json()["error"]["message"]


def test_parts_of_another_house_take_none_of_this_ones_room(
    api: Client, organization: Organization, settings: Any
):
    settings.TUNING_SERVER_STORAGE_GB = 100 / 10**9
    make_part(make_upload(make_organization(), n_bytes=90), b"x" * 90)
    make_file(make_organization(), b"x" * 90)
    assert make_file(organization, b"x" * 90)


def test_a_file_that_will_expire_is_there_until_then(
    api: Client, organization: Organization
):
    lasting = make_file(organization, life_seconds=3600)
    assert api.get(f"/v1/files/{lasting.wire_id}").status_code == 200


def test_a_name_that_is_taken_leaves_the_database_usable(organization: Organization):
    services.create_key("laptop", organization.slug)
    with pytest.raises(services.KeyNameTaken):
        services.create_key("laptop", organization.slug)
    assert ApiKey.objects.count() == 1


def test_why_an_upload_was_not_stored_is_in_the_log(
    api: Client, monkeypatch: pytest.MonkeyPatch, caplog: Any
):
    def break_down(*_arguments: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Draft, "write", break_down)
    part = 'Content-Disposition: form-data; name="{}"{}\r\n\r\nfine-tune\r\n'
    fields = (("purpose", ""), ("file", '; filename="a"'))
    body = "".join(f"--x\r\n{part.format(*field)}" for field in fields) + "--x--\r\n"
    response = api.post("/v1/files", body.encode(), "multipart/form-data; boundary=x")
    assert response.json()["error"]["code"] == "disk_error"
    assert "could not be stored" in caplog.text


def test_a_model_is_lent_to_all_or_none():
    model = make_model()
    unfit: Any = None
    with pytest.raises(IntegrityError):
        permissions.permit(model, ["acme", unfit])
    assert not model.permissions.exists()


def test_a_job_moves_with_its_event_or_not_at_all():
    job = make_job(status="queued")
    pre_save.connect(fail, sender=JobEvent, dispatch_uid="fails")
    try:
        with pytest.raises(RuntimeError):
            job.move_to(JobStatus.CANCELLED, "cancelled")
    finally:
        pre_save.disconnect(sender=JobEvent, dispatch_uid="fails")
    assert TuningJob.objects.get().status == JobStatus.QUEUED


def test_a_job_moves_alone():
    job, other = (make_job(status="queued") for _ in range(2))
    jobs.cancel_job(job)
    other.refresh_from_db()
    assert other.status == JobStatus.QUEUED


def test_a_model_that_could_not_be_deleted_keeps_its_name(
    monkeypatch: pytest.MonkeyPatch,
):
    model = make_model()
    monkeypatch.setattr(tuned_models, "partial", fail)
    with pytest.raises(RuntimeError):
        tuned_models.delete_model(model)
    assert TunedModel.objects.exists()


def test_weights_that_could_not_be_deleted_are_in_the_log(
    caplog: Any, django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks(execute=True):
        tuned_models.delete_model(make_model(adapter="gone"))
    assert "The weights gone could not be deleted" in caplog.text


def test_a_stream_that_could_not_be_kept_is_in_the_log(
    organization: Organization, caplog: Any
):
    record = ChatRecord(organization, {"messages": []})
    record.feed(b"data: no JSON\n\n")
    assert "could not be kept" in caplog.text
