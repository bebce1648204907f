import pytest

from jobs_app.checks import check_allowed_hosts


@pytest.mark.parametrize("entry", ["10.0.0.5:8000", "vllm:80", "[::1]:8000"])
def test_host_and_port_are_accepted(settings, entry):
    settings.PROVIDER_ALLOWED_HOSTS = [entry]

    assert check_allowed_hosts() == []


@pytest.mark.parametrize("entry", ["10.0.0.5", "http://a:80", "a:80/v1", "::1", ""])
def test_anything_else_is_named_with_the_form_to_use(settings, entry):
    settings.PROVIDER_ALLOWED_HOSTS = [entry]

    [error] = check_allowed_hosts()

    assert error.id == "jobs.E001"
    assert "host:port" in (error.hint or "")
