"""Adding a provider of each kind in the admin; keys belong to one address."""

import logging

import pytest
from django.urls import reverse

from jobs_app import providers, services
from jobs_app.models import Provider
from jobs_app.provider_forms import KINDS, ProviderForm
from jobs_app.providers import PROFILES, ProviderRejected
from tests.factories import make_provider, make_team

pytestmark = pytest.mark.django_db


def form(team=None, **changes) -> ProviderForm:
    given = {
        "team": (team or make_team()).pk,
        "name": "Ours",
        "kind": "openai",
        "base_url": "",
        "api_version": "",
        "default_base_model": "",
        "extra_body": "{}",
        "new_api_key": "sk-1",
        **changes,
    }
    return ProviderForm(given)


@pytest.mark.parametrize("kind", ["openai", "nebius"])
def test_a_kind_with_one_address_for_everybody_needs_none_typed(kind):
    filled = form(kind=kind)

    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["base_url"] == PROFILES[kind].base_url


@pytest.mark.parametrize("kind", ["azure", "azure_classic", "litellm", "compatible"])
def test_other_kinds_need_theirs(kind):
    assert "base_url" in form(kind=kind).errors


def test_every_kind_but_our_own_can_be_chosen():
    assert {kind for kind, _label in KINDS} == set(PROFILES) - {"built_in"}


@pytest.mark.parametrize(
    "extra",
    [
        "[1]",
        "nonsense",
        '{"model": "x"}',
        '{"metadata": {}}',
        f'{{"a": "{"b" * 5000}"}}',
    ],
)
def test_extra_fields_that_make_no_sense_are_refused(extra):
    assert "extra_body" in form(extra_body=extra).errors


def test_extra_fields_and_a_version_are_stored():
    filled = form(
        kind="azure_classic",
        base_url="https://r.openai.azure.com",
        api_version="2024-10-21",
        extra_body='{"trainingType": "developerTier"}',
    )

    provider = filled.save()

    assert provider.api_version == "2024-10-21"
    assert provider.extra_body == {"trainingType": "developerTier"}


@pytest.mark.parametrize("version", ["2024&x=1", "a b", "é"])
def test_a_version_cannot_carry_more_than_itself(version):
    assert "api_version" in form(api_version=version).errors


def test_the_help_below_the_fields_is_there_for_every_kind():
    hints = form().fields["kind"].widget.attrs["data-hints"]

    for kind, _label in KINDS:
        assert f'"{kind}"' in hints


def test_saving_a_new_address_past_the_form_forgets_the_key():
    provider = make_provider(api_key="sk-1")
    provider.base_url = "https://elsewhere.example/v1"

    provider.save()

    assert Provider.objects.get().api_key == ""


def test_an_address_changed_past_everything_does_not_get_the_key():
    provider = make_provider(api_key="sk-1")
    Provider.objects.update(base_url="https://elsewhere.example/v1")
    provider.refresh_from_db()

    with pytest.raises(ProviderRejected, match="no usable API key"):
        providers.connect(provider)


def test_going_back_to_the_old_address_does_not_bring_the_key_back():
    provider = make_provider(api_key="sk-1")
    old = provider.base_url
    for base_url in ("https://elsewhere.example/v1", old):
        provider.base_url = base_url
        services.save_provider(provider)

    assert Provider.objects.get().api_key == ""


def test_another_kind_at_the_same_address_keeps_the_key():
    provider = make_provider(api_key="sk-1", kind="azure")
    provider.kind = "compatible"

    services.save_provider(provider)

    assert Provider.objects.get().api_key == "sk-1"


def test_no_environment_gives_azure_a_key(monkeypatch):
    for name in ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "sk-of-somebody-else")
    provider = make_provider(kind="azure_classic", api_key="")

    with pytest.raises(ProviderRejected, match="no usable API key"):
        providers.connect(provider)


def test_the_key_is_in_no_repr_and_no_log(caplog, settings):
    settings.PROVIDER_ALLOWED_HOSTS = ["127.0.0.1:9"]
    provider = make_provider(api_key="sk-1-secret", base_url="http://127.0.0.1:9/v1")
    with (
        caplog.at_level(logging.DEBUG),
        providers.connect(provider) as client,
        pytest.raises(providers.ProviderUnavailable),
    ):
        client.models()

    said = [repr(provider), repr(client), caplog.text]
    assert not [text for text in said if "sk-1-secret" in text]


def test_the_change_page_leads_to_the_check(admin_client):
    provider = make_provider()
    change = reverse("admin:jobs_app_provider_change", args=[provider.pk])

    page = admin_client.get(change).text

    assert reverse("providers:detail", args=[provider.pk]) in page
    assert "provider-form.js" in page
