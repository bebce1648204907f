"""What may be wrong with the address of an image in a row, and such an address made.

Providers take JPEG, PNG and WEBP of at most 10 MB, by http(s) or inside the row.
"""

import base64
import re

MAX_IMAGE_BYTES = 10 * 1024 * 1024
DATA_URL = re.compile(r"data:image/([\w.+-]{1,30});base64,([A-Za-z0-9+/]*={0,2})")
# What a file of each kind begins with.
STARTS = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG", "webp": b"RIFF"}


def image_problem(url: str) -> str | None:
    """The code of the problem; None if providers take the image."""
    if url.startswith(("https://", "http://")):
        return None
    if not url.startswith("data:image/"):
        return "bad_image_url"
    found = DATA_URL.fullmatch(url)
    if found is None:
        return "bad_image_data"
    kind, data = found.groups()
    if kind not in STARTS:
        return "bad_image_type"
    if len(data) * 3 // 4 > MAX_IMAGE_BYTES:
        return "image_too_big"
    return None if _begins_as(kind, data) else "bad_image_data"


def _begins_as(kind: str, data: str) -> bool:
    return len(data) % 4 == 0 and base64.b64decode(data[:16]).startswith(STARTS[kind])


def data_url_of(data: bytes) -> str | None:
    """The address that holds the image itself; None if it is none of these kinds."""
    for kind, start in STARTS.items():
        if data.startswith(start) and (kind != "webp" or data[8:12] == b"WEBP"):
            return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return None
