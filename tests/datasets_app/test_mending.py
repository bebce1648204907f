"""A line that an import left out is mended in the browser and added after all."""

import gzip
import json
from pathlib import Path

import pytest
from django.urls import reverse

from datasets_app.models import Example, ImportProblem, ImportRun, OnDuplicate
from datasets_app.services import import_batches, mending
from teams_app.models import Role
from tests.datasets_app.import_runs import run, start
from tests.factories import chat_line, chat_lines, make_dataset, make_member, make_team

pytestmark = pytest.mark.django_db
NO_ANSWER = b'{"messages":[{"role":"user","content":"Hi"}]}\n'
GOOD = chat_line("Hi", "Hello").decode()


@pytest.fixture
def dataset():
    return make_dataset(team=make_team())


@pytest.fixture
def curator(client, dataset):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    return client


def first_of(done: ImportRun, line_number: int) -> ImportProblem:
    return done.problems.filter(line_number=line_number).order_by("pk")[0]


def address(problem: ImportProblem) -> str:
    return reverse("datasets:import_mend", args=[problem.import_run_id, problem.pk])


def shown(client, problem: ImportProblem) -> str:
    return client.get(address(problem)).content.decode()


def send(client, problem: ImportProblem, text: str, **kwargs):
    return client.post(address(problem), {"text": text}, **kwargs)


def test_a_mended_line_becomes_a_row_of_its_import(curator, dataset):
    done = run(chat_lines(2) + NO_ANSWER, dataset=dataset, split="validation")
    send(curator, first_of(done, 3), GOOD)
    done.refresh_from_db()

    row = dataset.examples.get(position=3)
    assert row.messages[-1]["content"] == "Hello"
    assert (row.import_run, row.split, row.is_valid) == (done, "validation", True)
    assert row.created_by is not None
    assert (done.n_mended, first_of(done, 3).mended) == (1, row)


def test_all_problems_of_the_line_are_mended_with_it(curator, dataset):
    two = b'{"messages":[{"role":"x","content":"Hi"},{"role":"user","content":""}]}\n'
    done = run(two + NO_ANSWER, dataset=dataset)
    assert done.problems.filter(line_number=1).count() > 1
    send(curator, first_of(done, 1), GOOD)

    assert not done.problems.filter(line_number=1, mended=None).exists()
    assert done.problems.filter(line_number=2, mended=None).exists()


def test_what_was_typed_is_kept_while_it_is_not_good(curator, dataset):
    done = run(NO_ANSWER, dataset=dataset)
    typed = '{"messages": [{"role": "user", "content": "typed <b>by hand</b>"}]}'
    answer = send(curator, first_of(done, 1), typed).content.decode()

    assert "typed &lt;b&gt;by hand&lt;/b&gt;" in answer
    assert "There is no answer to learn" in answer or "no answer to learn" in answer
    assert not dataset.examples.exists()


def test_a_line_that_is_no_json_is_edited_as_text(curator, dataset):
    done = run(b'{"messages": [nope\xff\x00\n', dataset=dataset)

    assert "{&quot;messages&quot;: [nope\ufffd\ufffd" in shown(
        curator, first_of(done, 1)
    )
    again = send(curator, first_of(done, 1), '{"messages": [nope').content.decode()
    assert "The line is not JSON" in again


def test_the_whole_line_is_read_from_the_file(curator, dataset):
    long = "x" * 3 * import_batches.RAW_LENGTH + "END"
    line = {"messages": [{"role": "user", "content": long}]}
    data = b"\xef\xbb\xbf" + json.dumps(line).encode() + b"\r\n" + chat_lines(1)
    done = run(data, dataset=dataset)

    assert "xEND" in shown(curator, first_of(done, 1))


def test_of_a_file_that_is_gone_the_beginning_is_left(curator, dataset):
    line = b'{"messages": [' + b"x" * 3 * import_batches.RAW_LENGTH + b"\n"
    done = run(line, dataset=dataset)
    Path(done.file.path).unlink()

    answer = shown(curator, first_of(done, 1))
    assert "Only the beginning of the line is left" in answer
    assert "[xxx" in answer


