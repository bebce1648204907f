"""What files and people say is text on every page that shows it, whatever it says."""

import io
import json

import pytest
from django.urls import get_resolver, reverse

from datasets_app import services
from datasets_app.models import (
    BulkEdit,
    BulkKind,
    Comment,
    CountRun,
    Dataset,
    Example,
    FreezeRun,
    SavedFilter,
    Split,
    Tag,
)
from datasets_app.services import bulk_edits, checks
from teams_app.models import Role
from tests.datasets_app import test_permissions
from tests.factories import make_dataset, make_member, make_team

pytestmark = pytest.mark.django_db
BAD = "\"'></script><img src=x onerror=alert(1)>"
TURNS = [
    {"role": "system", "content": BAD},
    {"role": "user", "content": BAD, "name": BAD},
    {
        "role": "assistant",
        "content": BAD,
        "tool_calls": [
            {
                "id": BAD,
                "type": "function",
                "function": {"name": "hp", "arguments": json.dumps({BAD: BAD})},
            }
        ],
    },
    {"role": "tool", "tool_call_id": BAD, "content": BAD + " kim@company.kr"},
    {"role": "assistant", "content": " " + BAD},
]
TOOL = {"name": "hp", "description": BAD, "parameters": {"title": BAD}}
LINES = [
    {"messages": TURNS, "tools": [{"type": "function", "function": TOOL}], BAD: BAD},
    {"messages": TURNS[:2] + [{"role": "assistant", "content": BAD}]},
    {"messages": [{"role": BAD, "content": BAD, BAD: BAD}], BAD: BAD},
    {"messages": BAD, "tools": BAD, BAD: {BAD: BAD}},
]


@pytest.fixture
def dataset() -> Dataset:
    team = make_team(name=BAD)
    return make_dataset(team=team, name=BAD, description=BAD)


@pytest.fixture
def rows(dataset):
    """A row of every kind, in which everybody wrote the same."""
    by = make_member(Role.OWNER, dataset.team, username=BAD, first_name=BAD)
    data = b"\n".join(json.dumps(line).encode() for line in LINES)
    run = services.start_import(
        dataset=dataset, file=io.BytesIO(data), file_name=BAD, split=Split.TRAIN, by=by
    )
    services.run_import(run)
    run.refresh_from_db()
    example = Example.objects.order_by("pk")[0]
    tag = Tag.objects.create(team=dataset.team, name=BAD)
    example.tags.add(tag)
    Comment.objects.create(example=example, text=BAD, created_by=by)
    SavedFilter.objects.create(team=dataset.team, name=BAD, query="state=draft")
    version = services.freeze(dataset=dataset, by=by, note=BAD)
    example.messages[1]["content"] += "!"
    services.save_example(example, by=by)
    services.decide(example, state="rejected", by=by, reason=BAD)
    services.freeze(dataset=dataset, by=by, note=BAD)
    checkrun = checks.request_check(dataset, by=by)
    checks.run_check(checkrun)
    find = {"find": BAD, "replace": BAD + "?", "fields": ["text"]}
    edit = bulk_edits.start_edit(
        dataset=dataset, kind=BulkKind.REPLACE, by=by, params=find
    )
    BulkEdit.objects.filter(pk=edit.pk).update(status="failed", error=BAD)
    return {
        "dataset": dataset,
        "example": example,
        "importrun": run,
        "problem": run.problems.all()[0],
        "datasetversion": version,
        "freezerun": FreezeRun.objects.all()[0],
        "checkrun": checkrun,
        "bulkedit": edit,
        "countrun": CountRun.objects.create(dataset=dataset, counter="o200k_base"),
        "tag": tag,
        "owner": by,
    }


def urls(rows) -> list[str]:
    lists = [reverse("datasets:list"), reverse("datasets:new"), reverse("home")]
    for model in test_permissions.MODELS:
        lists.append(reverse(f"admin:datasets_app_{model}_changelist"))
    examples = lists[-4] + f"?dataset={rows['dataset'].pk}"
    searched = examples + "&q=%3C%2Fscript%3E%3Cimg"
    history = reverse("admin:datasets_app_example_history", args=[rows["example"].pk])
    edit = reverse("datasets:edit_new", args=[rows["dataset"].pk])
    preview = edit + "?kind=replace&scope=all"
    known = [examples, searched, history, preview]
    return [
        *lists,
        *known,
        *test_permissions.portal_urls(rows),
        *test_permissions.admin_urls(rows),
    ]


def test_no_page_lets_it_be_more_than_text(client, rows):
    assert rows["importrun"].n_added == 2, list(rows["importrun"].problems.values())
    client.force_login(rows["owner"])
    n_shown = 0
    for url in urls(rows):
        answer = client.get(url)
        said = answer.getvalue().decode()
        if answer["Content-Type"].startswith("text/html") and answer.status_code == 200:
            assert "<img src=x" not in said, url
            n_shown += "&lt;img src=x" in said
        else:
            is_download = "attachment" in answer.get("Content-Disposition", "")
            assert is_download or "<img src=x" not in said, url
    assert n_shown > 30


def test_every_route_that_names_a_row_is_looked_at(rows):
    patterns = get_resolver("datasets_app.urls").url_patterns
    named = [each for each in patterns if "<int:pk>" in str(each.pattern)]
    assert len(test_permissions.portal_urls(rows)) == len(named)


def test_a_preview_of_an_edit_shows_it_as_text(client, rows):
    client.force_login(rows["owner"])
    url = reverse("datasets:edit_new", args=[rows["dataset"].pk])
    answer = client.post(
        url,
        {
            "kind": "replace",
            "scope": "all",
            "preview": "1",
            "edit-find": "img",
            "edit-replace": BAD,
            "edit-fields_to_search": "text",
        },
    ).content.decode()

    assert "&lt;img src=x" in answer
    assert "<img src=x" not in answer
