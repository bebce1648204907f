"""Every door asks for its role: who has the one below is refused, who has it is not."""

from typing import Any

import pytest
from django.urls import get_resolver, reverse

from datasets_app.forms import BaseModelForm, DatasetForm
from datasets_app.models import (
    BaseModel,
    BulkEdit,
    Comment,
    Example,
    RunStatus,
    SavedFilter,
)
from datasets_app.services import save_example
from teams_app.models import Membership, Role
from tests.datasets_app import test_permissions
from tests.factories import make_member, make_team

pytestmark = pytest.mark.django_db
rows = test_permissions.rows

# What each address of the portal asks for, and how it is asked.
LOOKING = {
    *("detail", "preflight", "preflight_code", "tokens", "balance", "versions"),
    *("export", "export_file", "freeze_run", "import_run", "import_rejected"),
    *("import_report", "bin", "review", "edits", "edit", "version", "version_diff"),
    *("version_export", "version_export_file", "version_file"),
}
CHANGING = {
    "preflight_check": Role.CURATOR,
    "mend": Role.CURATOR,
    "check_cancel": Role.CURATOR,
    "mend_undo": Role.CURATOR,
    "base_model": Role.CURATOR,
    "count_cancel": Role.CURATOR,
    "import": Role.CURATOR,
    "split": Role.CURATOR,
    "freeze": Role.REVIEWER,
    "freeze_cancel": Role.REVIEWER,
    "import_preview": Role.CURATOR,
    "import_cancel": Role.CURATOR,
    "import_mend": Role.CURATOR,
    "import_undo": Role.CURATOR,
    "import_redo": Role.CURATOR,
    "import_resume": Role.CURATOR,
    "example_decide": Role.CURATOR,
    "example_assign": Role.CURATOR,
    "example_comment": Role.CURATOR,
    "edit_new": Role.CURATOR,
    "edit_undo": Role.CURATOR,
    "edit_cancel": Role.CURATOR,
    "edit_resume": Role.CURATOR,
    "version_copy": Role.CURATOR,
}
# Doors of the admin that are not Django's own.
IN_THE_ADMIN = {
    "dataset_freeze": ("dataset", Role.REVIEWER),
    "example_check": ("example", Role.CURATOR),
    "example_filter_save": ("dataset", Role.CURATOR),
    "example_filter_change": ("savedfilter", Role.CURATOR),
}
BELOW = {
    Role.CURATOR: Role.VIEWER,
    Role.REVIEWER: Role.CURATOR,
    Role.LAUNCHER: Role.REVIEWER,
    Role.OWNER: Role.LAUNCHER,
}


def urls(rows) -> dict[str, str]:
    """The portal's routes that name a row, by their names."""
    patterns = get_resolver("datasets_app.urls").url_patterns
    of_a_row = [str(p.name) for p in patterns if "<int:pk>" in str(p.pattern)]  # type: ignore[union-attr]
    return dict(zip(of_a_row, test_permissions.portal_urls(rows), strict=True))


def test_every_door_of_the_portal_is_named_here(rows):
    assert {*LOOKING, *CHANGING} == urls(rows).keys()


def test_who_lacks_the_role_is_refused(client, rows):
    people = {role: make_member(role, rows["dataset"].team) for role in Role}
    for name, url in urls(rows).items():
        if name in CHANGING:
            client.force_login(people[BELOW[CHANGING[name]]])
            assert client.post(url).status_code == 403, name


def test_who_has_the_role_is_let_in(client, rows):
    people = {role: make_member(role, rows["dataset"].team) for role in Role}
    for name, url in urls(rows).items():
        client.force_login(people[CHANGING.get(name, Role.VIEWER)])
        answer = client.post(url) if name in CHANGING else client.get(url)
        answer.getvalue()  # a file is closed when it is read
        assert answer.status_code in (200, 302, 404), name


def test_doors_of_the_admin_ask_for_their_role(client, rows):
    team = rows["dataset"].team
    rows["savedfilter"] = SavedFilter.objects.create(team=team, name="x", query="q=x")
    people = {role: make_member(role, team) for role in Role}
    stranger = make_member(Role.OWNER)
    for name, (model, role) in IN_THE_ADMIN.items():
        url = reverse(f"admin:datasets_app_{name}", args=[rows[model].pk])
        client.force_login(people[BELOW[role]])
        assert client.post(url).status_code == 403, name
        client.force_login(stranger)
        assert client.post(url).status_code == 404, name


def test_a_new_row_is_checked_for_who_may_add_it_only(client, rows):
    url = reverse("admin:datasets_app_example_check_new")
    client.force_login(make_member(Role.VIEWER, rows["dataset"].team))

    assert client.post(url, {"dataset": rows["dataset"].pk}).status_code == 403


def test_an_earlier_state_is_restored_by_a_curator_only(client, rows):
    example = Example.objects.get(pk=rows["example"].pk)
    example.messages = [{"role": "assistant", "content": "Other"}]
    revision = save_example(example, by=None)
    assert revision is not None
    name = "admin:datasets_app_example_restore"
    url = reverse(name, args=[example.pk, revision.pk])
    client.force_login(make_member(Role.VIEWER, rows["dataset"].team))

    assert client.post(url).status_code == 403


def test_only_an_owner_empties_the_bin(client, rows):
    client.force_login(make_member(Role.LAUNCHER, rows["dataset"].team))
    url = reverse("datasets:edit_new", args=[rows["dataset"].pk])

    answer = client.post(url, {"kind": "purge", "scope": "all"})

    assert answer.status_code == 403
    assert not BulkEdit.objects.filter(kind="purge").exists()


def test_a_refused_comment_is_not_kept(client, rows):
    client.force_login(make_member(Role.VIEWER, rows["dataset"].team))
    url = reverse("datasets:example_comment", args=[rows["example"].pk])

    assert client.post(url, {"text": "Hi"}).status_code == 403
    assert not Comment.objects.exists()


def test_a_refused_cancelling_leaves_the_check_waiting(client, rows):
    client.force_login(make_member(Role.VIEWER, rows["dataset"].team))

    client.post(reverse("datasets:check_cancel", args=[rows["checkrun"].pk]))
    rows["checkrun"].refresh_from_db()
    assert rows["checkrun"].status == RunStatus.PENDING


def test_forms_offer_only_what_may_be_chosen(rows):
    """A new team knows base models: another one's have the same names."""
    dataset, other = rows["dataset"], make_team()
    person = make_member(Role.VIEWER, other)
    Membership.objects.create(team=dataset.team, user=person, role=Role.CURATOR)
    teams: Any = DatasetForm(user=person).fields["team"]
    models: Any = BaseModelForm(instance=dataset).fields["base_model"]

    assert list(teams.queryset) == [dataset.team]
    assert {each.team for each in models.queryset} <= {dataset.team}
    assert BaseModel.objects.filter(team=other).exists()
