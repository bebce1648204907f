import pytest
from django.core.exceptions import FieldError
from django.db import connection

from guarded_calls.sealing import UnreadableSecret
from jobs_app import providers, services
from jobs_app.models import Provider
from jobs_app.providers import ProviderRejected
from tests.factories import make_provider

pytestmark = pytest.mark.django_db

KEY = "sk-secret-of-the-team"


def stored_text() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM jobs_app_provider")
        return cursor.fetchone()[0]


def test_the_database_holds_no_readable_key():
    make_provider(api_key=KEY)

    assert KEY not in stored_text()
    assert Provider.objects.get().api_key == KEY


def test_two_equal_keys_do_not_look_equal():
    first, second = make_provider(api_key=KEY), make_provider(api_key=KEY)

    rows = Provider.objects.filter(pk__in=[first.pk, second.pk])
    assert len({str(p.__dict__["api_key"]) for p in rows}) == 2


def test_saving_without_reading_the_key_keeps_it():
    make_provider(api_key=KEY)
    before = stored_text()

    Provider.objects.get().save()

    assert stored_text() == before


def test_values_give_ciphertext():
    make_provider(api_key=KEY)

    assert KEY not in str(list(Provider.objects.values("api_key")))


def test_no_key_is_no_key():
    assert Provider.objects.get(pk=make_provider(api_key="").pk).has_key is False
    assert Provider.objects.get(pk=make_provider(api_key=KEY).pk).has_key is True


@pytest.mark.parametrize("lookup", ["startswith", "contains", "gt", "regex", "in"])
def test_nobody_can_search_through_keys(lookup):
    with pytest.raises(FieldError):
        Provider.objects.filter(**{f"api_key__{lookup}": "s"})


def test_a_former_secret_key_still_opens(settings):
    make_provider(api_key=KEY)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one"

    assert Provider.objects.get().api_key == KEY


def test_a_lost_secret_key_spoils_only_what_needs_the_key(settings):
    make_provider(api_key=KEY, name="Old")
    settings.SECRET_KEY = "another one"

    provider = Provider.objects.get()
    assert provider.name == "Old"
    with pytest.raises(UnreadableSecret):
        _ = provider.api_key
    with pytest.raises(ProviderRejected, match="enter the key anew"):
        providers.connect(provider)


def test_a_new_address_loses_the_key():
    provider = make_provider(api_key=KEY)
    provider.base_url = "https://elsewhere.example/v1"

    assert services.save_provider(provider)

    assert Provider.objects.get().api_key == ""


def test_a_new_address_takes_the_key_typed_with_it():
    provider = make_provider(api_key=KEY)
    provider.base_url = "https://elsewhere.example/v1"

    assert not services.save_provider(provider, new_key="sk-new")

    assert Provider.objects.get().api_key == "sk-new"


def test_the_same_address_keeps_the_key():
    provider = make_provider(api_key=KEY)
    provider.name = "Renamed"

    assert not services.save_provider(provider)

    assert Provider.objects.get().api_key == KEY


def test_an_unreadable_key_can_be_replaced(settings):
    make_provider(api_key=KEY)
    settings.SECRET_KEY = "another one"

    services.save_provider(Provider.objects.get(), new_key="sk-new")

    assert Provider.objects.get().api_key == "sk-new"
