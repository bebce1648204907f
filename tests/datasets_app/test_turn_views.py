"""Which pictures of a row a page shows, and which it only names."""

import pytest

from datasets_app.turn_views import MOST_IMAGES, images_of, shown_turns

PNG = "data:image/png;base64,iVBORw0KGgo="


def part(url: object) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url}}


def test_a_picture_inside_the_row_is_shown():
    (turn,) = shown_turns([{"role": "user", "content": [part(PNG)]}])

    assert [image.source for image in turn.images] == [PNG]


@pytest.mark.parametrize(
    "url",
    [
        "https://pictures.example/a.png",  # its server would learn who looks
        "data:image/svg+xml;base64,PHN2Zy8+",  # may hold a script
        "data:image/png;base64,PHN2Zy8+",  # is no PNG
        "javascript:alert(1)",
        7,
    ],
)
def test_any_other_is_only_named(url):
    (image,) = images_of([part(url)])

    assert image.source == ""
    assert image.label


def test_one_that_is_too_large_for_the_page_is_named_by_its_size():
    large = "data:image/png;base64,iVBORw0KGgoA" + "A" * 5_000
    assert images_of([part(large)])[0].source == large
    (image,) = images_of([part(large)], most=1_000)

    assert image.source == ""
    assert len(image.label) < 100


def test_a_message_shows_a_few_of_its_pictures():
    assert len(images_of([part(PNG)] * 100)) == MOST_IMAGES
