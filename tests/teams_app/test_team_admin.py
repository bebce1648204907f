"""The team's page in the admin: owners manage their own members, and no other's."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.urls import reverse

from teams_app import audit
from teams_app.admin import MembershipInline
from teams_app.models import AuditEntry, Membership, Role, Team, User
from teams_app.rows import read_key
from teams_app.services import save_team
from tests.factories import make_member, make_team, make_user

pytestmark = pytest.mark.django_db
WRITING_ROUTES = ["change", "delete", "history"]


def team_page(team):
    return reverse("admin:teams_app_team_change", args=[team.pk])


def team_form(team, *new, drop=(), **roles):
    """The admin's form: the members with their roles, then the new ones."""
    members = list(team.membership_set.select_related("user").order_by("pk"))
    data = {
        "name": team.name,
        "membership_set-TOTAL_FORMS": len(members) + len(new),
        "membership_set-INITIAL_FORMS": len(members),
    }
    for number, member in enumerate(members):
        name = member.user.username
        row = f"membership_set-{number}"
        data |= {f"{row}-id": member.pk, f"{row}-team": team.pk}
        data[f"{row}-role"] = roles.get(name, member.role)
        if name in drop:
            data[f"{row}-DELETE"] = "on"
    for number, (name, role) in enumerate(new, len(members)):
        row = f"membership_set-{number}"
        data |= {f"{row}-id": "", f"{row}-team": team.pk}
        data |= {f"{row}-username": name, f"{row}-role": role}
    return data


def roles_in(team):
    return dict(team.membership_set.values_list("user__username", "role"))


@pytest.fixture
def team():
    return make_team()


@pytest.fixture
def owner(team, client):
    user = make_member(Role.OWNER, team, username="owner")
    client.force_login(user)
    return user


def test_an_owner_adds_a_member_by_exact_name(client, team, owner):
    make_user(username="mina")
    client.post(team_page(team), team_form(team, ("mina", "curator")))
    assert roles_in(team) == {"owner": "owner", "mina": "curator"}


def test_an_unknown_name_is_refused_beside_its_field(client, team, owner):
    answer = client.post(team_page(team), team_form(team, ("nobody", "viewer")))
    assert "No user has this name" in answer.content.decode()
    assert roles_in(team) == {"owner": "owner"}


def test_the_page_shows_no_user_of_another_team(client, team, owner):
    make_member(Role.VIEWER, username="stranger")
    assert "stranger" not in client.get(team_page(team)).content.decode()


def test_an_owner_changes_a_role(client, team, owner):
    make_member(Role.VIEWER, team, username="mina")
    client.post(team_page(team), team_form(team, mina="reviewer"))
    assert roles_in(team)["mina"] == "reviewer"


def test_an_owner_removes_a_member(client, team, owner):
    make_member(Role.VIEWER, team, username="mina")
    client.post(team_page(team), team_form(team, drop=["mina"]))
    assert roles_in(team) == {"owner": "owner"}


def test_a_member_stands_in_a_team_once(client, team, owner):
    make_user(username="mina")
    form = team_form(team, ("mina", "viewer"), ("mina", "curator"))
    answer = client.post(team_page(team), form)
    assert "stands here twice" in answer.content.decode()
    assert roles_in(team) == {"owner": "owner"}


def test_a_member_cannot_be_added_again(client, team, owner):
    answer = client.post(team_page(team), team_form(team, ("owner", "viewer")))
    assert "stands here twice" in answer.content.decode()
    assert roles_in(team) == {"owner": "owner"}


@pytest.mark.parametrize("change", [{"drop": ["owner"]}, {"owner": "viewer"}])
def test_the_last_owner_stays(client, team, owner, change):
    answer = client.post(team_page(team), team_form(team, **change))
    assert "A team needs an owner" in answer.content.decode()
    assert roles_in(team) == {"owner": "owner"}


def test_an_owner_may_go_when_another_takes_over(client, team, owner):
    make_member(Role.VIEWER, team, username="mina")
    client.post(team_page(team), team_form(team, drop=["owner"], mina="owner"))
    assert roles_in(team) == {"mina": "owner"}


