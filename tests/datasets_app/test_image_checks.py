import base64

import pytest

from datasets_app.image_checks import image_problem
from datasets_app.problem_texts import TEXTS


def inside(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://x.example/a.png", None),
        ("http://x.example/a", None),
        (inside("png", PNG), None),
        (inside("jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 9), None),
        (inside("webp", b"RIFF\0\0\0\0WEBP"), None),
        (inside("gif", b"GIF89a"), "bad_image_type"),
        (inside("svg+xml", b"<svg/>"), "bad_image_type"),
        (inside("png", b"<svg/>"), "bad_image_data"),
        (inside("png", b""), "bad_image_data"),
        ("data:image/png,raw", "bad_image_data"),
        (inside("png", PNG)[:-3], "bad_image_data"),
        (inside("png", PNG) + "\n", "bad_image_data"),
        (inside("png", PNG + b"\0" * 10_500_000), "image_too_big"),
        ("ftp://x.example/a.png", "bad_image_url"),
        ("javascript:alert(1)", "bad_image_url"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_providers_take(url, code):
    assert image_problem(url) == code
    assert code is None or code in TEXTS
