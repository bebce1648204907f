"""How much an organization may keep on the server's disk."""

from django.conf import settings
from django.db.models import QuerySet, Sum

from tuning_server_app.errors import ApiError
from tuning_server_app.models import File, Organization, UploadPart

GB = 10**9


def keep_within_quota(organization: Organization, n_bytes: int) -> None:
    """Call it in the transaction that stores so many bytes more: whoever else stores
    for the organization waits for its end.

    What the server makes (results, weights) counts, but is never refused.

    Raises:
        ApiError: there is no room left for them.
    """
    Organization.objects.select_for_update().get(pk=organization.pk)
    kept = _sum(File.objects.filter(organization=organization)) + _sum(
        UploadPart.objects.filter(upload__organization=organization)
    )
    most = int(settings.TUNING_SERVER_STORAGE_GB * GB)
    if kept + n_bytes > most:
        raise ApiError(
            413,
            f"Your organization keeps {kept} bytes here and may keep {most}, so"
            f" {n_bytes} more find no room. Delete files that are no longer needed"
            " (GET /v1/files lists them) or cancel uploads, then send it again; the"
            " server's operator can raise TUNING_SERVER_STORAGE_GB.",
            code="storage_quota_exceeded",
        )


def _sum(rows: QuerySet[File] | QuerySet[UploadPart]) -> int:
    found: int = rows.aggregate(bytes=Sum("n_bytes", default=0))["bytes"]
    return found
