"""Nobody reaches another team's rows by any door, and a viewer changes nothing."""

import pytest
from django.urls import NoReverseMatch, get_resolver, reverse

from datasets_app import services
from datasets_app.models import (
    CountRun,
    Dataset,
    DatasetVersion,
    Example,
    FreezeRun,
    ImportRun,
    Split,
    Tag,
)
from datasets_app.services import checks
from teams_app.models import Role
from tests.factories import (
    chat_lines,
    make_dataset,
    make_example,
    make_member,
    make_team,
)

pytestmark = pytest.mark.django_db

MODELS = ("dataset", "example", "importrun", "datasetversion", "tag")


@pytest.fixture
def rows(tmp_path):
    """One row of every model, in a team of its own."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(chat_lines(2) + b"nope\n")
    dataset = make_dataset()
    with path.open("rb") as file:
        run = services.start_import(
            dataset=dataset, file=file, file_name="rows.jsonl", split=Split.TRAIN
        )
    services.run_import(run)
    return {
        "dataset": dataset,
        "example": Example.objects.first(),
        "importrun": run,
        "problem": run.problems.get(),
        "datasetversion": services.freeze(dataset=dataset, by=None),
        "freezerun": FreezeRun.objects.get(),
        "checkrun": checks.request_check(dataset),
        "bulkedit": checks.start_mend(
            dataset, code="email", mend="mask_email", by=None
        ),
        "countrun": CountRun.objects.create(dataset=dataset, counter="o200k_base"),
        "tag": Tag.objects.create(team=dataset.team, name="secret"),
    }


# Whose key stands in a route, by what the route begins with; further parts of routes.
ROW_OF = {
    "": "dataset",
    "checks": "checkrun",
    "counts": "countrun",
    "edits": "bulkedit",
    "examples": "example",
    "freezes": "freezerun",
    "imports": "importrun",
    "mends": "bulkedit",
    "versions": "datasetversion",
}
MORE = {"split": "train", "format": "openai", "code": "email"}


def portal_urls(rows) -> list[str]:
    """Every route of the portal that names a row."""
    found = []
    more = {**MORE, "problem_pk": rows["problem"].pk}
    for pattern in get_resolver("datasets_app.urls").url_patterns:
        before, is_of_a_row, _after = str(pattern.pattern).partition("<int:pk>")
        if is_of_a_row:
            names = pattern.pattern.converters.keys() - {"pk"}
            key = rows[ROW_OF[before.strip("/")]].pk
            parts = {"pk": key, **{name: more[name] for name in names}}
            found.append(reverse(f"datasets:{pattern.name}", kwargs=parts))  # type: ignore[union-attr]
    return found


def admin_urls(rows) -> list[str]:
    found = []
    for model in MODELS:
        for page in ("change", "delete", "history", "import", "freeze"):
            try:
                name = f"admin:datasets_app_{model}_{page}"
                found.append(reverse(name, args=[rows[model].pk]))
            except NoReverseMatch:
                assert page in ("import", "freeze")
    return found


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_teams_rows_are_not_found_in_the_portal(client, rows, method):
    client.force_login(make_member(Role.OWNER))
    for url in portal_urls(rows):
        assert getattr(client, method)(url).status_code in (404, 405), url


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_teams_rows_are_not_found_in_the_admin(client, rows, method):
    client.force_login(make_member(Role.OWNER))
    for url in admin_urls(rows):
        response = getattr(client, method)(url)
        if response.status_code == 302:  # Django's admin says so for "not found"
            assert response.url == reverse("admin:index")
        else:
            assert response.status_code in (403, 404)
    assert Dataset.objects.exists()


def test_another_teams_rows_are_in_no_list(client, rows):
    client.force_login(make_member(Role.OWNER))
    lists = [reverse("datasets:list")]
    lists += [reverse(f"admin:datasets_app_{model}_changelist") for model in MODELS]
    secrets = [rows["dataset"].name, "Question 1?", "rows.jsonl", "secret"]
    for url in lists:
        shown = client.get(url).content.decode()
        for secret in secrets:
            assert secret not in shown, url


def test_another_teams_rows_cannot_be_filtered_for(client, rows):
    own = make_dataset()
    client.force_login(make_member(Role.OWNER, own.team))
    url = reverse("admin:datasets_app_example_changelist")
    asked = {"dataset": own.pk}

    assert client.get(url, {"dataset": rows["dataset"].pk}).status_code == 404
    for query in ({"tag": "secret"}, {"q": "Question"}, {"pks": rows["example"].pk}):
        assert client.get(url, {**asked, **query}).context["page"].rows == []


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("tag", {"edit-name": "mine"}),
        ("split", {"edit-to": "validation"}),
        ("state", {"edit-to": "approved"}),
        ("delete", {}),
    ],
)
def test_another_teams_examples_are_changed_by_no_bulk_edit(client, rows, kind, field):
    """Not even by naming them beside a dataset of one's own."""
    own = make_dataset()
    client.force_login(make_member(Role.OWNER, own.team))
    url = reverse("datasets:edit_new", args=[own.pk])
    data = {"kind": kind, "scope": "ticked", "pks": rows["example"].pk, **field}
    assert client.post(url, data).status_code == 302
    example = Example.objects.get(pk=rows["example"].pk)

    assert (example.state, example.split) == ("draft", "train")
    assert not example.tags.exists()


