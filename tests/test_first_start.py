import pytest
from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from datasets_app.models import BaseModel
from finetune_site import first_start
from jobs_app.models import JobStatus, Price, Provider
from teams_app.access import default_team
from teams_app.models import Membership, Role, User
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db


def test_the_first_admin_owns_the_default_team():
    password = first_start.make_first_admin()

    admin = User.objects.get()
    assert admin.check_password(password)
    assert Membership.objects.get(user=admin).role == Role.OWNER


def test_the_password_is_kept_where_only_the_owner_reads_it():
    password = first_start.make_first_admin()

    kept = settings.VAR_DIR / "admin-password"
    assert kept.read_text().strip() == password
    assert kept.stat().st_mode & 0o077 == 0


def test_an_installation_with_users_gets_no_second_admin():
    make_user()

    assert first_start.make_first_admin() is None
    assert User.objects.count() == 1


def test_an_interval_edited_in_the_admin_stays():
    first_start.make_ticks()
    tick = PeriodicTask.objects.get(task="jobs_app.tasks.drive_open_jobs")
    tick.interval, _ = IntervalSchedule.objects.get_or_create(every=9, period="minutes")
    tick.save()

    first_start.make_ticks()

    tick.refresh_from_db()
    assert tick.interval.every == 9


def test_every_team_gets_the_built_in_provider_once():
    teams = {default_team(), make_team()}

    first_start.make_built_in_providers()
    first_start.make_built_in_providers()

    providers = Provider.objects.filter(kind="built_in")
    assert {provider.team for provider in providers} == teams
    assert providers.count() == 2


def test_another_port_moves_the_built_in_provider_and_keeps_its_key(settings):
    default_team()
    first_start.make_built_in_providers()
    key = Provider.objects.get().api_key
    settings.SITE_PORT = 9999

    first_start.make_built_in_providers()

    provider = Provider.objects.get()
    assert provider.base_url == "http://127.0.0.1:9999/v1"
    assert provider.api_key == key


def test_a_deleted_built_in_provider_comes_back():
    default_team()
    first_start.make_built_in_providers()
    Provider.objects.all().delete()

    first_start.make_built_in_providers()

    assert Provider.objects.get().api_key


def test_the_sample_is_frozen_with_both_parts_and_launched():
    default_team()
    first_start.make_built_in_providers()

    version = first_start.load_sample()
    assert version
    job = first_start.launch_sample(version)

    assert version.n_training_rows >= 24
    assert version.n_validation_rows >= 6
    assert job.status == JobStatus.PENDING


def test_the_sample_is_not_loaded_beside_other_datasets():
    assert first_start.load_sample() is not None
    assert first_start.load_sample() is None


def test_a_team_made_before_there_were_any_gets_base_models_and_prices():
    team = make_team()
    BaseModel.objects.all().delete()
    Price.objects.all().delete()

    first_start.make_base_models_and_prices()

    assert BaseModel.objects.filter(team=team, name="gpt-4o-2024-08-06").exists()
    assert Price.objects.filter(team=team, base_model="gpt-4o").exists()


def test_the_samples_tokens_are_those_of_the_model_that_trains_on_it():
    default_team()

    version = first_start.load_sample()

    assert version is not None
    assert version.dataset.base_model == BaseModel.objects.get(
        team=default_team(), name="SmolLM2-135M-Instruct"
    )
