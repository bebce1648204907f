import json

import pytest
from django.utils.timezone import now

from jobs_app.models import JobStatus
from jobs_app.questions import first_system_prompt, tuned_models
from teams_app.models import Role
from tests.factories import chat_lines, make_job, make_member, make_team, make_version

pytestmark = pytest.mark.django_db
UPDATE = {"HX-Request": "true"}


@pytest.fixture
def job(provider):
    return make_job(
        provider=provider, status=JobStatus.SUCCEEDED, fine_tuned_model="ft:base:x"
    )


@pytest.fixture(autouse=True)
def viewer(client, job):
    user = make_member(Role.VIEWER, job.team)
    client.force_login(user)
    return user


def add_checkpoint(job, step):
    return job.checkpoints.create(
        remote_id=f"c{step}",
        name=f"ft:base:x:step-{step}",
        step_number=step,
        created_at=now(),
    )


def ask(client, job, key="", **data):
    data = {"question": "How much damage?", "system": "", "tuned": "newest", **data}
    return client.post(f"/jobs/{job.pk}/ask/{key}", data, headers=UPDATE)


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_both_models_get_a_column_that_fetches_its_own_answer(client, job, fake):
    page = text(ask(client, job))

    assert f'hx-post="/jobs/{job.pk}/ask/base/" hx-trigger="load"' in page
    assert f'hx-post="/jobs/{job.pk}/ask/newest/" hx-trigger="load"' in page
    assert fake.requests == []


def test_an_answer_is_the_models(client, job, fake):
    answers = text(ask(client, job, "base/")), text(ask(client, job, "newest/"))
    asked = [request.json["model"] for request in fake.sent("POST", ".*")]

    assert asked == ["base-model", "ft:base:x"]
    assert all("How much damage?" in answer for answer in answers)  # the fake's echo


def test_the_system_prompt_goes_along(client, job, fake):
    ask(client, job, "base/", system="Be brief.")

    assert fake.requests[0].json["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How much damage?"},
    ]


def test_a_checkpoint_may_answer_instead(client, job, fake):
    checkpoint = add_checkpoint(job, 10)
    page = text(ask(client, job, tuned=checkpoint.pk))
    ask(client, job, f"{checkpoint.pk}/")

    assert "Checkpoint at step 10" in page
    assert fake.requests[0].json["model"] == checkpoint.name


def test_another_jobs_checkpoint_is_not_asked(client, job, fake):
    foreign = add_checkpoint(make_job(status=JobStatus.SUCCEEDED), 10)

    assert ask(client, job, f"{foreign.pk}/").status_code == 404
    assert fake.requests == []


@pytest.mark.parametrize("key", ["gpt-4o", "ft:base:x", "99999"])
def test_only_this_jobs_models_are_asked(client, job, fake, key):
    assert ask(client, job, f"{key}/").status_code == 404
    assert fake.requests == []


def test_an_empty_question_is_told(client, job):
    page = text(ask(client, job, question="  "))

    assert "This field is required." in page
    assert "hx-trigger" not in page


def test_what_a_model_says_is_text(client, job):
    hostile = "<script>alert(1)</script>"

    assert hostile not in text(ask(client, job, "base/", question=hostile))
    assert hostile not in text(ask(client, job, question=hostile))


def test_a_provider_that_fails_is_told_in_the_models_column(client, job, fake):
    fake.refuses("POST", "/v1/chat/completions", 404, "no such model")
    answer = text(ask(client, job, "newest/"))

    assert "no such model" in answer
    assert "notice--danger" in answer


def test_without_htmx_the_columns_come_as_a_page(client, job):
    page = client.post(f"/jobs/{job.pk}/ask/", {"question": "Why?", "tuned": "newest"})

    assert "<!doctype html>" in text(page)


def test_another_teams_models_are_not_asked(client, job, fake):
    client.force_login(make_member(Role.OWNER, make_team()))

    assert ask(client, job).status_code == 404
    assert ask(client, job, "base/").status_code == 404
    assert fake.requests == []


def test_asking_needs_a_post(client, job):
    assert client.get(f"/jobs/{job.pk}/ask/").status_code == 405
    assert client.get(f"/jobs/{job.pk}/ask/base/").status_code == 405


def test_the_newest_model_keeps_its_key_while_newer_ones_come(job):
    job.fine_tuned_model = ""
    first = add_checkpoint(job, 10)
    assert [m.key for m in tuned_models(job)] == ["newest"]

    add_checkpoint(job, 20)
    assert [m.key for m in tuned_models(job)] == ["newest", str(first.pk)]
    assert tuned_models(job)[0].name == "ft:base:x:step-20"

    job.fine_tuned_model = "ft:base:x"
    assert tuned_models(job)[0].name == "ft:base:x"


def test_the_page_starts_with_the_system_prompt_of_the_first_row(client, provider):
    turns = [
        {"role": "system", "content": "You explain <games>."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
    ]
    row = json.dumps({"messages": turns}).encode() + b"\n"
    version = make_version(training=row + chat_lines(10))
    job = make_job(dataset_version=version, status=JobStatus.RUNNING)
    client.force_login(make_member(Role.VIEWER, version.dataset.team))

    assert "You explain &lt;games&gt;." in text(client.get(f"/jobs/{job.pk}/"))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json\n",
        b"[]\n",
        b'{"messages": []}\n',
        b'{"messages": ["x"]}\n',
        b'{"messages": [{"role": "system", "content": [{"type": "text"}]}]}\n',
        b'{"messages": [{"role": "user", "content": "Hello?"}]}\n',
        b"\xff\n",
    ],
)
def test_an_odd_first_row_has_no_system_prompt(line):
    assert first_system_prompt(make_version(training=line)) == ""


def test_a_lost_file_has_no_system_prompt():
    version = make_version()
    version.training_file.delete(save=False)
    version.training_file.name = "versions/gone.jsonl"

    assert first_system_prompt(version) == ""
