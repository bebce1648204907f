"""What every admin of team-owned rows inherits."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import FieldListFilter
from django.test import RequestFactory

from datasets_app.models import Example, Tag
from teams_app.models import Membership, Role
from teams_app.scoped_admin import TeamScopedAdmin, changed_fields
from tests.factories import make_member, make_team, make_user

pytestmark = pytest.mark.django_db


class PlainMembershipAdmin(TeamScopedAdmin):
    list_filter = ("team",)


def as_seen_by(user):
    request = RequestFactory().get("/")
    request.user = user
    return request, PlainMembershipAdmin(Membership, admin.site)


def test_a_list_filter_offers_only_the_own_teams():
    make_team(name="Secret team")
    ours = make_team(name="Ours")
    request, model_admin = as_seen_by(make_member(Role.VIEWER, ours))
    field = Membership._meta.get_field("team")

    shown: Any = FieldListFilter.create(
        field, request, {}, Membership, model_admin, "team"
    )

    assert shown.lookup_choices == [(ours.pk, "Ours")]


def test_the_rows_are_those_of_the_own_teams():
    make_member(Role.OWNER)
    user = make_member(Role.VIEWER)
    request, model_admin = as_seen_by(user)
    assert list(model_admin.get_queryset(request)) == list(user.membership_set.all())


def test_a_row_can_only_be_given_to_a_team_where_the_user_may_add():
    mine, theirs = make_team(), make_team()
    user = make_member(Role.CURATOR, mine)
    Membership.objects.create(team=theirs, user=user, role=Role.VIEWER)
    request, model_admin = as_seen_by(user)

    field = model_admin.formfield_for_foreignkey(
        Membership._meta.get_field("team"), request
    )

    assert list(field.queryset) == [mine]


def test_rights_follow_the_team_of_the_row_and_not_another():
    mine, theirs = make_team(), make_team()
    user = make_member(Role.OWNER, mine)
    make_member(Role.VIEWER, theirs)
    request, model_admin = as_seen_by(user)
    foreign = theirs.membership_set.get()
    asked = ("view", "add", "change", "delete")

    answers = [
        getattr(model_admin, f"has_{act}_permission")(request, foreign) for act in asked
    ]

    assert answers == [False] * 4


def test_django_permissions_open_nothing():
    request, model_admin = as_seen_by(make_user(is_staff=True))
    assert not model_admin.has_module_permission(request)


def test_of_several_rows_only_those_of_teams_where_the_user_may_add_are_offered():
    mine, theirs = make_team(), make_team()
    user = make_member(Role.CURATOR, mine)
    theirs.membership_set.create(user=user, role=Role.VIEWER)
    tag = Tag.objects.create(team=mine, name="kept")
    Tag.objects.create(team=theirs, name="foreign")
    request, model_admin = as_seen_by(user)

    field = model_admin.formfield_for_manytomany(
        Example._meta.get_field("tags"), request
    )

    assert list(field.queryset) == [tag]


def test_the_changed_fields_are_those_of_the_row_itself():
    member = {"changed": {"fields": ["role"], "object": "mina", "name": "membership"}}
    message = ["A text.", {"added": {}}, {"changed": {}}, member]
    assert changed_fields([*message, {"changed": {"fields": ["name"]}}]) == ["name"]
    assert changed_fields("A text.") == []
