"""Whatever anybody wrote is text on every page of the site, and never more."""

import csv
import io
from collections.abc import Callable, Iterator

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Dialog, Page, Request
from pytest_django.live_server_helper import LiveServer

from datasets_app.models import ImportRun
from datasets_app.services import store_upload
from teams_app.models import Membership, Role, Team, User
from tests.browser import hostile, pages
from tests.browser.hostile import APPS, SUM, TEXT, hostile_lines
from tests.browser.rows import datasets
from tests.factories import make_dataset, make_member, make_team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Opens what is folded, then tells what only an attack could have put there.
INJECTED = """(sum) => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    for (const each of document.querySelectorAll("[popovertarget]")) each.click();
    const forms = "x-x, [hostile], img[src=x], svg[onload], iframe, base, [onfocus]";
    const found = [...document.querySelectorAll(forms)];
    for (const name of ["href", "src", "action", "formaction"])
        for (const each of document.querySelectorAll(`[${name}]`))
            if (/^\\s*javascript:|foreign\\.example/i.test(each.getAttribute(name)))
                found.push(each);
    const said = found.map((each) => each.outerHTML.slice(0, 300));
    if (window.ran) said.push(`ran: ${window.ran}`);
    if (document.body.innerText.includes(sum)) said.push("a template ran");
    return [said, document.documentElement.outerHTML.includes("x-x")];
}"""

# Words of ours whose letters stand on the page from right to left.
BACKWARDS = """(text) => {
    const found = [];
    const range = document.createRange();
    const at = (node, place) => {
        range.setStart(node, place);
        range.setEnd(node, place + 1);
        return range.getBoundingClientRect();
    };
    const ours = (words) => {  // blank where the words are theirs
        let start;
        while ((start = words.indexOf(text.slice(0, 2))) >= 0) {
            let end = start;
            while (end < words.length && words[end] === text[end - start]) end++;
            words = words.slice(0, start) + " ".repeat(end - start) + words.slice(end);
        }
        return words;
    };
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
        const node = nodes.currentNode;
        for (const word of ours(node.data).matchAll(/[a-z]{3,}/gi)) {
            const first = at(node, word.index);
            const last = at(node, word.index + word[0].length - 1);
            if (first.top === last.top && first.left > last.left)
                found.push(`backwards: ${word[0]} in ${node.data.trim().slice(0, 80)}`);
        }
    }
    return found.slice(0, 5);
}"""


@pytest.fixture
def superuser() -> User:
    return make_member(Role.OWNER, is_superuser=True)


@pytest.fixture
def team_of(superuser: User) -> Callable[[], Team]:
    def made() -> Team:
        team = make_team()
        Membership.objects.create(team=team, user=superuser, role=Role.OWNER)
        return team

    return made


@pytest.fixture
def hostile_files(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = datasets.chat_lines
    monkeypatch.setattr(datasets, "chat_lines", lambda n: hostile_lines(lines(n)))
    monkeypatch.setattr(datasets, "KOREAN", hostile_lines(datasets.KOREAN))
    monkeypatch.setattr(datasets, "BROKEN", TEXT.encode() + b"\n" + datasets.BROKEN)


def hostile_table(team: Team) -> ImportRun:
    table = io.StringIO()
    csv.writer(table).writerows([[TEXT, "answer"], [TEXT, TEXT]])
    file = io.BytesIO(table.getvalue().encode())
    return store_upload(dataset=make_dataset(team=team), file=file, file_name="x.csv")


def of_the_admin() -> Iterator[str]:
    """Each list, and the pages of the newest row of each."""
    for model in admin.site._registry:
        if model._meta.app_label in APPS:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            yield reverse(f"{name}_changelist")
            for page in ("change", "delete", "history"):
                row = model._base_manager.earliest("pk")
                yield reverse(f"{name}_{page}", args=[row.pk])


@pytest.fixture
def asked(page: Page) -> list[str]:
    """Every address the browser asked for."""
    found: list[str] = []

    def note(request: Request) -> None:
        found.append(request.url)

    page.on("request", note)
    return found


def test_no_page_runs_or_shows_it_as_more(
    page: Page,
    live_server: LiveServer,
    sign_in: Callable[[User], None],
    superuser: User,
    team_of: Callable[[], Team],
    hostile_files: None,
    asked: list[str],
    console: list[str],
):
    more = [pages.page("datasets:import_preview", hostile_table)]
    urls = [address(team_of()) for address in [*pages.PAGES, *more]]
    hostile.fill_every_field()
    urls += of_the_admin()
    sign_in(superuser)
    dialogs: list[str] = []

    def answer_to(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", answer_to)

    faults: list[object] = []
    silent = []
    for url in dict.fromkeys(urls):
        answer = page.goto(url)
        if not answer or answer.status not in (200, 403):  # 403: deleted by nobody
            faults.append((url, answer and answer.status))
        found, is_shown = page.evaluate(INJECTED, SUM)
        faults += [(url, each) for each in found]
        faults += [(url, each) for each in page.evaluate(BACKWARDS, TEXT)]
        silent += [] if is_shown else [url]
    assert faults == []
    assert len(silent) < 20, silent  # the others showed it
    assert dialogs == []
    assert [each for each in asked if not each.startswith(live_server.url)] == []
    console[:] = [each for each in console if "403 (Forbidden)" not in each]
