import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from datasets_app import services, tasks
from datasets_app.models import BaseModel, CountRun, Encoding, Example, RunStatus
from datasets_app.services import recounting, runs
from datasets_app.services.counting import counter_key
from datasets_app.token_counts import openai_counter
from teams_app.models import Role
from tests.datasets_app.tokenizers_for_tests import write_tokenizer
from tests.factories import make_dataset, make_example, make_member, make_team

pytestmark = pytest.mark.django_db


def model_of(team, name="gpt-3.5-turbo-0125"):
    return BaseModel.objects.get(team=team, name=name)


def old_count(example):
    return openai_counter("cl100k_base").count(recounting.record_of(example))


def choose(dataset, name="gpt-3.5-turbo-0125"):
    return services.choose_base_model(dataset, model_of(dataset.team, name), by=None)


def korean(dataset):
    """Its counts differ between the two encodings."""
    turns = [{"role": "user", "content": "네더 블레이드의 피해는 얼마입니까?"}]
    reply = {"role": "assistant", "content": "10입니다."}
    return make_example(dataset=dataset, messages=[*turns, reply])


def test_a_new_team_knows_the_models_that_can_be_trained():
    models = BaseModel.objects.filter(team=make_team())

    assert model_of(models[0].team, "gpt-4o-2024-08-06").encoding == Encoding.O200K
    assert model_of(models[0].team).encoding == Encoding.CL100K
    own = model_of(models[0].team, "SmolLM2-135M-Instruct")
    assert (own.encoding, own.training_context_tokens) == (Encoding.OWN, 8192)


def test_what_a_team_made_of_its_table_stays():
    team = make_team()
    BaseModel.objects.filter(team=team).exclude(name="gpt-4o-2024-08-06").delete()
    BaseModel.objects.filter(team=team).update(training_context_tokens=7)

    services.seed_base_models(team)

    left = BaseModel.objects.get(team=team)
    assert left.training_context_tokens == 7


def test_another_base_model_has_the_rows_counted_anew():
    example = korean(make_dataset())
    before = example.n_tokens

    services.run_count(choose(example.dataset))

    example.refresh_from_db()
    assert example.n_tokens == old_count(example) != before
    assert example.dataset.counted_with == "cl100k_base"


def test_rows_in_the_bin_are_counted_too():
    example = korean(make_dataset())
    Example.objects.filter(pk=example.pk).update(deleted_at="2026-01-01T00:00Z")

    services.run_count(choose(example.dataset))

    found = Example.with_deleted.get(pk=example.pk)
    assert found.n_tokens == old_count(found)


def test_another_datasets_rows_keep_their_counts():
    dataset, other = make_dataset(), make_dataset()
    first, between, last = korean(dataset), korean(other), korean(dataset)

    services.run_count(choose(dataset))

    counts = [Example.objects.get(pk=e.pk).n_tokens for e in (first, between, last)]
    assert counts == [old_count(first), between.n_tokens, old_count(last)]


def test_a_model_of_the_same_encoding_needs_no_counting():
    dataset = korean(make_dataset()).dataset

    assert choose(dataset, "gpt-4.1-2025-04-14") is None


def test_an_empty_dataset_needs_no_counting():
    dataset = make_dataset()

    assert choose(dataset) is None
    assert korean(dataset).n_tokens == old_count(Example.objects.get())


def test_a_count_goes_on_where_a_dead_process_stopped(monkeypatch):
    monkeypatch.setattr(recounting, "IDS_AT_ONCE", 1)
    examples = [korean(dataset := make_dataset())]
    examples.append(korean(dataset))
    run = choose(dataset)
    store = recounting._store_counts

    def die(*_arguments):
        raise SystemExit

    monkeypatch.setattr(recounting, "_store_counts", die)
    with pytest.raises(SystemExit):
        services.run_count(run)
    CountRun.objects.update(heartbeat_at="2026-01-01T00:00Z")
    monkeypatch.setattr(recounting, "_store_counts", store)
    services.run_count(CountRun.objects.get())

    assert CountRun.objects.get().status == RunStatus.FINISHED
    assert {e.n_tokens for e in Example.objects.all()} == {old_count(examples[0])}


