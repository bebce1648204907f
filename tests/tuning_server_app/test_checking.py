"""The first phase of a job: its files are read before anything is trained."""

import shutil
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from tests.tuning_server_app.factories import (
    BASE,
    chat,
    chats,
    error_of,
    jsonl,
    make_file,
    make_job,
    make_organization,
    preferences,
)
from tuning_server_app.models import JobStatus, TuningJob
from tuning_server_app.services import checking
from tuning_server_app.services.checking import validate_files
from tuning_server_app.services.files import delete_file

pytestmark = pytest.mark.django_db


def checked_job(training: bytes, validation: bytes | None = None) -> TuningJob:
    organization = make_organization()
    job = make_job(
        organization=organization,
        training_file=make_file(organization, training).wire_id,
        validation_file=make_file(organization, validation).wire_id
        if validation is not None
        else "",
    )
    validate_files(job)
    return TuningJob.objects.get(pk=job.pk)


def test_a_job_with_good_files_is_queued():
    job = checked_job(chats(), chats(1))
    assert job.status == JobStatus.QUEUED
    message = job.events.get().message
    assert message == "Files validated, moving job to queued state"


def warnings_of(job: TuningJob) -> list[str]:
    return list(job.events.filter(level="warn").values_list("message", flat=True))


def test_what_the_base_model_will_cut_is_said_before_it_is_trained():
    long = chat(answer="길고 길게 " * 200)
    job = checked_job(chats(9) + jsonl(long))
    assert job.status == JobStatus.QUEUED
    assert warnings_of(job) == [
        f"Some examples of the training_file are longer than the 200 tokens that {BASE}"
        " reads: 10. They are cut at their end, and what is cut is not learnt"
    ]


def test_of_what_no_answer_is_left_is_said_too():
    long = chat(question="길고 길게 " * 200)
    (said,) = warnings_of(checked_job(chats(), jsonl(chat(), long)))
    assert said.startswith("Some examples of the validation_file are longer than")
    assert said.endswith("before their answer begins: 2. Nothing of them is learnt")


def test_what_the_base_model_cannot_read_fails_the_job(settings: Any):
    small = settings.TUNING_SERVER_DIR / "tokenizers" / BASE
    strict = shutil.copytree(small, settings.TUNING_SERVER_DIR / "base" / BASE)
    (strict / "chat_template.jinja").write_text("{{ raise_exception('Never') }}")
    job = checked_job(chats())
    assert error_of(job)["code"] == "invalid_file_format"
    assert "Example 1 cannot be used" in error_of(job)["message"]


def test_without_the_base_models_files_the_trainer_will_tell(settings: Any):
    settings.TUNING_SERVER_BASE_MODELS = {BASE: "/nowhere"}
    (settings.TUNING_SERVER_DIR / "tokenizers" / BASE).unlink()
    assert checked_job(chats()).status == JobStatus.QUEUED


def test_too_few_rows_fail_the_job():
    job = checked_job(chats(9))
    assert job.status == JobStatus.FAILED
    assert (error_of(job)["code"], error_of(job)["param"]) == (
        "invalid_n_examples",
        "training_file",
    )
    assert job.events.get().level == "error"


def test_a_bad_validation_file_fails_the_job():
    job = checked_job(chats(), b"nonsense")
    assert (error_of(job)["code"], error_of(job)["param"]) == (
        "invalid_file_format",
        "validation_file",
    )
    assert "Example 1" in error_of(job)["message"]


def test_a_file_is_read_by_the_rules_of_the_method():
    organization = make_organization()
    file = make_file(organization, preferences())
    job = make_job(organization=organization, training_file=file.wire_id, method="dpo")
    validate_files(job)
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED


def test_a_file_deleted_meanwhile_fails_the_job():
    organization = make_organization()
    file = make_file(organization)
    job = make_job(organization=organization, training_file=file.wire_id)
    delete_file(file)
    validate_files(job)
    assert error_of(job)["code"] == "invalid_training_file"
    assert "was deleted" in error_of(job)["message"]


@pytest.mark.parametrize(("seconds_ago", "is_read"), [(1, False), (61, True)])
def test_files_that_another_worker_is_reading_are_left_to_it(
    seconds_ago: int, is_read: bool
):
    began = now() - timedelta(seconds=seconds_ago)
    job = make_job(training_file="file-gone", heartbeat_at=began)
    validate_files(job)
    assert (job.status == JobStatus.FAILED) is is_read


def test_a_cancelled_job_is_not_checked():
    job = make_job(status=JobStatus.CANCELLED)
    validate_files(job)
    assert not job.events.exists()


def test_the_heart_beats_while_a_long_file_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "BEAT_SECONDS", 0)
    beats = []

    def watch() -> Any:
        beats.append(TuningJob.objects.get().heartbeat_at)
        return now()

    monkeypatch.setattr(checking, "now", watch)
    checked_job(chats())
    assert len(set(beats)) > 5


def test_the_files_of_a_job_that_is_cancelled_are_read_no_further(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(checking, "BEAT_SECONDS", 0)
    read: list[int] = []

    class Cancelled(checking._Watched):
        def readline(self, limit: int = -1) -> bytes:
            read.append(limit)
            TuningJob.objects.update(status=JobStatus.CANCELLED)
            return super().readline(limit)

    monkeypatch.setattr(checking, "_Watched", Cancelled)
    assert checked_job(chats(), b"nonsense").status == JobStatus.CANCELLED
    assert len(read) == 1


def test_a_nul_in_a_faulty_file_reaches_no_text_of_the_database():
    job = checked_job(jsonl({**chat(), "a\0b": 1}))
    assert 'an extra key "a\ufffdb"' in error_of(job)["message"]
    assert "\0" not in error_of(job)["message"] + job.events.get().message


def test_the_check_of_one_job_is_not_anothers():
    other = make_job()
    checked_job(chats())
    other.refresh_from_db()
    assert other.heartbeat_at is None


def test_the_check_of_a_cancelled_job_stops_whoever_else_waits(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(checking, "BEAT_SECONDS", -1)
    make_job()
    heart = checking._Heart(make_job(status=JobStatus.CANCELLED))
    with pytest.raises(checking._NoLongerWanted):
        heart.beat()
