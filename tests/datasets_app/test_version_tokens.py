import json

import pytest

from datasets_app import services
from datasets_app.models import BaseModel, RunStatus, VersionTokens
from datasets_app.services import version_tokens
from datasets_app.token_counts import openai_counter
from tests.factories import chat_line, chat_lines, make_version

pytestmark = pytest.mark.django_db


def model_of(version, **changes):
    team = version.dataset.team
    model = BaseModel.objects.get(team=team, name="gpt-4o-2024-08-06")
    for name, value in changes.items():
        setattr(model, name, value)
    model.save()
    return model


def test_the_tokens_of_both_files_are_counted_and_kept():
    version = make_version(training=chat_lines(10), validation=chat_line("Q?", "A."))

    counted = services.tokens_of(version, model_of(version))

    rows = [json.loads(line) for line in chat_lines(10).splitlines()]
    expected = sum(openai_counter().count_all(rows))
    assert counted.status == RunStatus.FINISHED
    assert counted.n_training_tokens == counted.n_billable_tokens == expected
    assert counted.n_validation_tokens > 0
    assert services.tokens_of(version, model_of(version)) == counted


def test_what_a_row_has_beyond_the_context_is_not_billed():
    version = make_version(training=chat_lines(9) + chat_line("Long?", "word " * 99))

    model = model_of(version, training_context_tokens=50)
    counted = services.tokens_of(version, model)

    assert counted.n_beyond == 1
    longest = counted.n_training_tokens - counted.n_billable_tokens + 50
    assert longest > 99


def test_a_preferences_line_is_counted_with_both_outputs():
    answer = [{"role": "assistant", "content": "Yes"}]
    row = {
        "input": {"messages": [{"role": "user", "content": "Hi"}]},
        "preferred_output": answer,
        "non_preferred_output": answer,
    }
    version = make_version(training=json.dumps(row).encode() + b"\n")

    counted = services.tokens_of(version, None)

    assert counted.n_training_tokens == 3 + 3 * (3 + 1 + 1)


def test_a_big_version_waits_for_a_worker(monkeypatch):
    monkeypatch.setattr(version_tokens, "SMALL_BYTES", 10)
    version = make_version()

    counted = services.tokens_of(version, None)
    assert counted.is_open

    services.count_waiting_version(counted)
    assert VersionTokens.objects.get().n_training_tokens > 0


def test_a_version_whose_file_is_gone_fails_with_a_word():
    version = make_version()
    version.training_file.storage.delete(str(version.training_file.name))

    counted = services.tokens_of(version, None)

    assert counted.status == RunStatus.FAILED


def test_a_count_for_a_model_that_is_no_more_is_given_up(monkeypatch):
    monkeypatch.setattr(version_tokens, "SMALL_BYTES", 10)
    version = make_version()
    counted = services.tokens_of(version, model_of(version, encoding="cl100k_base"))
    BaseModel.objects.all().delete()

    services.count_waiting_version(counted)

    counted.refresh_from_db()
    assert counted.status == RunStatus.CANCELLED