@pytest.mark.parametrize(
    ("page", "role"),
    [
        ("datasets:import", Role.VIEWER),
        ("datasets:freeze", Role.VIEWER),
        ("datasets:freeze", Role.CURATOR),
        ("admin:datasets_app_dataset_freeze", Role.CURATOR),
    ],
)
def test_a_missing_role_is_refused_with_its_name(client, rows, page, role):
    dataset = rows["dataset"]
    client.force_login(make_member(role, dataset.team))
    n_before = ImportRun.objects.count() + DatasetVersion.objects.count()
    url = reverse(page, args=[dataset.pk])

    assert client.post(url).status_code == 403
    assert client.get(url).status_code == 403
    assert ImportRun.objects.count() + DatasetVersion.objects.count() == n_before


def test_a_viewer_makes_no_dataset(client):
    client.force_login(make_member(Role.VIEWER))

    assert client.post(reverse("datasets:new"), {"name": "x"}).status_code == 403
    assert client.get(reverse("admin:datasets_app_dataset_add")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_a_viewer_looks_at_everything_in_the_admin_and_changes_nothing(
    client, rows, model
):
    client.force_login(make_member(Role.VIEWER, rows["dataset"].team))
    row = rows[model]
    change = reverse(f"admin:datasets_app_{model}_change", args=[row.pk])

    assert client.get(change).status_code == 200
    assert client.post(change, {"name": "x"}).status_code == 403
    delete = reverse(f"admin:datasets_app_{model}_delete", args=[row.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", ["importrun", "datasetversion"])
def test_what_services_write_nobody_edits(client, rows, model):
    client.force_login(make_member(Role.OWNER, rows["dataset"].team))
    change = reverse(f"admin:datasets_app_{model}_change", args=[rows[model].pk])

    assert client.post(change, {"note": "x"}).status_code == 403
    assert client.get(reverse(f"admin:datasets_app_{model}_add")).status_code == 403


def test_a_curator_adds_no_example_to_another_team(client, rows):
    client.force_login(make_member(Role.CURATOR))
    make_example()
    n_before = Example.objects.count()
    data = {
        "dataset": rows["dataset"].pk,
        "split": "train",
        "messages": '[{"role": "assistant", "content": "Hi"}]',
    }
    client.post(reverse("admin:datasets_app_example_add"), data)

    assert Example.objects.count() == n_before


def test_a_viewer_deletes_no_row_and_a_curator_no_dataset(client, rows):
    for role, model in ((Role.VIEWER, "example"), (Role.CURATOR, "dataset")):
        client.force_login(make_member(role, rows["dataset"].team))
        url = reverse(f"admin:datasets_app_{model}_delete", args=[rows[model].pk])
        assert client.post(url, {"post": "yes"}).status_code == 403


def test_who_is_not_signed_in_signs_in_first(client, rows):
    for url in (*portal_urls(rows), reverse("datasets:list"), reverse("datasets:new")):
        status = client.get(url).status_code
        if status == 405:  # a route that is posted to only
            status = client.post(url).status_code
        assert status == 302, url


def test_someone_in_no_team_sees_nothing(client, rows):
    client.force_login(make_member(Role.OWNER, make_team()))

    assert "No datasets yet" in client.get(reverse("datasets:list")).content.decode()
