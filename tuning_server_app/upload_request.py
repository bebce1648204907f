"""The bodies of requests about uploads, checked field by field."""

import re
from dataclasses import dataclass
from typing import Any

from tuning_server_app.errors import invalid, refuse_unknown
from tuning_server_app.file_request import MAX_FILENAME, check_purpose, life_of

MAX_BYTES = 8 * 1024**3
MD5 = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class UploadRequest:
    """What the client announces."""

    filename: str
    n_bytes: int
    file_life_seconds: int | None


def parse_upload_request(body: object) -> UploadRequest:
    """Read the body of POST /v1/uploads. Raises ApiError."""
    fields = _object(
        body, {"filename", "purpose", "bytes", "mime_type", "expires_after"}
    )
    filename = _text(fields, "filename")
    check_purpose(_text(fields, "purpose"))
    _text(fields, "mime_type")
    n_bytes = fields.get("bytes")
    if type(n_bytes) is not int or not 1 <= n_bytes <= MAX_BYTES:
        raise invalid(
            f"bytes must be a whole number from 1 to {MAX_BYTES}.", param="bytes"
        )
    return UploadRequest(
        # A label only, and no path: the server names its files itself.
        filename=re.split(r"[\\/]", filename)[-1][:MAX_FILENAME] or "upload",
        n_bytes=n_bytes,
        file_life_seconds=life_of(fields.get("expires_after")),
    )


def parse_completion(body: object) -> tuple[list[str], str | None]:
    """The ids of the parts, in order, and the MD5 if one was given. Raises ApiError."""
    fields = _object(body, {"part_ids", "md5"})
    part_ids = fields.get("part_ids")
    if not isinstance(part_ids, list) or not all(
        isinstance(part_id, str) for part_id in part_ids
    ):
        raise invalid(
            "part_ids must be a list of the parts' ids, in their order.",
            param="part_ids",
        )
    md5 = fields.get("md5") or None
    if md5 is not None and not (isinstance(md5, str) and MD5.fullmatch(md5)):
        raise invalid("md5 must be 32 hexadecimal digits.", param="md5")
    return part_ids, md5


def _object(body: object, known: set[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    refuse_unknown(body, known)
    return body


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(
            f"Missing required parameter: '{name}', a string.",
            param=name,
            code="missing_required_parameter",
        )
    return value
