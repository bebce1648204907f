"""Send a file in parts. Each part that arrived is kept, so whoever comes later goes on.

An upload that nobody completes ends by itself at the provider; then a new one begins.
"""

from datetime import timedelta

from django.utils.timezone import now
from django.utils.translation import gettext as _

from jobs_app.models import RemoteFile, RemotePart
from jobs_app.providers import OutgoingFile, ProviderClient, ProviderRejected
from jobs_app.services.waiting import NotYet

# The contract's hour, where the provider names no end.
UPLOAD_LIVES = timedelta(hours=1)
# No part begins with less time left: another submission goes on instead.
SECONDS_FOR_A_PART = 120.0
SECONDS_FOR_THE_END = 60.0
AGAIN_SECONDS = 1.0


def send_in_parts(client: ProviderClient, row: RemoteFile, file: OutgoingFile) -> str:
    """The id of the file, made of its parts.

    Raises:
        NotYet: the time of this submission is over, or the upload's; go on soon.
    """
    is_new = _begin(client, row, file)
    try:
        _send_missing(client, row, file)
        RemoteFile.objects.filter(pk=row.pk).update(sent_at=now())
        ids = list(row.parts.values_list("remote_id", flat=True))
        return client.complete_upload(row.upload_id, ids, file)
    except ProviderRejected as exc:
        if is_new:  # it is no relic that the provider has forgotten
            raise
        _drop(row)
        raise NotYet(_starts_anew(client), AGAIN_SECONDS) from exc


def _begin(client: ProviderClient, row: RemoteFile, file: OutgoingFile) -> bool:
    """True if a new upload had to be made."""
    soon = now() + timedelta(seconds=SECONDS_FOR_THE_END)
    if row.upload_id and row.upload_expires_at and row.upload_expires_at > soon:
        return False
    _drop(row)
    upload = client.start_upload(file)
    row.upload_id = upload.id
    row.upload_expires_at = upload.expires_at or now() + UPLOAD_LIVES
    row.save(update_fields=["upload_id", "upload_expires_at"])
    return True


def _drop(row: RemoteFile) -> None:
    row.parts.all().delete()
    row.upload_id, row.sent_at = "", None
    row.save(update_fields=["upload_id", "sent_at"])


def _send_missing(client: ProviderClient, row: RemoteFile, file: OutgoingFile) -> None:
    there = set(row.parts.values_list("number", flat=True))
    for number in range(file.n_parts):
        if number in there:
            continue
        if client.deadline.left() < SECONDS_FOR_A_PART:
            raise NotYet(_has_come_so_far(client, number, file.n_parts), AGAIN_SECONDS)
        remote_id = client.send_part(row.upload_id, file, number)
        part = RemotePart(remote_file=row, number=number, remote_id=remote_id)
        RemotePart.objects.bulk_create([part], ignore_conflicts=True)


def _has_come_so_far(client: ProviderClient, n_sent: int, n_parts: int) -> str:
    return _(
        "The file is on its way to %(provider)s: %(sent)d of %(parts)d parts are there."
    ) % {"provider": client.provider, "sent": n_sent, "parts": n_parts}


def _starts_anew(client: ProviderClient) -> str:
    return _(
        "%(provider)s no longer knows the upload that was under way; it starts anew."
    ) % {"provider": client.provider}
