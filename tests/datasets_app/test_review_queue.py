"""The review queue: which row comes when, and what the keys' buttons do."""

import pytest
from django.urls import reverse

from datasets_app import services
from datasets_app.models import Comment, Example, ReviewState
from datasets_app.services.review_queue import Place, Queue
from datasets_app.services.selection import Selection
from teams_app.models import Role
from tests.factories import make_dataset, make_example, make_member

pytestmark = pytest.mark.django_db
S = ReviewState
USER = {"role": "user", "content": "Who are you?"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def dataset():
    return make_dataset()


@pytest.fixture
def reviewer(dataset):
    return make_member(Role.REVIEWER, dataset.team)


def walk(queue: Queue) -> list[Example]:
    found, place = [], Place()
    while step := queue.next(place):
        place, row = step
        found.append(row)
    return found


def test_what_waits_for_me_comes_first_and_what_is_decided_not_at_all(
    dataset, reviewer
):
    other = make_member(Role.REVIEWER, dataset.team)
    draft = make_example(dataset=dataset)
    waiting = make_example(dataset=dataset, state=S.IN_REVIEW, assignee=other)
    bad = make_example(dataset=dataset, messages=[USER], state=S.IN_REVIEW)
    my_draft = make_example(dataset=dataset, assignee=reviewer)
    mine = make_example(dataset=dataset, state=S.IN_REVIEW, assignee=reviewer)
    for state in (S.APPROVED, S.REJECTED):
        make_example(dataset=dataset, state=state)
    make_example(state=S.IN_REVIEW)
    queue = Queue(dataset, Selection(), reviewer)

    assert walk(queue) == [mine, waiting, bad, my_draft, draft]
    assert queue.n_left() == 5


def test_the_way_back_is_the_way_there(dataset, reviewer):
    for state in (S.DRAFT, S.IN_REVIEW, S.DRAFT, S.IN_REVIEW):
        make_example(dataset=dataset, state=state)
    queue = Queue(dataset, Selection(), reviewer)
    there = walk(queue)
    back, place = [], Place(99, 0)
    while step := queue.previous(place):
        place, row = step
        back.append(row)

    assert back == there[::-1]


def test_a_filter_narrows_the_queue(dataset, reviewer):
    rejected = make_example(dataset=dataset, state=S.REJECTED)
    found = make_example(dataset=dataset, messages=[USER, USER])
    make_example(dataset=dataset)

    assert walk(Queue(dataset, Selection(state="rejected"), reviewer)) == [rejected]
    assert walk(Queue(dataset, Selection(q="who are"), reviewer)) == [found]


@pytest.fixture
def rows(client, dataset, reviewer):
    client.force_login(reviewer)
    return [make_example(dataset=dataset, state=S.IN_REVIEW) for _n in range(3)]


def at(row: Example) -> dict[str, str]:
    return {"at": f"1.{row.pk}", "seen": row.updated_at.isoformat()}


def act(client, dataset, **data):
    url = reverse("datasets:review", args=[dataset.pk])
    return client.post(url, data, headers=HTMX)


def test_approving_shows_the_next_row_and_how_to_take_it_back(client, dataset, rows):
    response = act(client, dataset, do="approve", **at(rows[0]))
    rows[0].refresh_from_db()

    assert rows[0].state == S.APPROVED
    assert response.context["row"] == rows[1]
    assert "Take it back" in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_decision_is_taken_back(client, dataset, rows):
    done = act(client, dataset, do="approve", **at(rows[0])).context
    response = act(
        client, dataset, do="undo", at=str(done["undo_at"]), revision=done["undo"].pk
    )
    rows[0].refresh_from_db()

    assert rows[0].state == S.IN_REVIEW
    assert response.context["row"] == rows[0]


def test_nobody_takes_back_what_somebody_else_decided(client, dataset, rows):
    other = make_member(Role.REVIEWER, dataset.team)
    revision = services.decide(rows[0], state=S.APPROVED, by=other)
    assert revision is not None
    act(client, dataset, do="undo", revision=revision.pk, **at(rows[0]))
    rows[0].refresh_from_db()

    assert rows[0].state == S.APPROVED


def test_rejecting_asks_for_a_reason(client, dataset, rows):
    response = act(client, dataset, do="reject", reason=" ", **at(rows[0]))
    assert response.context["row"] == rows[0]
    assert "Say why" in response.content.decode()

    act(client, dataset, do="reject", reason="<i>No</i>", **at(rows[0]))
    rows[0].refresh_from_db()
    assert (rows[0].state, rows[0].reject_reason) == ("rejected", "<i>No</i>")


def test_what_somebody_decided_meanwhile_stays_and_the_queue_goes_on(
    client, dataset, rows
):
    seen = at(rows[0])
    services.decide(rows[0], state=S.REJECTED, by=None, reason="No.")
    response = act(client, dataset, do="approve", **seen)
    rows[0].refresh_from_db()

    assert rows[0].state == S.REJECTED
    assert response.context["row"] == rows[1]
    assert "changed this example" in response.content.decode()


def test_a_row_deleted_meanwhile_is_passed_over(client, dataset, rows):
    Example.objects.filter(pk=rows[0].pk).update(deleted_at="2026-01-01T00:00Z")
    response = act(client, dataset, do="approve", **at(rows[0]))

    assert response.context["row"] == rows[1]


def test_a_comment_stays_with_its_row_and_is_only_text(client, dataset, rows):
    response = act(client, dataset, do="comment", text="<script>x", **at(rows[0]))

    assert response.context["row"] == rows[0]
    assert "&lt;script&gt;x" in response.content.decode()
    assert Comment.objects.get().example == rows[0]


def test_a_row_of_another_dataset_is_not_decided(client, dataset, rows):
    foreign = make_example(state=S.IN_REVIEW)
    act(client, dataset, do="approve", **at(foreign))
    foreign.refresh_from_db()

    assert foreign.state == S.IN_REVIEW


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_curator_decides_nothing(client, dataset, rows, verb):
    client.force_login(make_member(Role.CURATOR, dataset.team))
    response = act(client, dataset, do=verb, reason="x", **at(rows[0]))
    rows[0].refresh_from_db()

    assert rows[0].state == S.IN_REVIEW
    assert "This needs the role" in response.content.decode()


@pytest.mark.parametrize(
    "data", [{"at": "x"}, {"at": "9.9"}, {"at": "2.1", "seen": "now", "revision": "x"}]
)
@pytest.mark.parametrize("verb", ["approve", "undo", "fly", ""])
def test_nonsense_is_harmless(client, dataset, rows, verb, data):
    assert act(client, dataset, do=verb, **data).status_code == 200


def test_without_scripts_the_next_row_has_an_address(client, dataset, rows):
    url = reverse("datasets:review", args=[dataset.pk])
    response = client.post(url, {"do": "approve", **at(rows[0])}, follow=True)

    assert response.redirect_chain == [(f"{url}?at=1.{rows[1].pk}", 302)]
    assert response.context["row"] == rows[1]


def test_a_page_takes_the_same_queries_however_many_wait(
    client, dataset, rows, django_assert_max_num_queries
):
    for _n in range(30):
        make_example(dataset=dataset)
    url = reverse("datasets:review", args=[dataset.pk])
    # session, user, dataset, role, lanes until the row, its revisions and comments,
    # one count for each lane
    with django_assert_max_num_queries(20):
        client.get(url)


def test_an_empty_queue_says_so(client, dataset, reviewer):
    client.force_login(reviewer)
    page = client.get(reverse("datasets:review", args=[dataset.pk]))
    assert "No row waits here" in page.content.decode()
