"""A sign that would turn the direction of writing is seen, and turns nothing."""

import pytest
from django.urls import reverse

from teams_app.models import Role
from teams_app.visible_signs import in_page
from tests.factories import make_dataset, make_example, make_member

OVERRIDE, END = "\u202e", "\u2069"


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_a_text_shows_it_by_its_code(code: int):
    assert in_page(f"<p>a{chr(code)}b</p>") == f"<p>a[U+{code:04X}]b</p>"


@pytest.mark.parametrize(
    "html",
    [
        f'<input value="{OVERRIDE}">',
        f"<textarea name=x>\n{OVERRIDE}<p>{END}</textarea>",
        f'<script type="application/json">"{OVERRIDE}"</script>',
        "<p>\u05d0\u200f \u200e</p>",
    ],
)
def test_what_is_edited_or_read_by_a_script_stays_as_it_is(html: str):
    assert in_page(html) == html


@pytest.mark.django_db
def test_a_page_says_where_a_row_has_one(client):
    said = [{"role": "user", "content": f"a{END}{OVERRIDE}b"}]
    example = make_example(dataset=make_dataset(), messages=said)
    client.force_login(make_member(Role.CURATOR, example.dataset.team))
    answer = client.get(reverse("datasets:review", args=[example.dataset_id]))

    assert "a[U+2069][U+202E]b" in answer.text
    assert int(answer["Content-Length"]) == len(answer.content)


@pytest.mark.django_db
def test_a_field_keeps_it(client):
    example = make_example(dataset=make_dataset(name=f"Cards{OVERRIDE}"))
    client.force_login(make_member(Role.OWNER, example.dataset.team))
    url = reverse("admin:datasets_app_dataset_change", args=[example.dataset_id])

    assert f'value="Cards{OVERRIDE}"' in client.get(url).text