def test_a_new_owner_may_take_over_in_the_same_step(client, team, owner):
    make_user(username="mina")
    form = team_form(team, ("mina", "owner"), drop=["owner"])
    client.post(team_page(team), form)
    assert roles_in(team) == {"mina": "owner"}


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OWNER])
def test_whoever_is_no_owner_only_reads(client, team, role):
    user = make_member(role, team, username="mina")
    client.force_login(user)

    assert client.get(team_page(team)).status_code == 200
    answer = client.post(team_page(team), team_form(team, mina="owner"))

    assert answer.status_code == 403
    assert roles_in(team) == {"mina": role}


def test_an_owner_elsewhere_cannot_add_members_here(client, team, owner):
    """Owner in one team and viewer in the other: rights do not leak across."""
    other = make_team()
    make_member(Role.OWNER, other, username="their-owner")
    Membership.objects.create(team=other, user=owner, role=Role.VIEWER)

    answer = client.post(team_page(other), team_form(other, owner="owner"))

    assert answer.status_code == 403
    assert roles_in(other)["owner"] == "viewer"


def test_a_row_of_another_team_cannot_be_slipped_into_the_form(client, team, owner):
    victim = make_member(Role.OWNER, username="victim")
    theirs = victim.membership_set.get()
    form = team_form(team)
    form |= {
        "membership_set-TOTAL_FORMS": 2,
        "membership_set-INITIAL_FORMS": 2,
        "membership_set-1-id": theirs.pk,
        "membership_set-1-team": theirs.team_id,
        "membership_set-1-role": "viewer",
        "membership_set-1-DELETE": "on",
    }
    client.post(team_page(team), form)
    assert roles_in(theirs.team) == {"victim": "owner"}


@pytest.mark.parametrize("route", WRITING_ROUTES)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OWNER])
def test_a_member_reaches_no_page_of_another_team(client, route, role):
    client.force_login(make_member(role))
    other = make_team(name="Secret team")

    answer = client.get(reverse(f"admin:teams_app_team_{route}", args=[other.pk]))

    assert answer.status_code in {302, 403}
    index = client.get(reverse("admin:index")).content.decode()
    assert "Secret team" not in answer.content.decode() + index


def test_the_list_holds_only_the_own_team(client, team, owner):
    make_team(name="Secret team")
    page = client.get(reverse("admin:teams_app_team_changelist")).content.decode()
    assert team.name in page
    assert "Secret team" not in page


def test_the_delete_action_cannot_reach_another_team(client, team, owner):
    other = make_team()
    form = {
        "action": "delete_selected",
        "_selected_action": [team.pk, other.pk],
        "post": "yes",
    }
    client.post(reverse("admin:teams_app_team_changelist"), form)
    assert Team.objects.count() == 2


def test_an_owner_makes_no_new_team(client, owner):
    assert client.get(reverse("admin:teams_app_team_add")).status_code == 403


def test_the_short_name_of_a_team_stays(client, team, owner):
    before = team.slug
    client.post(team_page(team), team_form(team) | {"slug": "other"})
    team.refresh_from_db()
    assert team.slug == before


def test_users_are_for_superusers(client, owner):
    for route in ("changelist", "add"):
        answer = client.get(reverse(f"admin:teams_app_user_{route}"))
        assert answer.status_code == 403


def test_a_member_cannot_make_himself_superuser(client, owner):
    page = reverse("admin:teams_app_user_change", args=[owner.pk])
    form = {"username": owner.username, "is_superuser": "on", "is_active": "on"}
    assert client.post(page, form).status_code == 403
    assert not User.objects.get(pk=owner.pk).is_superuser


def test_staff_status_alone_opens_nothing(client):
    client.force_login(make_user(is_staff=True))
    assert client.get(reverse("admin:index")).status_code == 302


def test_a_superuser_makes_a_team_with_its_first_owner(client):
    make_user(username="mina")
    client.force_login(make_user(is_superuser=True))
    form = {
        "name": "New",
        "slug": "new",
        "membership_set-TOTAL_FORMS": 1,
        "membership_set-INITIAL_FORMS": 0,
        "membership_set-0-username": "mina",
        "membership_set-0-role": "owner",
    }
    client.post(reverse("admin:teams_app_team_add"), form)
    assert roles_in(Team.objects.get(slug="new")) == {"mina": "owner"}


