"""API tokens: shown once, stored hashed, gone when revoked."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils.timezone import now

from teams_app import audit
from teams_app.models import ApiToken, AuditEntry, Role
from teams_app.services import make_token, revoke_token, user_of_token
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db


def test_a_token_leads_to_its_user():
    user = make_user()
    raw = make_token(user=user, name="script")
    assert user_of_token(raw) == user


def test_the_database_holds_no_token_in_plain_text():
    raw = make_token(user=make_user(), name="script")
    token = ApiToken.objects.get()
    stored = " ".join(str(value) for value in vars(token).values())
    assert raw not in stored
    assert raw[len(token.prefix) :] not in stored


@pytest.mark.parametrize("raw", ["", "fts_", "nonsense", "비밀", "x" * 100_000])
def test_an_unknown_token_leads_to_nobody(raw):
    make_token(user=make_user(), name="script")
    assert user_of_token(raw) is None


def test_the_stored_hash_is_no_token():
    make_token(user=make_user(), name="script")
    assert user_of_token(ApiToken.objects.get().token_hash) is None


def test_a_revoked_token_no_longer_works():
    raw = make_token(user=make_user(), name="script")
    revoke_token(ApiToken.objects.get())
    assert user_of_token(raw) is None


def test_a_token_of_an_inactive_user_does_not_work():
    user = make_user()
    raw = make_token(user=user, name="script")
    user.is_active = False
    user.save()
    assert user_of_token(raw) is None


def test_the_first_use_is_noted():
    raw = make_token(user=make_user(), name="script")
    user_of_token(raw)
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize(("seconds_ago", "is_noted"), [(30, False), (90, True)])
def test_use_is_noted_at_most_once_a_minute(seconds_ago, is_noted):
    raw = make_token(user=make_user(), name="script")
    before = now() - timedelta(seconds=seconds_ago)
    ApiToken.objects.update(last_used_at=before)

    user_of_token(raw)

    assert (ApiToken.objects.get().last_used_at != before) == is_noted


def test_the_page_shows_a_new_token_once(client):
    client.force_login(make_user())

    answer = client.post(reverse("account:tokens"), {"name": "script"})

    raw = answer.context["new_token"]
    assert raw in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert raw not in client.get(reverse("account:tokens")).content.decode()


def test_a_token_needs_a_name(client):
    client.force_login(make_user())
    client.post(reverse("account:tokens"), {"name": " "})
    assert not ApiToken.objects.exists()


def test_the_page_lists_only_the_users_own_tokens(client):
    make_token(user=make_user(), name="not mine")
    client.force_login(make_user())
    assert "not mine" not in client.get(reverse("account:tokens")).content.decode()


def test_the_owner_of_a_token_can_revoke_it(client):
    user = make_user()
    raw = make_token(user=user, name="script")
    client.force_login(user)

    client.post(reverse("account:revoke", args=[ApiToken.objects.get().pk]))

    assert user_of_token(raw) is None


def test_nobody_can_revoke_the_token_of_another(client):
    raw = make_token(user=make_user(), name="script")
    client.force_login(make_user(is_superuser=True))

    answer = client.post(reverse("account:revoke", args=[ApiToken.objects.get().pk]))

    assert answer.status_code == 404
    assert user_of_token(raw) is not None


def test_a_link_cannot_revoke(client):
    user = make_user()
    make_token(user=user, name="script")
    client.force_login(user)
    answer = client.get(reverse("account:revoke", args=[ApiToken.objects.get().pk]))
    assert answer.status_code == 405


@pytest.mark.parametrize("name", ["account:tokens", "account:password"])
def test_the_account_is_for_the_signed_in(client, name):
    assert client.get(reverse(name)).url.startswith(reverse("login"))


def test_a_token_is_made_with_its_line_in_the_log_or_not_at_all(monkeypatch):
    monkeypatch.setattr(audit, "record_of_user", fail)
    with pytest.raises(OSError, match="Full"):
        make_token(user=make_user(), name="script")
    assert not ApiToken.objects.exists()


def test_a_token_that_could_not_be_revoked_is_not_told_as_revoked(monkeypatch):
    make_token(user=make_user(), name="script")
    monkeypatch.setattr(ApiToken, "delete", fail)
    with pytest.raises(OSError, match="Full"):
        revoke_token(ApiToken.objects.get())
    assert not AuditEntry.objects.filter(verb="revoked").exists()


def fail(*_args: object, **_rest: object) -> None:
    raise OSError("Full.")


def test_the_use_of_one_token_is_not_noted_of_another():
    user = make_user()
    make_token(user=user, name="unused")
    user_of_token(make_token(user=user, name="used"))
    assert ApiToken.objects.get(name="unused").last_used_at is None


def test_the_page_before_anything_was_sent_complains_of_nothing(client):
    make_member(Role.OWNER)
    client.force_login(make_member(Role.VIEWER, username="mina"))

    context = client.get(reverse("account:tokens")).context

    assert not context["form"].errors
    assert [each.user.username for each in context["memberships"]] == ["mina"]


def test_revoking_is_told_and_is_for_the_signed_in(client):
    user = make_user()
    make_token(user=user, name="script")
    page = reverse("account:revoke", args=[ApiToken.objects.get().pk])
    assert client.post(page).url.startswith(reverse("login"))

    client.force_login(user)
    [said] = get_messages(client.post(page).wsgi_request)

    assert str(said) == "The token “script” no longer works."


def test_the_page_takes_no_other_method(client):
    client.force_login(make_user())
    assert client.put(reverse("account:tokens")).status_code == 405


def test_a_new_password_is_told(client):
    client.force_login(make_user(password="old-Password-1"))
    new = {"new_password1": "new-Password-2", "new_password2": "new-Password-2"}

    answer = client.post(
        reverse("account:password"), {"old_password": "old-Password-1", **new}
    )

    [said] = get_messages(answer.wsgi_request)
    assert str(said) == "Your password is changed."
