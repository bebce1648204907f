"""Whatever a provider sends is stored short, finite and printable, or not at all."""

import math
from datetime import date
from typing import Any

import pytest
from django.utils.timezone import now
from pydantic import BaseModel

from jobs_app.providers.plain import MAX_DEPTH, MAX_ITEMS, plain_json, plain_text
from jobs_app.providers.wire import (
    MAX_IDS,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
    Unintelligible,
    checkpoint_of,
    event_of,
    fields_of,
    file_of,
    job_of,
    jobs_of,
    model_of,
    reply_of,
)

SURROGATE = "a\ud800b"
MADE_UP = "made-up-99d06444180ba3914117fb4b63b6e29e"


def job(**fields: Any) -> RemoteJob:
    return job_of({"id": "ftjob-1", **fields})


def event(**fields: Any) -> RemoteEvent:
    return event_of({"id": "ftevent-1", "message": "Hello", **fields})


def checkpoint(**fields: Any) -> RemoteCheckpoint | None:
    whole = {"id": "c", "fine_tuned_model_checkpoint": "ft:x", "step_number": 1}
    return checkpoint_of({**whole, **fields})


@pytest.mark.parametrize("odd", [None, "7", True, -1, 2**63, math.nan, math.inf, []])
def test_a_number_that_is_none_is_not_given(odd):
    assert job(trained_tokens=odd).trained_tokens is None


@pytest.mark.parametrize("odd", [None, 0, -1, "soon", 2**33, True])
def test_a_moment_that_is_none_is_not_given(odd):
    assert job(created_at=odd).created_at is None


@pytest.mark.parametrize("odd", [None, 7, "m" * 301, ["m"]])
def test_a_name_that_is_none_or_would_be_cut_is_not_given(odd):
    assert job(model=odd, fine_tuned_model=odd).base_model == ""
    assert job(fine_tuned_model=odd).fine_tuned_model == ""


def test_a_status_we_do_not_know_is_none_of_ours():
    assert job(status="meditating").status is None
    assert job(status="Running").status == "running"


def test_long_words_are_cut():
    said = {"code": "c" * 999, "message": "m" * 9999, "param": "p" * 999, "x": "y"}

    kept = job(status="s" * 999, error=said)

    assert {name: len(text) for name, text in kept.error.items()} == {
        "code": 100,
        "message": 2000,
        "param": 100,
    }
    assert len(kept.status_word) == 40
    assert len(job(suffix="s" * 999).suffix) == 200
    assert len(job(metadata={"launch_key": "k" * 999}).launch_key) == 100
    assert len(job(method={"type": "t" * 999}).method) == 40


def test_an_error_that_is_only_text_is_its_message():
    assert job(error="It broke.").error == {"message": "It broke."}


def test_of_many_result_files_a_few_are_kept():
    given = [{"id": "file-0"}, 7, None, *(f"file-{n}" for n in range(1, 50))]

    files = job(result_files=given).result_files

    assert files == [f"file-{n}" for n in range(MAX_IDS - 2)]
    assert job(result_files="file-1").result_files == []


def test_hyperparameters_are_found_at_both_places():
    method = {"supervised": {"hyperparameters": {"n_epochs": 3, "seed": None}}}
    old = {"n_epochs": "auto", "batch_size": math.nan}

    found = job(hyperparameters=old, method=method).hyperparameters

    assert found == {"n_epochs": 3, "batch_size": None}


@pytest.mark.parametrize("odd", [None, [], {}, {"data": None}, {"data": {"id": "x"}}])
def test_a_list_that_is_none_makes_no_sense(odd):
    with pytest.raises(Unintelligible):
        jobs_of(odd)


def test_an_item_without_an_id_is_passed_over():
    page = jobs_of({"data": [{"id": "a"}, {}, {"id": 7}], "has_more": True})

    assert [each.id for each in page.jobs] == ["a"]
    assert (page.has_more, page.last_id) == (True, "a")


@pytest.mark.parametrize("data", [[], [{"id": None}]])
def test_behind_a_page_without_jobs_nothing_is_looked_for(data):
    assert not jobs_of({"data": data, "has_more": True}).has_more


def test_only_a_clear_word_ends_a_list():
    assert jobs_of({"data": [{"id": "a"}]}).has_more
    assert not jobs_of({"data": [{"id": "a"}], "has_more": False}).has_more


@pytest.mark.parametrize(
    "odd",
    [
        {"id": None},
        {"id": "c" * 201},
        {"fine_tuned_model_checkpoint": ""},
        {"fine_tuned_model_checkpoint": "m" * 301},
        {"step_number": None},
        {"step_number": 2**31},
    ],
)
def test_a_checkpoint_that_nobody_could_use_is_none(odd):
    assert checkpoint() is not None
    assert checkpoint(**odd) is None


