"""What leaves for each kind of provider: bodies, headers, addresses, files."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from jobs_app import kinds, providers
from jobs_app.kinds import profile_of
from jobs_app.models import AT_PROVIDER, FINISHED, Provider
from jobs_app.providers import PROFILES, OutgoingFile, bodies
from tests.factories import make_provider
from tests.jobs_app.fake_provider import API_KEY, FakeProvider, Request

KEY = UUID("00000000-0000-4000-8000-000000000001")
METADATA = {"metadata": {"launch_key": str(KEY)}}
BASICS = {"model": "base", "training_file": "file-1", "validation_file": "file-2"}
EPOCHS = {"n_epochs": 3}
SUPERVISED = {
    "method": {"type": "supervised", "supervised": {"hyperparameters": EPOCHS}}
}
NAMED = {"suffix": "mine", "seed": 7}

BODIES: dict[str, dict[str, Any]] = {
    "built_in": {**BASICS, **SUPERVISED, **NAMED, **METADATA},
    "openai": {**BASICS, **SUPERVISED, **NAMED, **METADATA},
    "compatible": {**BASICS, **SUPERVISED, **NAMED, **METADATA},
    "azure": {
        **BASICS,
        **SUPERVISED,
        **NAMED,
        **METADATA,
        "trainingType": "globalstandard",
    },
    "azure_classic": {
        **BASICS,
        **SUPERVISED,
        **NAMED,
        **METADATA,
        "trainingType": "globalstandard",
    },
    "nebius": {
        **BASICS,
        **NAMED,
        **METADATA,
        "hyperparameters": {"lora": True, "n_epochs": 3},
    },
    "litellm": {
        **BASICS,
        **SUPERVISED,
        **NAMED,
        **METADATA,
        "custom_llm_provider": "openai",
    },
}
every_kind = pytest.mark.parametrize("kind", sorted(PROFILES))
azure_kinds = pytest.mark.parametrize("kind", ["azure", "azure_classic"])


def of_kind(kind: str, fake: FakeProvider, **fields: Any) -> Provider:
    return make_provider(kind=kind, base_url=fake.base_url, api_key=API_KEY, **fields)


def create(provider: Provider, fake: FakeProvider, **changes: Any) -> Request:
    """Create a job there. Returns the request that left."""
    fake.answers("POST", ".*", 200, {"id": "ftjob-1", "status": "queued"})
    asked: dict[str, Any] = {
        "base_model": "base",
        "training_file": "file-1",
        "validation_file": "file-2",
        "hyperparameters": {"n_epochs": 3, "batch_size": "auto"},
        "suffix": "mine",
        "seed": 7,
        "launch_key": KEY,
        **changes,
    }
    with providers.connect(provider) as client:
        client.create_job(**asked)
    return fake.requests[-1]


def test_the_body_of_every_kind_is_known():
    assert set(PROFILES) == set(BODIES)


def test_one_file_more_is_one_kind_more(monkeypatch, tmp_path):
    (tmp_path / "newcomer.py").write_text(
        "from jobs_app.kinds.profile import Profile\n"
        "PROFILE = Profile(kind='newcomer', name='Newcomer')\n"
    )
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])

    assert set(kinds._profiles()) == {*PROFILES, "newcomer"}


@every_kind
@pytest.mark.django_db
def test_the_body_that_creates_a_job(kind, fake):
    assert create(of_kind(kind, fake), fake).json == BODIES[kind]


@every_kind
@pytest.mark.django_db
def test_the_key_goes_in_one_header_only(kind, fake):
    headers = create(of_kind(kind, fake), fake).headers

    carrying = {name: value for name, value in headers.items() if API_KEY in value}
    azure = {"api-key": API_KEY}
    bearer = {"authorization": f"Bearer {API_KEY}"}
    assert carrying == (azure if "azure" in kind else bearer)
    assert "Bearer" not in str(headers) or carrying == bearer


@every_kind
@pytest.mark.django_db
def test_the_launch_key_goes_along_as_a_header_too(kind, fake):
    assert create(of_kind(kind, fake), fake).headers["idempotency-key"] == str(KEY)


@pytest.mark.django_db
def test_the_classic_azure_has_a_version_in_every_address(fake):
    provider = of_kind("azure_classic", fake, api_version="2024-10-21")
    provider.base_url = provider.key_base_url = f"http://{fake.host}"
    request = create(provider, fake)

    assert request.path == "/openai/fine_tuning/jobs"
    assert request.query == {"api-version": "2024-10-21"}


@pytest.mark.django_db
def test_the_classic_azure_asks_a_model_by_its_deployment(fake):
    provider = of_kind("azure_classic", fake)
    provider.base_url = provider.key_base_url = f"http://{fake.host}"
    answer = {"choices": [{"message": {"content": "yes"}}]}
    fake.answers("POST", ".*", 200, answer)

    with providers.connect(provider) as client:
        client.chat(model="mine", messages=[], max_tokens=1)

    [request] = fake.requests
    assert request.path == "/openai/deployments/mine/chat/completions"


def send_file(provider: Provider, path: Path) -> str:
    prefix = profile_of(provider).file_prefix
    with providers.connect(provider) as client:
        return client.upload(OutgoingFile(path, "train.jsonl", 10, prefix))


@azure_kinds
@pytest.mark.django_db
def test_at_azure_a_file_begins_with_a_byte_order_mark(kind, fake, tmp_path):
    content = b'{"messages": []}\n' * 9000
    (tmp_path / "train.jsonl").write_bytes(content)
    fake.answers("POST", ".*", 200, {"id": "file-1"})

    send_file(of_kind(kind, fake), tmp_path / "train.jsonl")

    assert b"\r\n\xef\xbb\xbf" + content in fake.requests[-1].body


@pytest.mark.django_db
def test_elsewhere_a_file_goes_as_it_is(fake, tmp_path):
    (tmp_path / "train.jsonl").write_bytes(b"{}\n")

    send_file(of_kind("openai", fake), tmp_path / "train.jsonl")

    assert b"\r\n{}\n" in fake.requests[-1].body


@pytest.mark.django_db
def test_litellm_is_told_in_every_call_whom_it_stands_for(fake, tmp_path):
    provider = of_kind("litellm", fake, extra_body={"custom_llm_provider": "azure"})
    job_id = fake.add_job()["id"]
    (tmp_path / "train.jsonl").write_bytes(b"{}\n")

    file_id = send_file(provider, tmp_path / "train.jsonl")
    with providers.connect(provider) as client:
        client.file_status(file_id)
        client.retrieve(job_id)
        client.find_job(KEY)
        client.events(job_id, is_known=bool)
        client.checkpoints(job_id)
        client.cancel(job_id)

    upload, *gets, cancel = fake.requests
    assert b'name="custom_llm_provider"\r\n\r\nazure' in upload.body
    assert [get.query["custom_llm_provider"] for get in gets] == ["azure"] * 5
    assert cancel.json == {"custom_llm_provider": "azure"}


@pytest.mark.django_db
def test_elsewhere_a_cancel_has_no_body(fake):
    job_id = fake.add_job()["id"]

    with providers.connect(of_kind("openai", fake)) as client:
        client.cancel(job_id)

    assert fake.requests[-1].body == b""


@pytest.mark.django_db
def test_a_providers_own_fields_go_over_those_of_its_kind(fake):
    own = {"hyperparameters": {"lora_r": 16, "lora": None}, "tag": 1, "model": "evil"}
    body = create(of_kind("nebius", fake, extra_body=own), fake).json

    assert body["hyperparameters"] == {"lora_r": 16, "n_epochs": 3}
    assert (body["tag"], body["model"]) == (1, "base")


@pytest.mark.django_db
def test_null_takes_a_field_of_the_kind_away(fake):
    provider = of_kind("azure", fake, extra_body={"trainingType": None})

    assert "trainingType" not in create(provider, fake).json


@pytest.mark.django_db
def test_preference_training_is_asked_for_by_its_method(fake):
    body = create(of_kind("openai", fake), fake, method="dpo").json

    assert body["method"] == {"type": "dpo", "dpo": {"hyperparameters": EPOCHS}}


@every_kind
def test_a_kind_leads_every_status_word_to_a_status_of_ours(kind):
    assert set(PROFILES[kind].status_words.values()) <= AT_PROVIDER | FINISHED


@azure_kinds
@pytest.mark.django_db
def test_azures_pending_is_queued(kind, fake):
    job_id = fake.add_job(status="pending")["id"]
    fake.answers("GET", ".*", 200, fake.jobs[job_id])

    with providers.connect(of_kind(kind, fake)) as client:
        assert client.retrieve(job_id).status == "queued"


@pytest.mark.parametrize(
    "header", ["x-request-id", "apim-request-id", "x-litellm-call-id", "request-id"]
)
@pytest.mark.django_db
def test_answers_and_errors_carry_the_providers_name_for_them(header, fake):
    job_id = fake.add_job()["id"]
    path = f"/v1/fine_tuning/jobs/{job_id}"
    no_other = {"x-request-id": ""}
    first, second = {**no_other, header: "req-1"}, {**no_other, header: "req-2"}
    fake.answers("GET", path, 200, fake.jobs[job_id], headers=first)
    fake.answers("GET", path, 404, {}, headers=second)

    with providers.connect(of_kind("openai", fake)) as client:
        assert client.retrieve(job_id).request_id == "req-1"
        with pytest.raises(providers.ProviderRejected) as raised:
            client.retrieve(job_id)
    assert raised.value.request_id == "req-2"


@pytest.mark.django_db
def test_a_failed_connection_does_not_carry_the_name_of_an_earlier_answer(fake):
    fake.answers("GET", "/v1/models", 200, {"data": []}, headers={"x-request-id": "r"})
    fake.hangs("GET", "/v1/models", 1)

    with providers.connect(of_kind("openai", fake), max_seconds=0.5) as client:
        client.models()
        with pytest.raises(providers.ProviderUnavailable) as raised:
            client.models()
    assert raised.value.request_id == ""


@pytest.mark.django_db
def test_a_kind_whose_module_is_gone_is_any_others():
    assert profile_of(make_provider(kind="gone")).kind == "compatible"


@every_kind
def test_a_kind_tells_people_where_a_key_comes_from(kind):
    profile = PROFILES[kind]

    assert bool(profile.key_help and profile.base_url_help) == (
        profile.is_chosen_by_people
    )


@every_kind
def test_the_example_of_extra_fields_is_json(kind):
    example = PROFILES[kind].extra_body_example

    assert not example or isinstance(json.loads(example), dict)


def test_an_object_goes_over_what_is_none_and_the_other_way_round():
    profile = PROFILES["nebius"]

    assert bodies.extra_fields(profile, {"own": {"a": 1}})["own"] == {"a": 1}
    assert bodies.extra_fields(profile, {"hyperparameters": [1]}) == {
        "hyperparameters": [1]
    }


def test_knobs_stand_in_one_place_of_the_body():
    extra = {"hyperparameters": {"lora_r": 16}}
    body = bodies.job_body(PROFILES["openai"], extra)
    assert body == {"method": {"type": "supervised", "supervised": extra}}


def test_a_field_that_a_provider_took_away_goes_along_nowhere():
    assert bodies.companions(PROFILES["litellm"], {}) == {}
