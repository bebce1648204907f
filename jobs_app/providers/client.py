"""One provider's fine-tuning API, spoken through the openai SDK."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

import httpx2
from django.utils.translation import gettext as _
from openai import NotFoundError, OpenAI
from pydantic import BaseModel

from jobs_app.addresses import (
    RefusedAddress,
    check_base_url,
    endpoint_of,
    is_allowed_by_settings,
)
from jobs_app.encryption import UnreadableSecret
from jobs_app.models import Provider, ProviderKind
from jobs_app.providers.errors import (
    LIBRARY_ERRORS,
    ProviderRejected,
    ProviderUnavailable,
    explain,
)
from jobs_app.providers.limits import CONNECT_SECONDS, Deadline
from jobs_app.providers.network import http_client
from jobs_app.providers.plain import plain_text
from jobs_app.providers.wire import (
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
    Reply,
    Unintelligible,
    checkpoint_of,
    event_of,
    fields_of,
    id_of,
    job_of,
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
MAX_LISTED = 10_000  # a provider that lists without end is left there
ENOUGH_KNOWN_EVENTS = 20
LAUNCH_KEY = "launch_key"


def connect(provider: Provider, *, max_seconds: float = 90) -> "ProviderClient":
    """A client for a provider; everything done through it ends within `max_seconds`.

    Raises:
        ProviderRejected: the provider's address or key cannot be used.
    """
    try:
        key = provider.api_key
        if provider.kind != ProviderKind.BUILT_IN:
            check_base_url(provider.base_url)
        endpoint = endpoint_of(provider.base_url)
    except (UnreadableSecret, RefusedAddress) as exc:
        raise ProviderRejected(f"{provider}: {exc}") from exc
    if not key or not key.isascii() or not key.isprintable():
        raise ProviderRejected(
            _(
                "%(provider)s has no usable API key. An owner of the team can enter it "
                "in the admin under Providers."
            )
            % {"provider": provider}
        )
    is_built_in = provider.kind == ProviderKind.BUILT_IN
    deadline = Deadline(max_seconds)
    http = http_client(
        endpoint,
        api_key=key,
        is_trusted=is_built_in or is_allowed_by_settings(endpoint),
        deadline=deadline,
    )
    sdk = OpenAI(
        api_key=key,
        base_url=provider.base_url,
        organization=None,
        project=None,
        max_retries=0,  # the next tick tries again, and a lost answer is no loss
        http_client=http,
    )
    return ProviderClient(provider, sdk, deadline)


class ProviderClient:
    """Raises ProviderUnavailable or ProviderRejected, and nothing of the SDK's."""

    def __init__(self, provider: Provider, sdk: OpenAI, deadline: Deadline) -> None:
        self.provider = provider
        self.deadline = deadline
        self._sdk = sdk

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

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except LIBRARY_ERRORS as exc:
            raise explain(exc, self.provider) from exc
        except NOT_UNDERSTOOD as exc:
            # The SDK takes the answer's shape for granted, and so may stumble.
            raise ProviderUnavailable(
                _("%(provider)s gave an answer that makes no sense.")
                % {"provider": self.provider}
            ) from exc

    def find_job(self, launch_key: UUID) -> RemoteJob | None:
        """The job that carries our key, if the provider has one."""
        with self._explained():
            jobs = self._sdk.fine_tuning.jobs.list(
                limit=PAGE_SIZE, metadata={LAUNCH_KEY: str(launch_key)}
            )
            for job in listed(jobs):
                # Servers that know no filter list everything.
                metadata = fields_of(fields_of(job).get("metadata"))
                if metadata.get(LAUNCH_KEY) == str(launch_key):
                    return job_of(job)
        return None

    def upload(self, path: Path, name: str) -> str:
        """Send a training file. Returns its id; it may still be in processing."""
        with path.open("rb") as file, self._explained():
            answer = self._sdk.files.create(file=(name, file), purpose="fine-tune")
            return id_of(answer)

    def file_status(self, file_id: str) -> tuple[str, str] | None:
        """The provider's word for a file's state and its explanation; None if gone."""
        with self._explained():
            try:
                given = fields_of(self._sdk.files.retrieve(file_id))
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
        hyperparameters: dict[str, Any] | None = None,
        suffix: str = "",
        seed: int | None = None,
    ) -> RemoteJob:
        """Start a training run. Never call it again without find_job in between."""
        asked: dict[str, Any] = {
            "validation_file": validation_file,
            "suffix": suffix,
            "seed": seed,
        }
        supervised = {"hyperparameters": hyperparameters} if hyperparameters else {}
        method: Any = {"type": "supervised", "supervised": supervised}
        with self._explained():
            answer = self._sdk.fine_tuning.jobs.create(
                model=base_model,
                training_file=training_file,
                method=method,
                metadata={LAUNCH_KEY: str(launch_key)},
                extra_headers={"Idempotency-Key": str(launch_key)},
                **{k: v for k, v in asked.items() if v not in ("", None)},
            )
            return job_of(answer)

    def retrieve(self, job_id: str) -> RemoteJob:
        with self._explained():
            return job_of(self._sdk.fine_tuning.jobs.retrieve(job_id))

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
            pages = self._sdk.fine_tuning.jobs.list_events(job_id, limit=PAGE_SIZE)
            for event in map(event_of, listed(pages)):
                if not is_known(event.id):
                    new.append(event)
                    n_known_in_a_row = 0
                elif (n_known_in_a_row := n_known_in_a_row + 1) == ENOUGH_KNOWN_EVENTS:
                    break
        return new[::-1]

    def checkpoints(self, job_id: str) -> list[RemoteCheckpoint]:
        with self._explained():
            pages = self._sdk.fine_tuning.jobs.checkpoints.list(job_id, limit=PAGE_SIZE)
            found = map(checkpoint_of, listed(pages))
            return [each for each in found if each is not None]

    def cancel(self, job_id: str) -> RemoteJob:
        with self._explained():
            return job_of(self._sdk.fine_tuning.jobs.cancel(job_id))

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
        with self._explained():
            return [id_of(each) for each in listed(self._sdk.models.list())]


def listed(pages: Any) -> Iterator[Any]:
    """The items of all pages, until one comes twice.

    A server that ignores `after` but says has_more would be read for ever.
    """
    if not isinstance(pages, BaseModel):
        raise Unintelligible("no list")  # a web page, say, which the SDK hands on
    seen = set()
    for item in islice(pages, MAX_LISTED):
        if (item_id := fields_of(item).get("id")) in seen:
            return
        if item_id is not None:
            seen.add(item_id)
        yield item
