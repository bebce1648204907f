"""What is done around a provider's answer: closed, told apart, and put into words."""

from typing import Any

import httpx2
import pytest
from openai import APIConnectionError, APITimeoutError

from jobs_app import providers
from jobs_app.kinds import choices
from jobs_app.log_fields import about_provider
from jobs_app.models import Provider
from jobs_app.providers import ProviderRejected, ProviderUnavailable, network
from jobs_app.providers.errors import explain
from jobs_app.providers.limits import CappedStream, ResponseTooLarge
from jobs_app.providers.network import CappedTransport, result_of
from jobs_app.providers.sentences import reason_of
from tests.factories import make_provider
from tests.jobs_app.fake_provider import API_KEY, FakeProvider

pytestmark = pytest.mark.django_db
REQUEST = httpx2.Request("GET", "https://models.example/v1/models")


class Bytes(httpx2.SyncByteStream):
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def of_kind(kind: str, fake: FakeProvider, **fields: Any) -> Provider:
    given = {"base_url": fake.base_url, "api_key": API_KEY, **fields}
    return make_provider(kind=kind, **given)


def test_an_answer_that_is_left_is_closed():
    stream = Bytes()
    CappedStream(stream).close()
    assert stream.is_closed


def test_an_answer_that_is_refused_is_closed(monkeypatch):
    stream = Bytes()
    answer = httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=stream)
    monkeypatch.setattr(
        network.PinnedTransport, "handle_request", lambda *_args: answer
    )

    with pytest.raises(ResponseTooLarge):
        CappedTransport(None).handle_request(REQUEST)  # type: ignore[arg-type]
    assert stream.is_closed


@pytest.mark.parametrize(
    ("status", "result"),
    [(200, "ok"), (404, "refused"), (429, "limited"), (500, "broken"), (399, "ok")],
)
def test_answers_are_counted_by_what_they_mean(status, result):
    assert result_of(status) == result


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, "redirect"),
        (299, "refused"),
        (404, "not_found"),
        (500, "overloaded"),
        (501, "refused"),
        (418, "refused"),
    ],
)
def test_a_status_alone_has_a_reason(status, reason):
    assert reason_of(status, "") == reason


def test_connections_are_closed_behind_a_client(provider):
    with providers.connect(provider) as client:
        pass
    assert client._sdk.is_closed()


def test_a_file_that_is_not_there_has_no_state(provider, fake):
    fake.refuses("GET", "/v1/files/file-gone", 404, "No such file")
    with providers.connect(provider) as client:
        assert client.file_status("file-gone") is None


@pytest.mark.parametrize(
    ("told", "status"), [({"status": "error"}, "error"), ({}, "processed")]
)
def test_a_files_state_is_what_it_says_or_ready(provider, fake, told, status):
    fake.answers("GET", "/v1/files/file-1", 200, {"id": "file-1", **told})
    with providers.connect(provider) as client:
        assert client.file_status("file-1") == (status, "")


def test_without_a_version_of_its_own_azure_gets_the_kinds(fake):
    provider = of_kind("azure_classic", fake, base_url=f"http://{fake.host}")
    fake.answers("GET", ".*", 200, {"object": "list", "data": []})
    with providers.connect(provider) as client:
        client.models()
    assert fake.requests[0].query == {"api-version": "2025-04-01-preview"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [("openai", b""), ("litellm", b'{"custom_llm_provider":"openai"}')],
)
def test_an_upload_is_taken_back_with_what_goes_with_every_call(fake, kind, body):
    fake.answers("POST", "/v1/uploads/upload-1/cancel", 200, {"id": "upload-1"})
    with providers.connect(of_kind(kind, fake)) as client:
        client.cancel_upload("upload-1")
    [request] = fake.requests
    assert request.body == body


def test_an_error_without_advice_is_what_happened():
    error = ProviderRejected("No.")
    assert (str(error), error.happened, error.advice) == ("No.", "No.", "")
    whole = ProviderRejected("No. Ask.", happened="No.")
    assert (whole.happened, whole.advice) == ("No.", "Ask.")


def test_silence_is_no_lost_connection():
    provider = make_provider()
    assert explain(APITimeoutError(request=REQUEST), provider).reason == "no_answer"


def test_a_lost_connection_is_told_with_its_cause():
    lost = APIConnectionError(message="Connection error.", request=REQUEST)
    assert "(Connection error.)" in str(explain(lost, make_provider()))

    lost.__cause__ = OSError("No route.")
    assert "(No route.)" in str(explain(lost, make_provider()))


def test_any_other_kind_comes_last_in_the_choice():
    kinds = [kind for kind, _name in choices()]
    assert kinds == [*sorted(set(kinds) - {"compatible"}), "compatible"]


@pytest.mark.parametrize(
    ("exc", "problem"),
    [
        (ProviderRejected("No.", status=403, code="quota"), "quota"),
        (ProviderRejected("No.", status=403), 403),
        (ProviderUnavailable("Silent."), "ProviderUnavailable"),
        (OSError("Full."), "OSError"),
    ],
)
def test_a_log_line_names_the_problem_by_its_shortest_name(exc, problem):
    assert about_provider(make_provider(), exc)["problem"] == problem