def test_a_row_of_a_packed_file_is_kept_whole(curator, dataset):
    line = {"messages": [{"role": "user", "content": "x" * 30_000 + "END"}]}
    done = run(gzip.compress(json.dumps(line).encode() + b"\n"), dataset=dataset)

    answer = shown(curator, first_of(done, 1))
    assert "xEND" in answer
    assert "Only the beginning" not in answer


def test_a_line_too_long_for_a_browser_says_what_to_do(curator, dataset, monkeypatch):
    monkeypatch.setattr(mending, "MAX_BYTES", 20)
    done = run(NO_ANSWER, dataset=dataset)

    answer = shown(curator, first_of(done, 1))
    assert "too long to be edited here" in answer
    assert "<textarea" not in answer


def test_the_next_line_follows(curator, dataset):
    done = run(NO_ANSWER + chat_lines(1) + b"nope\n", dataset=dataset)
    answer = send(curator, first_of(done, 1), GOOD)
    assert answer.headers["Location"] == address(first_of(done, 3))

    answer = send(curator, first_of(done, 3), chat_line("c", "d").decode())
    assert answer.headers["Location"] == reverse("datasets:import_run", args=[done.pk])


def test_a_row_the_dataset_has_is_not_added_again(curator, dataset):
    done = run(chat_lines(1) + NO_ANSWER, dataset=dataset)
    text = chat_lines(1).decode()
    answer = send(curator, first_of(done, 2), text, follow=True).content.decode()

    assert "the dataset has it as row 1." in answer
    assert first_of(done, 2).mended == dataset.examples.get()


def test_a_row_the_dataset_has_is_added_where_the_import_adds_such(curator, dataset):
    data = chat_lines(1) + NO_ANSWER
    done = run(data, dataset=dataset, on_duplicate=OnDuplicate.ADD)
    send(curator, first_of(done, 2), chat_lines(1).decode())

    assert dataset.examples.count() == 2


def test_a_line_is_added_only_once(curator, dataset):
    done = run(NO_ANSWER, dataset=dataset)
    send(curator, first_of(done, 1), GOOD)
    send(curator, first_of(done, 1), chat_line("other", "text").decode())
    done.refresh_from_db()

    assert (dataset.examples.count(), done.n_mended) == (1, 1)


def test_lines_are_mended_after_the_import(curator, dataset):
    done = run(NO_ANSWER, dataset=dataset)
    ImportRun.objects.update(status="running")

    send(curator, first_of(done, 1), GOOD)
    assert not Example.objects.exists()


def test_needs_a_curator(client, dataset):
    done = run(NO_ANSWER, dataset=dataset)
    client.force_login(make_member(Role.VIEWER, dataset.team))

    assert send(client, first_of(done, 1), GOOD).status_code == 403
    url = reverse("datasets:import_run", args=[done.pk])
    assert "Mend…" not in client.get(url).content.decode()


def test_the_line_of_another_import_is_unknown(curator, dataset):
    mine, foreign = run(NO_ANSWER, dataset=dataset), run(NO_ANSWER)
    assert send(curator, first_of(foreign, 1), GOOD).status_code == 404

    url = reverse("datasets:import_mend", args=[mine.pk, first_of(foreign, 1).pk])
    assert curator.post(url, {"text": GOOD}).status_code == 404


def test_the_report_leads_to_the_page(curator, dataset):
    done = run(NO_ANSWER, dataset=dataset)
    url = reverse("datasets:import_run", args=[done.pk])
    assert address(first_of(done, 1)) in curator.get(url).content.decode()

    send(curator, first_of(done, 1), GOOD)
    assert address(first_of(done, 1)) not in curator.get(url).content.decode()


def test_an_open_import_offers_no_mending(curator, dataset):
    started = start(NO_ANSWER, dataset=dataset)
    url = reverse("datasets:import_run", args=[started.pk])

    assert "Mend…" not in curator.get(url).content.decode()
