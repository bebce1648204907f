from datetime import timedelta

import pytest
from django.utils.timezone import now

from jobs_app import services
from jobs_app.held_out import held_out_summary
from jobs_app.models import FineTuningJob, JobStatus
from tests.factories import chat_line, make_dataset, make_job, make_version
from tests.jobs_app.polls import poll

CHAT = ("POST", "/v1/chat/completions")


@pytest.fixture
def job(provider) -> FineTuningJob:
    version = make_version(
        dataset=make_dataset(team=provider.team),
        validation=chat_line("네더 블레이드는?", "30") + chat_line("And two?", "60"),
    )
    return make_job(
        provider=provider,
        dataset_version=version,
        status=JobStatus.SUCCEEDED,
        base_model="base",
        fine_tuned_model="ft:base",
        finished_at=now(),
        next_comparison_at=now(),
    )


def test_a_model_is_asked_and_its_answer_timed(provider, fake):
    question = [{"role": "user", "content": "Hello?"}]

    answer = services.ask(provider=provider, model="ft:x", messages=question)

    assert answer.text == "ft:x: Hello?"
    assert answer.completion_tokens == 7
    assert answer.seconds > 0
    assert fake.sent(*CHAT)[0].json["temperature"] == 0


def test_an_answer_may_come_without_usage_and_text(provider, fake):
    message = {"role": "assistant", "content": None}
    fake.answers(*CHAT, 200, {"choices": [{"message": message}], "usage": None})

    answer = services.ask(provider=provider, model="x", messages=[])

    assert (answer.text, answer.completion_tokens) == ("", None)


def test_base_models_leave_out_tuned_ones_and_start_with_the_default(provider, fake):
    fake.models = ["zeta", "base-model", "ft:base-model:org::1", "gpt.ft-12ab", "alpha"]

    assert services.base_models(provider) == ["base-model", "alpha", "zeta"]


def test_base_models_are_read_once_a_minute_and_again_for_another_address(
    provider, fake
):
    services.base_models(provider)
    services.base_models(provider)
    assert len(fake.sent("GET", "/v1/models")) == 1
    provider.base_url += "/"
    services.base_models(provider)

    assert len(fake.sent("GET", "/v1/models")) == 2


def test_each_validation_row_is_answered_by_both_models(job):
    services.compare_on_held_out_rows(job)

    first, second = job.held_out_answers.all()
    assert first.question == "네더 블레이드는?"
    assert first.expected == "30"
    assert first.base_answer == "base: 네더 블레이드는?"
    assert first.tuned_answer == "ft:base: 네더 블레이드는?"
    assert second.line_number == 2
    job.refresh_from_db()
    assert job.next_comparison_at is None


def test_the_expected_answer_is_not_shown_to_the_models(job, fake):
    services.compare_on_held_out_rows(job)

    assert all(len(request.json["messages"]) == 1 for request in fake.sent(*CHAT))


def test_an_answer_that_rambles_is_cut_where_no_expected_one_could_end(job, fake):
    services.compare_one_held_out_row(job)

    expected = job.held_out_answers.get().expected
    room = [r.json["max_tokens"] for r in fake.requests if "chat" in r.path]
    assert room == [len(expected.encode()) + 32] * 2


def test_a_comparison_goes_on_where_it_was_interrupted(job, fake):
    services.compare_one_held_out_row(job)
    assert len(fake.sent(*CHAT)) == 2

    services.compare_on_held_out_rows(job)

    assert len(fake.sent(*CHAT)) == 4
    assert job.held_out_answers.count() == 2


def test_a_server_that_is_busy_is_asked_again_later(job, fake):
    fake.answers(*CHAT, 503, {})

    assert not services.compare_one_held_out_row(job)

    job.refresh_from_db()
    assert job.next_comparison_at > now() + timedelta(seconds=50)
    assert job.held_out_answers.count() == 0


def test_a_model_that_cannot_be_asked_ends_the_comparison_with_a_word(job, fake):
    fake.refuses(*CHAT, 404, "The model does not exist", "model_not_found")

    services.compare_on_held_out_rows(job)

    job.refresh_from_db()
    assert job.next_comparison_at is None
    assert job.events.filter(message__contains="The model does not exist").exists()


def finish(job: FineTuningJob, fake, kind: str) -> FineTuningJob:
    """Let the provider, of this kind, report success of a job like `job`."""
    remote = fake.add_job(status="succeeded", fine_tuned_model="ft:base")
    job.provider.kind = kind
    job.provider.save()
    running = make_job(
        provider=job.provider,
        dataset_version=job.dataset_version,
        status=JobStatus.RUNNING,
        remote_id=remote["id"],
    )
    return poll(running)


def test_a_success_of_the_built_in_server_is_compared_by_itself(job, fake):
    assert finish(job, fake, "built_in").next_comparison_at is not None


def test_elsewhere_a_comparison_costs_money_and_waits_to_be_asked_for(job, fake):
    finished = finish(job, fake, "openai")
    assert finished.next_comparison_at is None

    services.request_comparison(finished)

    assert finished.pk in services.claim_due_comparisons()


def test_an_answer_that_is_missing_is_neither_counted_nor_right(job):
    job.held_out_answers.create(line_number=1, expected="30", tuned_answer="30")
    job.held_out_answers.create(line_number=2, expected="", tuned_answer="")

    summary = held_out_summary(job)

    assert (summary.n_answered, summary.n_tuned_right) == (1, 1)
