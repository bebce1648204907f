"""Keys and times that no row has: an answer, never a breakdown, and never all rows."""

import pytest
from django.urls import reverse

from datasets_app.models import BulkEdit, BulkKind
from teams_app.models import Role
from tests.datasets_app.bulk_edits.edits import edit_of
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db
ENDLESS = "9" * 5_000  # Python reads no number that long


@pytest.fixture
def row(client):
    dataset = make_dataset()
    client.force_login(make_member(Role.OWNER, dataset.team))
    return make_example(dataset=dataset)


@pytest.mark.parametrize("key", [ENDLESS, "9" * 19, "x", "-1"])
def test_a_mend_of_no_row_is_not_one_of_all_rows(client, row, key):
    url = reverse("datasets:mend", args=[row.dataset_id])
    data = {"code": "email", "mend": "mask_email", "example": key}

    assert client.post(url, data).status_code == 302
    assert BulkEdit.objects.get().selection["pks"] == [0]


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("datasets:example_assign", {"assignee": ENDLESS}),
        ("datasets:example_decide", {"seen": "2026-99-99T00:00:00Z"}),
    ],
)
def test_a_row_takes_nonsense_for_nothing(client, row, page, data):
    assert client.post(reverse(page, args=[row.pk]), data).status_code == 302


def test_the_history_takes_nonsense_for_nothing(client, row):
    url = reverse("admin:datasets_app_example_history", args=[row.pk])
    assert client.get(url, {"before": ENDLESS}).status_code == 200

    restore = reverse("admin:datasets_app_example_restore", args=[row.pk, 0])
    seen_at = {"seen_at": "2026-99-99T00:00:00Z"}
    assert client.post(restore, seen_at).status_code == 302


def test_the_launch_page_takes_nonsense_for_nothing(client, row):
    query = {"from": ENDLESS, "version": ENDLESS, "provider": ENDLESS}
    assert client.get(reverse("jobs:new"), query).status_code == 200
    assert client.get(reverse("jobs:base_models"), query).status_code == 200


def test_a_message_with_an_endless_number_stops_no_edit(row):
    row.extra = {"messages": {ENDLESS: {"mood": "glad"}, "1": {"mood": "sad"}}}
    row.save()
    edit = edit_of(row.dataset, BulkKind.SYSTEM_PROMPT, how="set", text="Be kind.")

    row.refresh_from_db()
    assert edit.n_changed == 1
    assert set(row.extra["messages"]) == {ENDLESS, "2"}
