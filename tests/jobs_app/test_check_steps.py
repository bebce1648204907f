"""Each step of a compatibility check by itself, against a client that answers so."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from datasets_app.services import runs
from jobs_app.kinds import PROFILES
from jobs_app.models import JobStatus, ProviderCheck
from jobs_app.providers import Ability, ProviderRejected, RemoteJob
from jobs_app.services.compatibility import cleaning, creating, steps, tiny_files
from jobs_app.services.compatibility.walk import NotYet, Outcome, Walk
from tests.factories import make_provider

pytestmark = pytest.mark.django_db
S = JobStatus
EMPTY: dict[str, Any] = {"files": [], "jobs_since": []}


class Client(SimpleNamespace):
    """Answers with what it was given; an exception is raised. Its lists are empty."""

    def __init__(self, **answers: Any) -> None:
        super().__init__(asked=[], answers=answers, profile=PROFILES["built_in"])

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*given: Any, **named: Any) -> Any:
            self.asked.append((name, *given))
            answer = self.answers.get(name, EMPTY.get(name))
            if callable(answer):
                answer = answer(*given, **named)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask

    def told(self, name: str) -> list[Any]:
        return [given for asked, *given in self.asked if asked == name]


def walk(client: Client, **memory: Any) -> Walk:
    provider = make_provider()
    check = ProviderCheck.objects.create(
        provider=provider,
        base_url=provider.base_url,
        base_model="m",
        memory={"file": "file-1", "job": "ftjob-1", "attempt": 1, **memory},
        n_total=len(steps.STEPS),
    )
    assert runs.claim(check)
    return Walk(check, client)  # type: ignore[arg-type]


def no(status: int = 400, reason: str = "refused") -> ProviderRejected:
    return ProviderRejected("No.", status=status, reason=reason)


def job(status: JobStatus | None = S.RUNNING, **fields: Any) -> RemoteJob:
    return RemoteJob(**{"id": "ftjob-1", "status": status, **fields})


def waits(step: Callable[[Walk], Outcome], on: Walk, times: int) -> Outcome:
    """It waits so often, and then says what it makes of that."""
    for _time in range(times):
        with pytest.raises(NotYet):
            step(on)
    return step(on)


# What the provider says of itself ---------------------------------------------------


@pytest.mark.parametrize(
    ("model", "names", "result"),
    [
        ("m", ["m", "n"], "works"),
        ("m", ["n"], "unclear"),
        ("m", [], "works"),
        ("", ["n"], "works"),
    ],
)
def test_a_model_that_is_not_listed_is_doubtful(model, names, result):
    on = walk(Client(models=names))
    on.check.base_model = model
    assert steps.list_models(on).result == result


@pytest.mark.parametrize(
    ("status", "result", "words"),
    [
        (("processed", ""), "works", ""),
        (("error", "line 3"), "fails", "line 3"),
        (("error", ""), "fails", "error"),
        (None, "fails", "deleted"),
    ],
)
def test_a_file_is_read_or_it_is_not(status, result, words):
    outcome = steps.wait_for_file(walk(Client(file_status=status)))
    assert (outcome.result, outcome.words) == (result, words)
    assert outcome.is_last is (result == "fails")


def test_a_file_that_is_never_read_is_waited_for_and_then_doubtful():
    on = walk(Client(file_status=("processing", "")))
    assert waits(steps.wait_for_file, on, steps.WAITS).result == "unclear"


def test_an_upload_that_was_announced_is_taken_back():
    client = Client(start_upload=SimpleNamespace(id="upload-1"))
    assert steps.try_uploads(walk(client)).result == "works"
    assert client.told("cancel_upload") == [["upload-1"]]


# Lists ------------------------------------------------------------------------------


def test_without_a_key_of_the_job_none_is_looked_for():
    client = Client()
    outcome = steps.find_by_key(walk(client, job_key=""))
    assert outcome.found == {Ability.LAUNCH_KEY: False}
    assert client.asked == []


def test_a_list_that_lags_behind_is_waited_for():
    on = walk(Client(jobs_with_key=[]), job_key="k")
    outcome = waits(steps.find_by_key, on, 3)
    assert outcome.found == {Ability.LAUNCH_KEY: False}


@pytest.mark.parametrize("is_filtered", [True, False])
def test_a_list_that_shows_others_as_well_is_not_filtered(is_filtered):
    listed = [job(launch_key="k"), job(id="ftjob-2", launch_key="another")]
    client = Client(jobs_with_key=listed[:1] if is_filtered else listed)
    outcome = steps.find_by_key(walk(client, job_key="k"))
    assert outcome.found == {Ability.LAUNCH_KEY: True}
    assert ("cannot be filtered" in outcome.words) is not is_filtered


def test_events_are_waited_for_and_then_doubtful():
    assert waits(steps.read_events, walk(Client(events=[])), 3).result == "unclear"
    assert steps.read_events(walk(Client(events=["one"]))).result == "works"


def test_checkpoints_are_asked_for():
    with pytest.raises(ProviderRejected):
        steps.read_checkpoints(walk(Client(checkpoints=no())))


# Pause and cancel -------------------------------------------------------------------


def test_what_ended_is_not_paused():
    client = Client(retrieve=job(S.SUCCEEDED))
    assert steps.pause_and_resume(walk(client)).result == "unclear"
    assert not client.told("pause")


def test_a_job_that_runs_is_paused_once_and_resumed():
    client = Client(retrieve=job(), resume=no())
    on = walk(client)
    for _time in range(2):
        with pytest.raises(ProviderRejected):
            steps.pause_and_resume(on)
    client.answers["resume"] = None

    assert steps.pause_and_resume(on).found == {Ability.PAUSE: True}
    assert (len(client.told("pause")), len(client.told("resume"))) == (1, 3)


@pytest.mark.parametrize(
    ("kind", "status", "n_waits"),
    [
        ("built_in", S.QUEUED, steps.WAITS),
        ("built_in", S.RUNNING, 0),
        ("openai", S.QUEUED, 0),
    ],
)
def test_where_it_costs_nothing_a_job_is_waited_for_to_run(kind, status, n_waits):
    client = Client(retrieve=job(status))
    client.profile = PROFILES[kind]
    outcome = waits(steps.pause_and_resume, walk(client), n_waits)
    assert outcome.result == "works"


@pytest.mark.parametrize(
    ("status", "reason", "is_clear"),
    [
        (S.QUEUED, "conflict", False),
        (S.QUEUED, "not_found", True),
        (S.RUNNING, "conflict", True),
    ],
)
def test_a_no_says_something_only_where_the_job_could_be_paused(
    status, reason, is_clear
):
    client = Client(retrieve=job(status), pause=no(reason=reason))
    client.profile = PROFILES["openai"]
    if is_clear:
        with pytest.raises(ProviderRejected):
            steps.pause_and_resume(walk(client))
    else:
        assert steps.pause_and_resume(walk(client)).result == "unclear"


@pytest.mark.parametrize(
    ("before", "after", "result", "n_asked"),
    [
        (S.RUNNING, S.CANCELLED, "works", 1),
        (None, S.CANCELLED, "works", 1),
        (S.CANCELLED, None, "works", 0),
        (S.SUCCEEDED, None, "unclear", 0),
        (S.RUNNING, S.SUCCEEDED, "unclear", 1),
    ],
)
def test_what_can_be_cancelled_is(before, after, result, n_asked):
    client = Client(retrieve=job(before), cancel=job(after))
    assert steps.cancel(walk(client)).result == result
    assert len(client.told("cancel")) == n_asked


def test_a_job_that_does_not_stop_is_waited_for_and_then_doubtful():
    client = Client(retrieve=job(), cancel=job())
    assert waits(steps.cancel, walk(client), steps.WAITS).result == "unclear"


# Making jobs ------------------------------------------------------------------------


def takes(*refused: str, status: int = 400) -> Callable[..., Any]:
    """Creates a job, unless it is asked with one of these fields."""

    def create(**asked: Any) -> Any:
        return no(status) if any(asked.get(name) for name in refused) else job()

    return create


def test_only_what_is_refused_is_said_to_be():
    on = walk(Client(create_job=takes("seed", "suffix")))
    outcome = creating.create_job(on)
    refused = {each for each, has in outcome.found.items() if not has}
    assert refused == {Ability.SEED, Ability.SUFFIX}
    for ability in creating.EXTRAS:
        assert (str(ability.label) in outcome.words) is (ability in refused)


def test_what_is_refused_only_together_is_said_so():
    def create(**asked: Any) -> Any:
        return no() if asked.get("seed") and asked.get("suffix") else job()

    client = Client(create_job=create)
    outcome = creating.create_job(walk(client))
    assert all(outcome.found.values())
    assert "all at once" in outcome.words
    assert len(client.told("cancel")) == len(creating.EXTRAS)


@pytest.mark.parametrize("fields", [("seed", "suffix"), ("sends_metadata",)])
def test_a_no_that_is_not_about_the_fields_ends_the_step(fields):
    client = Client(create_job=takes(*fields, status=403))
    with pytest.raises(ProviderRejected):
        creating.create_job(walk(client))
    assert len(client.told("create_job")) == 1


def test_a_no_to_one_field_that_is_not_about_it_ends_the_step():
    def create(**asked: Any) -> Any:
        n_asked = len(client.told("create_job"))
        return [no(400), job(), no(403)][n_asked - 1]

    client = Client(create_job=create)
    with pytest.raises(ProviderRejected):
        creating.create_job(walk(client))


def test_each_attempt_has_keys_of_its_own():
    keys: list[Any] = []

    def create(**asked: Any) -> RemoteJob:
        keys.append(asked["launch_key"])
        return job()

    on = walk(Client(create_job=create))
    creating.create_job(on)
    creating.create_job(on)
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [(("error", "line 3"), "line 3"), (("error", ""), "error"), (None, "deleted")],
)
def test_preferences_that_cannot_be_read_are_not_trained_on(status, words):
    client = Client(file_status=status)
    outcome = creating.create_dpo_job(walk(client, dpo_file="file-2"))
    assert (outcome.words, outcome.found) == (words, {Ability.DPO: False})
    assert not client.told("create_job")


@pytest.mark.parametrize(("method", "has"), [("dpo", True), ("", False)])
def test_a_job_about_preferences_says_that_it_is(method, has):
    answers = {"file_status": ("processed", ""), "create_job": job(method=method)}
    client = Client(upload="file-2", **answers)
    on = walk(client)
    assert creating.create_dpo_job(on).found == {Ability.DPO: has}
    assert client.told("cancel") == [["ftjob-1"]]
    assert on.recall("dpo_file") == "file-2"


def test_preferences_are_waited_for_until_they_are_read():
    on = walk(Client(file_status=("processing", ""), create_job=job()), dpo_file="f")
    assert waits(creating.create_dpo_job, on, 6).result == "fails"


def test_the_rows_of_both_methods_are_those_of_the_contract():
    for method, field in [("supervised", b'"messages"'), ("dpo", b"preferred_output")]:
        assert field in tiny_files.content(method)
        assert (b"preferred" in tiny_files.content(method)) is (method == "dpo")


def test_a_tiny_file_is_written_before_it_is_sent():
    with tiny_files.outgoing(walk(Client()), "dpo") as file:
        assert file.path.read_bytes() == tiny_files.content("dpo")


# Cleaning ---------------------------------------------------------------------------


def stored(name: str, id: str) -> SimpleNamespace:
    return SimpleNamespace(name=name, id=id)


def test_only_files_of_this_check_are_its_files():
    client = Client()
    on = walk(client, file="", dpo_file=None)
    ours = tiny_files.name_of(on.check, "dpo")
    client.answers["files"] = [stored(ours, "file-7"), stored("theirs", "file-8")]
    assert cleaning.files_of_check(on) == ["file-7"]


def test_only_jobs_of_its_files_that_still_run_are_cancelled():
    jobs = [
        job(id="ours", training_file="file-1"),
        job(id="theirs", training_file="file-9"),
        job(S.SUCCEEDED, id="over", training_file="file-1"),
    ]
    client = Client(jobs_since=jobs)
    assert cleaning.cancel_jobs(walk(client)) == []
    assert client.told("cancel") == [["ours"]]


def test_what_does_not_let_itself_be_removed_is_named():
    jobs = [job(training_file="file-1")]
    client = Client(jobs_since=jobs, cancel=no(), delete_file=no())
    outcome = cleaning.clean_up(walk(client))
    assert outcome.result == "fails"
    assert "ftjob-1, file-1" in outcome.words


def test_what_was_removed_is_not_named():
    client = Client()
    assert cleaning.clean_up(walk(client)).result == "works"
    assert client.told("delete_file") == [["file-1"]]
