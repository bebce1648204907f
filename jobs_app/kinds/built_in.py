"""Our own tuning server, which ships in the box."""

from django.utils.translation import gettext_lazy as _

from jobs_app.kinds.profile import Profile

PROFILE = Profile(
    kind="built_in",
    name=_("built-in tuning server"),
    lists_metadata=True,
    base_url_example="http://127.0.0.1:8000/v1",
    unreachable=_("The tuning server is not running at %(url)s. Start it with: ./run"),
    is_chosen_by_people=False,
    is_own_server=True,
    costs_money=False,
    keeps_idempotency_key=True,
    epochs_rule="built_in",
    poll_seconds=2,
    slowest_poll_seconds=10,
    reading_seconds=2,
    requests_per_minute=6000,
    last_look_seconds=10,
    submit_seconds=120,
)
