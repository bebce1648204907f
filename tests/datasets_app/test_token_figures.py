from io import BytesIO

import pytest
from django.urls import reverse

from datasets_app import services, tasks
from datasets_app.models import BaseModel, CountRun, Dataset, Example, RunStatus, Split
from datasets_app.services import import_batches, runs, tokens_at_a_glance
from datasets_app.token_counts import openai_counter
from teams_app.models import Role
from tests.factories import chat_lines, make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    """Rows of 10, 20 and 60 tokens for training, one of 30 for validation."""
    dataset = make_dataset()
    for n_tokens in (10, 20, 60, 30):
        sized(dataset, n_tokens)
    Example.objects.filter(n_tokens=30).update(split=Split.VALIDATION)
    return dataset


def sized(dataset, n_tokens):
    example = make_example(dataset=dataset)
    Example.objects.filter(pk=example.pk).update(n_tokens=n_tokens)
    return example


def chosen(dataset, name="gpt-4o-2024-08-06"):
    return BaseModel.objects.get(team=dataset.team, name=name)


def figures(dataset):
    return services.token_figures(Dataset.objects.get(pk=dataset.pk))


def choose(client, dataset, model):
    address = reverse("datasets:base_model", args=[dataset.pk])
    return client.post(address, {"base_model": model and model.pk}, follow=True)


@pytest.fixture
def curator(client, dataset, monkeypatch):
    monkeypatch.setattr(tasks.run_count, "delay_on_commit", lambda _pk: None)
    client.force_login(make_member(Role.CURATOR, dataset.team))
    return client


def test_a_datasets_tokens_are_summed_by_split(dataset):
    found = figures(dataset)

    assert (found.n_tokens, found.n_training, found.n_validation) == (120, 90, 30)
    assert (found.shortest, found.median, found.longest) == (10, 30, 60)
    assert found.average == 30


def test_rows_in_the_bin_count_nowhere(dataset):
    Example.objects.filter(n_tokens=60).update(deleted_at="2026-01-01T00:00Z")

    found = figures(dataset)

    assert (found.n_tokens, found.longest) == (60, 30)


def test_the_median_of_very_many_rows_is_not_looked_for(dataset, monkeypatch):
    monkeypatch.setattr(tokens_at_a_glance, "MEDIAN_UP_TO", 3)

    assert figures(dataset).median is None


def test_rows_beyond_the_models_context_are_counted_up_to_a_limit(dataset, monkeypatch):
    BaseModel.objects.update(training_context_tokens=19)
    services.choose_base_model(dataset, chosen(dataset), by=None)

    assert figures(dataset).n_beyond == 3

    monkeypatch.setattr(tokens_at_a_glance, "MOST_COUNTED", 1)
    assert figures(dataset).has_many_beyond


def test_an_empty_dataset_has_no_tokens():
    assert figures(make_dataset()).n_tokens == 0


def test_the_page_names_rows_that_are_too_long(curator, dataset):
    BaseModel.objects.update(training_context_tokens=59)

    page = choose(curator, dataset, chosen(dataset)).content.decode()

    assert "1 row is longer than the 59 tokens that gpt-4o-2024-08-06 reads" in page


def test_another_model_is_chosen_on_the_page_and_counting_shown(curator, dataset):
    page = choose(curator, dataset, chosen(dataset, "babbage-002")).content.decode()

    assert "Counting the rows anew: 0 %" in page
    assert f'hx-get="{reverse("datasets:tokens", args=[dataset.pk])}"' in page

    services.run_count(CountRun.objects.get())
    answer = curator.get(reverse("datasets:tokens", args=[dataset.pk]))
    assert "Counting" not in answer.content.decode()


def test_a_count_can_be_cancelled_and_begun_again(curator, dataset):
    choose(curator, dataset, chosen(dataset, "babbage-002"))
    run = CountRun.objects.get()

    page = curator.post(reverse("datasets:count_cancel", args=[run.pk]), follow=True)
    assert "Counting was cancelled" in page.content.decode()

    choose(curator, dataset, chosen(dataset, "babbage-002"))
    assert CountRun.objects.filter(status=RunStatus.PENDING).count() == 1


def test_a_count_that_failed_is_told(curator, dataset):
    choose(curator, dataset, chosen(dataset, "babbage-002"))
    CountRun.objects.update(n_attempts=runs.MAX_ATTEMPTS)
    services.run_count(CountRun.objects.get())

    answer = curator.get(reverse("datasets:tokens", args=[dataset.pk]))

    assert "stopped several times" in answer.content.decode()


def test_the_page_says_where_a_tokenizer_is_missing(
    curator, dataset, settings, tmp_path
):
    settings.TOKENIZERS_DIR = tmp_path

    page = choose(curator, dataset, chosen(dataset, "SmolLM2-135M-Instruct"))

    assert "These are estimates" in page.content.decode()


def test_a_model_of_another_team_cannot_be_chosen(curator, dataset):
    choose(curator, dataset, chosen(make_dataset()))

    dataset.refresh_from_db()
    assert dataset.base_model is None


@pytest.mark.parametrize("name", ["base_model", "count_cancel"])
def test_viewers_only_look(client, dataset, name):
    run = CountRun.objects.create(dataset=dataset, counter="cl100k_base")
    client.force_login(make_member(Role.VIEWER, dataset.team))
    pk = run.pk if name == "count_cancel" else dataset.pk

    answer = client.post(reverse(f"datasets:{name}", args=[pk]))

    assert answer.status_code == 403


def test_the_card_takes_the_same_queries_whatever_the_size(
    curator, dataset, django_assert_max_num_queries
):
    for n_tokens in range(20):
        sized(dataset, n_tokens)

    with django_assert_max_num_queries(14):
        curator.get(reverse("datasets:tokens", args=[dataset.pk]))


def test_the_admin_offers_the_teams_own_models_and_counts(client, dataset):
    make_dataset()  # another team's, with models of the same names
    client.force_login(make_member(Role.OWNER, dataset.team))
    address = reverse("admin:datasets_app_dataset_change", args=[dataset.pk])

    page = client.get(address).content.decode()
    assert page.count(">babbage-002</option>") == 1

    row = {"name": dataset.name, "method": "supervised"}
    client.post(address, {**row, "base_model": chosen(dataset, "babbage-002").pk})
    assert CountRun.objects.get().counter == "cl100k_base"


def test_rows_that_an_import_counted_for_the_model_before_are_counted_anew(
    dataset, monkeypatch
):
    before = openai_counter("cl100k_base")
    monkeypatch.setattr(import_batches, "_counter_of", lambda _run: before)
    run = services.start_import(
        dataset=dataset,
        file=BytesIO(chat_lines(3)),
        file_name="rows.jsonl",
        split=Split.TRAIN,
    )

    services.run_import(run)

    (pk,) = services.begin_due_counts()
    assert CountRun.objects.get(pk=pk).counter == "o200k_base"
