"""A job's page while its job trains, with a person at work on it."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.utils.timezone import now
from playwright.sync_api import Page, expect

from jobs_app.models import EventType, FineTuningJob, JobStatus
from teams_app.models import Role, User
from tests.factories import make_job, make_member, make_provider
from tests.jobs_app.fake_provider import API_KEY, FakeProvider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PLOT = "#chart-loss [data-chart-plot]"


@pytest.fixture
def fake(settings) -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        settings.PROVIDER_ALLOWED_HOSTS = [running.host]
        yield running


@pytest.fixture
def job(fake: FakeProvider, sign_in: Callable[[User], None]) -> FineTuningJob:
    """A running job with twenty steps; a launcher of its team is signed in."""
    provider = make_provider(base_url=fake.base_url, api_key=API_KEY)
    job = make_job(provider=provider, status=JobStatus.RUNNING, launched_at=now())
    for step in range(1, 21):
        report(job, step)
    sign_in(make_member(Role.LAUNCHER, job.team))
    return job


def report(job: FineTuningJob, step: int) -> None:
    data = {"step": step, "total_steps": 40, "train_loss": 2 / step}
    job.events.create(type=EventType.METRICS, message=f"Step {step}/40", data=data)


def test_curves_grow_while_somebody_types(page: Page, job: FineTuningJob):
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_text("The same points as a table").click()
    question = page.get_by_label("Question")
    question.press_sequentially("How much ")
    report(job, 21)
    expect(page.locator("#job-live")).to_contain_text("step 21 of 40")
    question.press_sequentially("damage?")

    expect(question).to_be_focused()
    expect(question).to_have_value("How much damage?")
    expect(page.locator(PLOT)).to_have_attribute("data-last", "21.0")
    expect(page.locator("#points tbody tr").first).to_contain_text("21")


def test_when_the_job_ends_the_page_says_so_and_rests(page: Page, job: FineTuningJob):
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_role("button", name="Cancel…").wait_for()
    job.move_to(JobStatus.SUCCEEDED, fine_tuned_model="ft:x", finished_at=now())
    expect(page.locator("#job-live")).to_contain_text("ft:x")
    expect(page.get_by_role("link", name="Launch again…")).to_be_visible()

    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url))
    page.wait_for_timeout(3000)
    assert polls == []


def test_pointing_at_a_curve_reads_it_off(page: Page, job: FineTuningJob):
    page.goto(f"/jobs/{job.pk}/")
    box = page.locator(PLOT).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.985, box["y"] + 50)

    expect(page.locator("#chart-loss [data-chart-step]")).to_have_text("step 20")
    expect(page.locator("#chart-loss [data-chart-value]")).to_have_text("0.1000")


def test_drawing_over_a_curve_zooms_and_stays_zoomed(page: Page, job: FineTuningJob):
    page.goto(f"/jobs/{job.pk}/")
    box = page.locator(PLOT).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.locator(PLOT)).to_have_attribute("data-first", "10.0")

    report(job, 21)
    expect(page.locator("#job-live")).to_contain_text("step 21 of 40")
    expect(page.locator(PLOT)).to_have_attribute("data-first", "10.0")

    page.locator(PLOT).dblclick()
    expect(page.locator(PLOT)).to_have_attribute("data-first", "1.0")


def test_both_models_answer_side_by_side(page: Page, job: FineTuningJob):
    job.move_to(JobStatus.SUCCEEDED, fine_tuned_model="ft:x", finished_at=now())
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_label("Question").fill("<b>How</b> much?")
    page.get_by_role("button", name="Ask").click()

    for name in ("Base model", "Tuned model"):
        answer = page.get_by_role("region", name=name)
        expect(answer.locator(".answer__text")).to_contain_text("<b>How</b> much?")


def test_cancelling_asks_first(page: Page, job: FineTuningJob):
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("button", name="Let it train").click()
    expect(page.locator("#cancel-job")).to_be_hidden()

    job.refresh_from_db()
    assert job.cancel_requested_at is None


def test_searching_the_history_needs_no_button(page: Page, job: FineTuningJob):
    make_job(provider=job.provider, suffix="polite")
    page.goto("/jobs/")
    page.get_by_label("Search").press_sequentially("polite")

    expect(page.locator("#job-table tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=polite"))
