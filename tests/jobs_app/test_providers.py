import socket
import time

import pytest

from jobs_app import providers
from jobs_app.models import Provider
from jobs_app.providers import ProviderRejected, ProviderUnavailable, limits
from tests.factories import make_provider
from tests.jobs_app.fake_provider import API_KEY

MODELS = ("GET", "/v1/models")


def ask_for_models(provider: Provider, **kwargs) -> list[str]:
    with providers.connect(provider, **kwargs) as client:
        return client.models()


def test_the_fake_answers(provider):
    assert ask_for_models(provider) == ["base-model", "ft:base-model:x"]


def test_nothing_of_the_environment_reaches_a_provider(provider, fake, monkeypatch):
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "WEBHOOK_SECRET"):
        monkeypatch.setenv(f"OPENAI_{name}", "leak")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/leak")
    custom = "Authorization: Bearer leak\nX-Team: leak\nHost: leak.example"
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", custom)
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    ask_for_models(provider)

    [request] = fake.requests
    assert "leak" not in str(request.headers)
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["host"] == fake.host
    # What the SDK says of itself stays: providers count its retries by that.
    assert any(name.lower().startswith("x-stainless-") for name in request.headers)


def test_without_a_key_nothing_is_sent_even_if_the_environment_has_one(
    provider, fake, monkeypatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    provider.api_key = ""

    with pytest.raises(ProviderRejected, match="no usable API key"):
        ask_for_models(provider)
    assert fake.requests == []


@pytest.mark.parametrize("key", ["sk-\r\nX-Evil: 1", "sk-비밀", "sk-\x00"])
def test_a_key_that_is_no_header_is_refused(provider, key):
    provider.api_key = key

    with pytest.raises(ProviderRejected, match="API key"):
        ask_for_models(provider)


def test_a_private_address_is_not_called(provider, fake, settings):
    settings.PROVIDER_ALLOWED_HOSTS = []
    provider.base_url = fake.base_url.replace("http:", "https:")

    with pytest.raises(ProviderRejected, match="private network"):
        ask_for_models(provider)
    assert fake.requests == []


def test_plain_http_is_not_called(provider, fake, settings):
    settings.PROVIDER_ALLOWED_HOSTS = []

    with pytest.raises(ProviderRejected, match="https"):
        ask_for_models(provider)
    assert fake.requests == []


def test_the_built_in_server_needs_no_permission(provider, settings):
    settings.PROVIDER_ALLOWED_HOSTS = []
    provider.kind = "built_in"

    assert ask_for_models(provider)


def test_a_name_that_turns_private_after_the_check_is_not_called(db, monkeypatch):
    """Rebinding: the connection goes to an address that was judged, or nowhere."""
    asked = []

    def rebound(host, port, **kwargs):
        asked.append(host)
        address = "1.1.1.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected = []

    def refused(address, *args, **kwargs):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    monkeypatch.setattr(socket, "create_connection", refused)

    with pytest.raises(ProviderUnavailable):
        ask_for_models(make_provider(base_url="https://models.example/v1"))

    assert asked == ["models.example"]
    assert connected == [("1.1.1.1", 443)]


def test_redirects_are_not_followed(provider, fake):
    there = {"Location": f"{fake.base_url}/elsewhere"}
    fake.answers(*MODELS, 307, {}, headers=there)

    with pytest.raises(ProviderRejected, match="redirect"):
        ask_for_models(provider)
    assert len(fake.requests) == 1


def test_an_endless_answer_is_cut_off(provider, fake, monkeypatch):
    monkeypatch.setattr(limits, "MAX_RESPONSE_BYTES", 1000)
    fake.answers(*MODELS, 200, {"data": [{"id": "m" * 2000}]})

    with pytest.raises(ProviderRejected, match="too long"):
        ask_for_models(provider)


def test_compressed_answers_are_refused_because_their_size_is_unknown(provider, fake):
    fake.answers(*MODELS, 200, {}, headers={"Content-Encoding": "gzip"})

    with pytest.raises(ProviderRejected, match="compressed"):
        ask_for_models(provider)
    assert fake.requests[0].headers["accept-encoding"] == "identity"


def test_a_server_that_hangs_costs_no_more_than_the_deadline(provider, fake):
    fake.hangs(*MODELS, seconds=3)
    started = time.monotonic()

    with pytest.raises(ProviderUnavailable, match="in time"):
        ask_for_models(provider, max_seconds=0.5)
    assert time.monotonic() - started < 2


def test_a_server_that_drips_bytes_costs_no_more_than_the_deadline(provider, fake):
    fake.drips(*MODELS, every_seconds=0.1)
    started = time.monotonic()

    with pytest.raises(ProviderUnavailable, match="in time"):
        ask_for_models(provider, max_seconds=0.5)
    assert time.monotonic() - started < 2


def test_a_stopped_tuning_server_says_how_to_start_it(db):
    stopped = make_provider(kind="built_in", base_url="http://127.0.0.1:9/v1")

    with pytest.raises(ProviderUnavailable, match=r"\./run"):
        ask_for_models(stopped)


def test_a_stopped_server_elsewhere_says_where_it_should_be(db, settings):
    settings.PROVIDER_ALLOWED_HOSTS = ["127.0.0.1:9"]

    with pytest.raises(ProviderUnavailable, match=r"http://127\.0\.0\.1:9/v1"):
        ask_for_models(make_provider(base_url="http://127.0.0.1:9/v1"))


def test_nothing_is_retried_behind_our_back(provider, fake):
    fake.answers(*MODELS, 500, {}, times=9)

    with pytest.raises(ProviderUnavailable):
        ask_for_models(provider)
    assert len(fake.requests) == 1


def test_a_used_up_quota_is_not_worth_waiting_for(provider, fake):
    fake.refuses(*MODELS, 429, "You exceeded your quota", "insufficient_quota")

    with pytest.raises(ProviderRejected, match="billing"):
        ask_for_models(provider)


def test_an_error_page_is_never_shown(provider, fake):
    fake.answers(*MODELS, 502, b"<html><script>alert(1)</script></html>")

    with pytest.raises(ProviderUnavailable) as raised:
        ask_for_models(provider)
    assert "<" not in str(raised.value)


def test_a_web_page_instead_of_a_list_is_no_list(provider, fake):
    fake.answers(*MODELS, 200, b"<html>Welcome</html>")

    with pytest.raises(ProviderUnavailable, match="makes no sense"):
        ask_for_models(provider)


@pytest.mark.parametrize(
    "body", [[], "text", 7, None, {}, {"id": None}, {"id": 7}, {"id": "x" * 201}]
)
def test_a_job_without_a_usable_id_is_no_job(provider, fake, body):
    fake.answers("GET", "/v1/fine_tuning/jobs/.*", 200, body)

    with (
        pytest.raises(ProviderUnavailable, match="makes no sense"),
        providers.connect(provider) as client,
    ):
        client.retrieve("ftjob-1")


def test_long_words_of_the_provider_are_cut(provider, fake):
    fake.refuses(*MODELS, 400, "long " * 1000)

    with pytest.raises(ProviderRejected) as raised:
        ask_for_models(provider)
    assert len(str(raised.value)) < 700


def test_a_key_that_the_provider_repeats_is_taken_out_of_its_words(provider, fake):
    fake.refuses(*MODELS, 401, f"Incorrect key: {API_KEY}", "invalid_api_key")

    with pytest.raises(ProviderRejected) as raised:
        ask_for_models(provider)
    assert API_KEY not in str(raised.value)


def test_the_key_is_in_no_repr_and_no_log(provider, fake, caplog):
    caplog.set_level("DEBUG")
    with providers.connect(provider) as client:
        client.models()
        shown = f"{provider} {provider!r} {client!r} {vars(client)}"

    assert API_KEY not in shown
    assert API_KEY not in caplog.text