def test_a_row_edited_meanwhile_keeps_what_its_editor_counted():
    example = korean(make_dataset())
    stale = Example.objects.get(pk=example.pk)
    Example.objects.update(content_hash="edited", n_tokens=7)

    recounting._store_counts([stale], openai_counter("cl100k_base"))

    assert Example.objects.get().n_tokens == 7


def test_a_third_model_stops_the_count_for_the_second():
    dataset = korean(make_dataset()).dataset
    run = choose(dataset)

    assert choose(dataset, "gpt-4o-2024-08-06") is None

    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_a_row_added_while_the_last_ones_are_counted_is_counted(monkeypatch):
    dataset = korean(make_dataset()).dataset
    run, store = choose(dataset), recounting._store_counts

    def add_one_more(rows, counter):
        monkeypatch.setattr(recounting, "_store_counts", store)
        late = korean(dataset)
        Example.objects.filter(pk=late.pk).update(n_tokens=1)
        store(rows, counter)

    monkeypatch.setattr(recounting, "_store_counts", add_one_more)
    monkeypatch.setattr(recounting, "IDS_AT_ONCE", 1)
    services.run_count(run)

    assert {e.n_tokens for e in Example.objects.all()} == {
        old_count(Example.objects.first())
    }


@pytest.mark.usefixtures("_tasks_at_once")
def test_the_tick_counts_anew_what_an_edited_model_makes_stale():
    example = korean(make_dataset())
    choose(example.dataset, "gpt-4o-2024-08-06")
    BaseModel.objects.update(encoding=Encoding.CL100K)

    services.begin_due_counts()
    CountRun.objects.update(created_at="2026-01-01T00:00Z")
    tasks.drive_runs()

    example.refresh_from_db()
    assert example.n_tokens == old_count(example)


def test_the_tick_begins_no_count_again_that_was_cancelled():
    run = choose(korean(make_dataset()).dataset)
    runs.cancel(run)

    assert services.begin_due_counts() == []


def test_a_count_that_always_dies_is_given_up():
    run = choose(korean(make_dataset()).dataset)
    CountRun.objects.update(n_attempts=runs.MAX_ATTEMPTS)

    services.run_count(run)

    run.refresh_from_db()
    assert run.status == RunStatus.FAILED


def test_without_its_tokenizer_a_model_is_counted_like_gpt_4o(settings, tmp_path):
    settings.TOKENIZERS_DIR = tmp_path
    model = model_of(make_team(), "SmolLM2-135M-Instruct")

    assert not services.has_tokenizer(model)
    assert services.counter_of(model).key == "o200k_base"


def test_a_models_own_tokenizer_is_found_in_its_folder(settings, tmp_path):
    settings.TOKENIZERS_DIR = tmp_path
    model = model_of(make_team(), "SmolLM2-135M-Instruct")
    model.name = "org/Model"

    write_tokenizer(tmp_path / "org--Model")

    assert services.has_tokenizer(model)
    assert services.counter_of(model).key == "own:org/Model"
    assert counter_key(model) == "own:org/Model"


@pytest.mark.parametrize("name", ["babbage-002", "gpt-4o-2024-08-06"])
def test_a_counters_key_is_known_without_the_counter(name):
    model = model_of(make_team(), name)

    assert counter_key(model) == services.counter_of(model).key
    assert counter_key(None) == services.counter_of(None).key


def test_a_dataset_takes_no_base_model_of_another_team():
    dataset = make_dataset()

    with pytest.raises(ValidationError, match="another team"):
        services.choose_base_model(dataset, model_of(make_team()), by=None)


@pytest.mark.parametrize(("role", "status"), [(Role.LAUNCHER, 403), (Role.OWNER, 200)])
def test_only_owners_edit_the_table(client, role, status):
    team = make_team()
    client.force_login(make_member(role, team))

    address = reverse("admin:datasets_app_basemodel_change", args=[model_of(team).pk])

    assert client.post(address, {"name": ""}).status_code == status


def test_the_table_of_another_team_is_not_found(client):
    client.force_login(make_member(Role.OWNER))
    address = reverse(
        "admin:datasets_app_basemodel_change", args=[model_of(make_team()).pk]
    )

    assert client.get(address).status_code in (302, 404)
