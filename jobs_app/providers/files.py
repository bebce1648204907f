"""A provider's files, spoken of through the openai SDK."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Any, cast

from openai import NotFoundError, OpenAI

from guarded_calls.pinned import Deadline
from jobs_app.kinds import Profile
from jobs_app.models import Provider
from jobs_app.providers.listing import listed
from jobs_app.providers.outgoing import OutgoingFile
from jobs_app.providers.wire import (
    StoredFile,
    Unintelligible,
    Upload,
    file_of,
    id_of,
    upload_of,
)

FILES_PER_PAGE = 100
MIME_TYPE = "application/jsonl"


class FilesClient:
    """The part of a client that sends, lists and deletes files."""

    provider: Provider
    profile: Profile
    deadline: Deadline
    _sdk: OpenAI
    _companions: dict[str, Any]

    def _explained(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    @property
    def _purpose(self) -> Any:
        return self.profile.file_purpose

    def upload(self, file: OutgoingFile) -> str:
        """Send a file in one piece. Returns its id; it may still be in processing."""
        with file.open() as content, self._explained():
            named = (file.name, cast(IO[bytes], content))
            answer = self._sdk.files.create(
                file=named, purpose=self._purpose, extra_body=self._companions
            )
            return id_of(answer)

    def files(self) -> Iterator[StoredFile]:
        """The files that jobs may train on, newest first."""
        with self._explained():
            pages = self._sdk.files.list(
                limit=FILES_PER_PAGE,
                purpose=self._purpose,
                extra_query=self._companions,
            )
            for each in listed(pages):
                file = file_of(each)
                if file.purpose in {self._purpose, ""}:  # some know no filter
                    yield file

    def delete_file(self, file_id: str) -> None:
        """Delete a file; that it is gone already is as good."""
        with self._explained():
            try:
                self._sdk.files.delete(file_id, extra_query=self._companions)
            except NotFoundError:
                return

    def start_upload(self, file: OutgoingFile) -> Upload:
        """Announce a file that follows in parts."""
        with self._explained():
            return upload_of(
                self._sdk.uploads.create(
                    bytes=file.n_bytes,
                    filename=file.name,
                    mime_type=MIME_TYPE,
                    purpose=self._purpose,
                    extra_body=self._companions,
                )
            )

    def send_part(self, upload_id: str, file: OutgoingFile, number: int) -> str:
        """Send the part of this number, from 0. Returns the part's id."""
        with file.open_part(number) as part, self._explained():
            data = cast(IO[bytes], part)
            answer = self._sdk.uploads.parts.create(
                upload_id, data=data, extra_body=self._companions
            )
            return id_of(answer)

    def complete_upload(
        self, upload_id: str, part_ids: list[str], file: OutgoingFile
    ) -> str:
        """Make one file of the parts. Returns its id."""
        with self._explained():
            answer = self._sdk.uploads.complete(
                upload_id,
                part_ids=part_ids,
                md5=file.md5(),
                extra_body=self._companions,
            )
            if not (file_id := upload_of(answer).file_id):
                raise Unintelligible("no file")
            return file_id

    def cancel_upload(self, upload_id: str) -> None:
        """Take back a file that was announced."""
        with self._explained():
            self._sdk.uploads.cancel(upload_id, extra_body=self._companions or None)
