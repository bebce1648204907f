"""One provider's fine-tuning API, spoken through the openai SDK."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

import httpx2
from django.utils.translation import gettext as _
from openai import APIConnectionError, AzureOpenAI, NotFoundError, OpenAI

from guarded_calls.pinned import CONNECT_SECONDS, Deadline, always
from guarded_calls.sealing import UnreadableSecret
from jobs_app.addresses import (
    RefusedAddress,
    check_base_url,
    endpoint_of,
    is_allowed_by_settings,
)
from jobs_app.kinds import Profile, profile_of
from jobs_app.models import (
    Provider,
    RequestResult,
    count_in_minute,
    count_requests,
)
from jobs_app.providers.abilities import Ability, is_able
from jobs_app.providers.bodies import companions, extra_fields, job_body
from jobs_app.providers.errors import (
    LIBRARY_ERRORS,
    ProviderRejected,
    explain,
    no_sense,
)
from jobs_app.providers.files import FilesClient
from jobs_app.providers.listing import listed, newest_first_until
from jobs_app.providers.network import Answers, http_client
from jobs_app.providers.plain import plain_text
from jobs_app.providers.wire import (
    LAUNCH_KEY,
    JobsPage,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
    RemoteModel,
    Reply,
    Unintelligible,
    checkpoint_of,
    event_of,
    fields_of,
    job_of,
    jobs_of,
    model_of,
    reply_of,
)

NOT_UNDERSTOOD = (
    Unintelligible,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)
PAGE_SIZE = 100
ENOUGH_KNOWN_EVENTS = 20


def connect(
    provider: Provider,
    *,
    max_seconds: float = 90,
    before_sending: Callable[[], None] = always,
) -> "ProviderClient":
    """A client for a provider; everything done through it ends within `max_seconds`.

    Whatever `before_sending` raises keeps bytes from leaving, and comes out as
    ProviderUnavailable.

    Raises:
        ProviderRejected: the provider's address or key cannot be used.
    """
    profile = profile_of(provider)
    try:
        if not profile.is_own_server:
            check_base_url(provider.base_url)
        endpoint = endpoint_of(provider.base_url)
        key = usable_key(provider)
    except (UnreadableSecret, RefusedAddress) as exc:
        raise ProviderRejected(f"{provider}: {exc}") from exc
    deadline, answers = Deadline(max_seconds, before_sending), Answers()
    http = http_client(
        endpoint,
        api_key=key,
        is_trusted=profile.is_own_server or is_allowed_by_settings(endpoint),
        deadline=deadline,
        answers=answers,
        key_header=profile.key_header,
    )
    sdk = _sdk(provider, profile, key, http)
    return ProviderClient(provider, sdk, deadline, answers)


def usable_key(provider: Provider) -> str:
    """The key, if it was entered for this very address.

    Raises:
        ProviderRejected: there is none to be sent there.
        UnreadableSecret: it was encrypted with another SECRET_KEY.
    """
    key = provider.api_key if provider.key_fits else ""
    if not key or not key.isascii() or not key.isprintable():
        raise ProviderRejected(
            _(
                "%(provider)s has no usable API key. An owner of the team can enter it "
                "in the admin under Providers."
            )
            % {"provider": provider}
        )
    return key


def _sdk(provider: Provider, profile: Profile, key: str, http: httpx2.Client) -> OpenAI:
    """Everything is said here, so that nothing of the environment takes its place."""
    shared: dict[str, Any] = {
        "api_key": key,
        "organization": None,
        "project": None,
        "max_retries": 0,  # the next tick tries again, and a lost answer is no loss
        "http_client": http,
    }
    if not profile.api_version:
        return OpenAI(base_url=provider.base_url, **shared)
    return AzureOpenAI(
        azure_endpoint=provider.base_url.rstrip("/").removesuffix("/openai"),
        api_version=provider.api_version or profile.api_version,
        **shared,
    )


class ProviderClient(FilesClient):
    """Raises ProviderUnavailable or ProviderRejected, and nothing of the SDK's."""

    def __init__(
        self,
        provider: Provider,
        sdk: OpenAI,
        deadline: Deadline,
        answers: Answers,
    ) -> None:
        self.provider = provider
        self.profile = profile_of(provider)
        self.deadline = deadline
        self.n_reserved = 0  # requests that count already; see services.pace
        self._answers = answers
        self._sdk = sdk
        self._extra = extra_fields(self.profile, provider.extra_body)
        # LiteLLM wants them in every call: in the query of a GET, else in the body.
        self._companions = companions(self.profile, self._extra)

    def __repr__(self) -> str:
        return f"<ProviderClient {self.provider}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._sdk.close()
        if self.provider.pk:  # one that is only being tried is not counted
            count_requests(self.provider, self._answers.tally)
            n_uncounted = self._answers.tally.total() - self.n_reserved
            count_in_minute(self.provider, n_uncounted)

    @property
    def request_id(self) -> str:
        """The provider's name for its last answer; empty if it gave none."""
        return self._answers.request_id

    def _job(self, answer: Any) -> RemoteJob:
        return job_of(answer, self.profile.status_words, self.request_id)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except LIBRARY_ERRORS as exc:
            if isinstance(exc, APIConnectionError):
                self._answers.tally[RequestResult.UNREACHABLE] += 1
            raise explain(exc, self.provider, self.request_id) from exc
        except NOT_UNDERSTOOD as exc:
            # The SDK takes the answer's shape for granted, and so may stumble.
            raise no_sense(self.provider, self.request_id) from exc

    def find_job(self, launch_key: UUID) -> RemoteJob | None:
        """The job that carries our key, if the provider has one."""
        with self._explained():
            jobs = self._sdk.fine_tuning.jobs.list(
                limit=PAGE_SIZE,
                metadata={LAUNCH_KEY: str(launch_key)},
                extra_query=self._companions,
            )
            for job in listed(jobs):
                # Servers that know no filter list everything.
                metadata = fields_of(fields_of(job).get("metadata"))
                if metadata.get(LAUNCH_KEY) == str(launch_key):
                    return self._job(job)
        return None

    def file_status(self, file_id: str) -> tuple[str, str] | None:
        """The provider's word for a file's state and its explanation; None if gone."""
        with self._explained():
            try:
                given = fields_of(
                    self._sdk.files.retrieve(file_id, extra_query=self._companions)
                )
            except NotFoundError:
                return None
            # Newer servers leave the deprecated status out: then it is ready.
            status = plain_text(given.get("status"), 40) or "processed"
            return status, plain_text(given.get("status_details"), 500)

    def create_job(
        self,
        *,
        base_model: str,
        training_file: str,
        launch_key: UUID,
        validation_file: str = "",
        method: str = "supervised",
        hyperparameters: dict[str, Any] | None = None,
        suffix: str = "",
        seed: int | None = None,
        sends_metadata: bool | None = None,
    ) -> RemoteJob:
        """Start a training run. Never call it again without find_job in between.

        Args:
            sends_metadata: None: unless the provider refuses it.
        """
        if sends_metadata is None:
            sends_metadata = is_able(self.provider, Ability.METADATA)
        body = job_body(
            self.profile,
            self._extra,
            method=method,
            hyperparameters=hyperparameters,
            validation_file=validation_file,
            suffix=suffix,
            seed=seed,
            metadata={LAUNCH_KEY: str(launch_key)} if sends_metadata else {},
        )
        with self._explained():
            answer = self._sdk.fine_tuning.jobs.create(
                model=base_model,
                training_file=training_file,
                extra_body=body,
                # Who does not know the header passes it over; see the profile.
                extra_headers={"Idempotency-Key": str(launch_key)},
            )
            return self._job(answer)

    def jobs_with_key(self, launch_key: str) -> list[RemoteJob]:
        """What the list shows when it is filtered by our key; one page of it."""
        with self._explained():
            pages = self._sdk.fine_tuning.jobs.list(
                limit=PAGE_SIZE,
                metadata={LAUNCH_KEY: launch_key},
                extra_query=self._companions,
            )
            return [self._job(each) for each in islice(listed(pages), PAGE_SIZE)]

    def jobs_since(self, moment: datetime) -> list[RemoteJob]:
        """The newest jobs, back to those of that moment and some older ones."""
        with self._explained():
            pages = self._sdk.fine_tuning.jobs.list(
                limit=PAGE_SIZE, extra_query=self._companions
            )
            jobs = (self._job(each) for each in listed(pages))
            return list(newest_first_until(moment, jobs))

    def retrieve(self, job_id: str) -> RemoteJob:
        with self._explained():
            answer = self._sdk.fine_tuning.jobs.retrieve(
                job_id, extra_query=self._companions
            )
            return self._job(answer)

    def list_jobs(self, *, after: str = "", limit: int = PAGE_SIZE) -> JobsPage:
        """One page of the provider's jobs, newest first, behind the id `after`."""
        behind: Any = {"after": after} if after else {}
        with self._explained():
            answer = self._sdk.fine_tuning.jobs.list(
                limit=limit, extra_query=self._companions, **behind
            )
            return jobs_of(answer, self.profile.status_words, self.request_id)

    def file_content(self, file_id: str) -> bytes:
        """A file as the provider keeps it: some hand it out in base64."""
        with self._explained():
            answer = self._sdk.files.content(file_id, extra_query=self._companions)
            return answer.content

    def events(
        self, job_id: str, *, is_known: Callable[[str], bool]
    ) -> list[RemoteEvent]:
        """The events that are not known yet, oldest first.

        The list is read back, newest first, until there are only known ones. Not to
        the first of them: events of the same second may change places.
        """
        new: list[RemoteEvent] = []
        n_known_in_a_row = 0
        with self._explained():
            pages = self._sdk.fine_tuning.jobs.list_events(
                job_id, limit=PAGE_SIZE, extra_query=self._companions
            )
            for event in map(event_of, listed(pages)):
                if not is_known(event.id):
                    new.append(event)
                    n_known_in_a_row = 0
                elif (n_known_in_a_row := n_known_in_a_row + 1) == ENOUGH_KNOWN_EVENTS:
                    break
        return new[::-1]

    def checkpoints(self, job_id: str) -> list[RemoteCheckpoint]:
        with self._explained():
            pages = self._sdk.fine_tuning.jobs.checkpoints.list(
                job_id, limit=PAGE_SIZE, extra_query=self._companions
            )
            found = map(checkpoint_of, listed(pages))
            return [each for each in found if each is not None]

    def cancel(self, job_id: str) -> RemoteJob:
        return self._ask_of(job_id, self._sdk.fine_tuning.jobs.cancel)

    def pause(self, job_id: str) -> RemoteJob:
        return self._ask_of(job_id, self._sdk.fine_tuning.jobs.pause)

    def resume(self, job_id: str) -> RemoteJob:
        return self._ask_of(job_id, self._sdk.fine_tuning.jobs.resume)

    def _ask_of(self, job_id: str, call: Callable[..., Any]) -> RemoteJob:
        with self._explained():
            # An empty body is none at all: the contract's POSTs have none.
            return self._job(call(job_id, extra_body=self._companions or None))

    def chat(
        self,
        *,
        model: str,
        messages: list[dict[str, Any]],
        max_tokens: int,
        temperature: float = 0,
    ) -> Reply:
        # A model on two busy cores sends its first byte with its last.
        patience = httpx2.Timeout(self.deadline.left(), connect=CONNECT_SECONDS)
        with self._explained():
            answer = self._sdk.chat.completions.create(
                model=model,
                messages=cast(Any, messages),
                max_tokens=max_tokens,
                temperature=temperature,
                timeout=patience,
            )
            return reply_of(answer)

    def models(self) -> list[str]:
        return [model.name for model in self.listed_models()]

    def listed_models(self) -> list[RemoteModel]:
        with self._explained():
            return [model_of(each) for each in listed(self._sdk.models.list())]