def test_the_only_owner_of_a_team_is_not_deleted_by_accident(client):
    only_owner = make_member(Role.OWNER)
    client.force_login(make_user(is_superuser=True))
    page = reverse("admin:teams_app_user_delete", args=[only_owner.pk])

    answer = client.post(page, {"post": "yes"})

    assert "would have no owner left" in answer.content.decode()
    assert User.objects.filter(pk=only_owner.pk).exists()


def test_a_user_who_owns_nothing_alone_can_be_deleted(client, team, owner):
    colleague = make_member(Role.OWNER, team)
    client.force_login(make_user(is_superuser=True))
    page = reverse("admin:teams_app_user_delete", args=[colleague.pk])
    client.post(page, {"post": "yes"})
    assert not User.objects.filter(pk=colleague.pk).exists()


def test_a_change_of_members_is_on_record(client, team, owner):
    make_user(username="mina")
    client.post(team_page(team), team_form(team, ("mina", "viewer")))
    assert LogEntry.objects.filter(user=owner, object_id=str(team.pk)).exists()


def test_an_empty_line_of_the_form_is_nobody(client, team, owner):
    client.post(team_page(team), team_form(team, ("", "viewer"), owner="owner"))
    assert roles_in(team) == {"owner": "owner"}
    assert client.get(team_page(team)).status_code == 200


def test_a_member_who_is_added_is_told_in_the_log(client, team, owner):
    make_user(username="mina")
    client.post(team_page(team), team_form(team, ("mina", "viewer")))
    entry = AuditEntry.objects.get(verb="added")
    assert (entry.label, entry.team) == ("mina", team)


def test_another_name_of_a_team_is_told_with_the_old_one(client, team, owner):
    old = team.name
    client.post(team_page(team), {**team_form(team), "name": "New"})

    team.refresh_from_db()
    assert team.name == "New"
    assert AuditEntry.objects.get(verb="changed").details == {"name": [old, "New"]}


def test_a_rule_is_stored_with_its_line_or_not_at_all(team, monkeypatch):
    def fail(*_args: object, **_rest: object) -> None:
        raise OSError("Full.")

    team.approve_always = True
    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(OSError, match="Full"):
        save_team(team, by=None)

    team.refresh_from_db()
    assert not team.approve_always


def test_an_approval_above_a_limit_needs_a_limit(team):
    team.approve_above_limit = True
    with pytest.raises(ValidationError, match="No limit is set"):
        team.full_clean()

    team.month_limit_usd = 5
    team.full_clean()


def test_a_team_is_owned_only_by_its_owners(team):
    only = make_member(Role.OWNER, team)
    make_member(Role.VIEWER, team)
    make_member(Role.OWNER, make_team())
    make_team()

    assert list(Team.objects.owned_only_by([only])) == [team]


def test_what_a_superuser_does_to_a_user_is_told(client):
    client.force_login(make_user(is_superuser=True, username="root"))
    new = {"username": "mina", "password1": "a-Password-1", "password2": "a-Password-1"}
    client.post(reverse("admin:teams_app_user_add"), {**new, "usable_password": "true"})
    mina = User.objects.get(username="mina")
    page = reverse("admin:teams_app_user_change", args=[mina.pk])
    client.post(page, {"username": "mina", "email": "mina@example.org"})
    client.post(reverse("admin:teams_app_user_delete", args=[mina.pk]), {"post": "yes"})

    told = list(AuditEntry.objects.order_by("pk").values_list("verb", "who", "thing"))
    verbs = ["created", "changed", "deleted"]
    assert told == [(verb, "root", "user") for verb in verbs]


@pytest.mark.parametrize("text", ["", "-1", "x", "1.5", "9" * 19, "9" * 5000])
def test_a_key_that_is_none_leads_to_no_row(text):
    assert read_key(text) == 0


def test_the_table_of_members_is_for_owners_by_itself(team, rf):
    """Whatever page it stands on."""
    rf = rf.get("/")
    members = MembershipInline(Team, admin.site)
    acts = ("add", "change", "delete")

    for role in (Role.LAUNCHER, Role.OWNER):
        rf.user = make_member(role, team)
        may = {getattr(members, f"has_{act}_permission")(rf, team) for act in acts}
        assert may == {role == Role.OWNER}