def test_what_an_event_says_is_bounded():
    said = event(message="m" * 9999, type="t" * 99, level="fatal", data={"a": math.inf})

    assert (len(said.message), len(said.type)) == (4000, 40)
    assert (said.level, said.data) == ("info", {"a": None})


def test_an_event_without_an_id_gets_the_same_one_each_time():
    first, again = event(id=None, created_at=1), event(id=None, created_at=1)
    other = event(id=None, created_at=1, message="Bye")

    assert first.id == again.id != other.id


@pytest.mark.parametrize("odd", [None, {}, {"choices": []}, {"choices": None}])
def test_an_answer_without_a_choice_makes_no_sense(odd):
    with pytest.raises(Unintelligible):
        reply_of(odd)


def test_a_refusal_is_an_answer():
    said = {"choices": [{"message": {"content": None, "refusal": "No."}}]}

    assert reply_of(said).text == "No."


@pytest.mark.parametrize("read", [file_of, model_of, job_of])
def test_what_has_no_id_makes_no_sense(read):
    with pytest.raises(Unintelligible):
        read({"id": ""})


def test_a_file_without_a_status_is_ready_and_its_name_is_bounded():
    file = file_of({"id": "file-1", "filename": "n" * 999, "purpose": "p" * 99})

    assert file.status == "processed"
    assert (len(file.name), len(file.purpose)) == (300, 40)


def test_text_that_no_database_takes_is_mended():
    assert plain_text(f"\0{SURROGATE}", 9) == "a?b"
    assert plain_text("abcd", 3) == "ab…"
    assert plain_text("abc", 3) == "abc"
    assert plain_text(None, 3) == ""


def test_json_is_bounded_in_every_way():
    deep: Any = "end"
    for _ in range(MAX_DEPTH + 2):
        deep = {"a": [deep]}

    assert len(plain_json(list(range(999)))) == MAX_ITEMS
    assert len(plain_json({str(n): n for n in range(999)})) == MAX_ITEMS
    assert plain_json({"k" * 999: "v" * 9999}) == {"k" * 99 + "…": "v" * 999 + "…"}
    assert depth_of(plain_json(deep)) == MAX_DEPTH
    assert plain_json([2**63, True, math.nan, "\0"]) == [None, True, None, ""]


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + depth_of(value["a"])
    return 1 + depth_of(value[0]) if isinstance(value, list) else 0


class Closed(BaseModel):
    id: str


class Open(Closed, extra="allow"):
    pass


def test_an_objects_fields_are_those_it_knows_and_those_it_does_not():
    assert fields_of(Closed(id="a")) == {"id": "a"}
    assert fields_of(Open(id="a", more=1)) == {"id": "a", "more": 1}  # type: ignore[call-arg]


def test_a_suffix_is_found_by_either_name():
    assert job(suffix="a").suffix == "a"
    assert job(suffix="a", user_provided_suffix="b").suffix == "b"


def test_what_a_file_and_an_event_say_goes_before_what_we_make_of_it():
    assert file_of({"id": "file-1", "status": "error"}).status == "error"
    assert event(type="metrics").type == "metrics"
    assert event(type=None).type == "message"
    assert event().id == "ftevent-1"


def test_what_happened_at_no_known_time_happened_now():
    moment = now()
    made = checkpoint()
    assert made is not None
    assert min(event().created_at, made.created_at) >= moment


def test_what_has_a_time_keeps_it():
    made = checkpoint(created_at=1)
    assert made is not None
    assert made.created_at == event(created_at=1).created_at < now()


def test_a_made_up_id_is_the_same_in_every_release():
    """Else the events that are stored under it would come twice."""
    assert event(id=None, created_at=1).id == MADE_UP


def test_an_answer_goes_before_a_refusal():
    said = {"choices": [{"message": {"content": "Yes.", "refusal": "No."}}]}
    assert reply_of(said).text == "Yes."


@pytest.mark.parametrize(
    ("told", "day"),
    [
        (1_790_000_000, date(2026, 9, 21)),
        ("2026-09-21", date(2026, 9, 21)),
        ("2026-09-21T10:00:00Z", date(2026, 9, 21)),
        ("soon", None),
        (None, None),
    ],
)
def test_a_models_end_is_told_in_several_ways(told, day):
    assert model_of({"id": "m", "shutdown_date": told}).shutdown_date == day


def test_nothing_is_nothing_and_lists_in_lists_end_too():
    deep: Any = "end"
    for _ in range(MAX_DEPTH + 2):
        deep = [deep]
    assert plain_json(None) is None
    assert depth_of(plain_json(deep)) == MAX_DEPTH
