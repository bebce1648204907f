"""The compatibility check at our own server, over HTTP as at any other."""

import pytest
from django.conf import settings

from jobs_app import services
from tests.factories import make_provider
from tuning_server_app.models import File, JobStatus, TuningJob

MODEL = next(iter(settings.TUNING_SERVER_BASE_MODELS))
NO_INFERENCE = {"chat"}  # that process does not run here


@pytest.mark.django_db(transaction=True)
def test_our_own_server_passes_the_check_and_is_left_clean(live_server, secret):
    provider = make_provider(
        kind="built_in", base_url=f"{live_server.url}/v1", api_key=secret
    )
    check = services.start_check(provider, base_model=MODEL, may_cost=False, by=None)

    for _round in range(60):
        services.run_check(check)
        check.refresh_from_db()
        if not check.is_open:
            break

    by_result = {line["step"]: line["result"] for line in check.results}
    failing = {step for step, result in by_result.items() if result == "fails"}
    assert failing <= NO_INFERENCE, check.results
    provider.refresh_from_db()
    assert provider.keeps_metadata
    open_jobs = TuningJob.objects.exclude(status=JobStatus.CANCELLED)
    assert not open_jobs.exists()
    assert not File.objects.exists()
