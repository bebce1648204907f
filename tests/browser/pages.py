"""Every page that must be usable by all; a new page adds its line here."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from datasets_app.models import (
    Dataset,
)
from teams_app.models import Team
from tests.browser.rows import datasets, examples, jobs, teams

Address = Callable[[Team], str]


def page(name: str, row: Callable[[Team], Any] | None = None) -> Address:
    """The page of that URL name; `row` makes what it shows, and its key if it has one.

    A page without arguments takes a `row` that returns None.
    """

    def address(team: Team) -> str:
        made = row(team) if row else None
        if isinstance(made, tuple):  # the keys themselves, where there are several
            return reverse(name, args=made)
        return reverse(name, args=[made.pk] if made else [])

    address.__name__ = f"{name} {row.__name__}" if row else name
    return address


def admin(model: str, row: Callable[[Team], Any] | None = None) -> Address:
    return page(f"admin:{model}_{'change' if row else 'changelist'}", row)


def example_list(query: str, row: Callable[[Team], Dataset]) -> Address:
    """The list of a dataset's examples; `query` goes with its address."""

    def address(team: Team) -> str:
        url = reverse("admin:datasets_app_example_changelist")
        return f"{url}?dataset={row(team).pk}{query}"

    address.__name__ = f"example_list {query} {row.__name__}"
    return address


PAGES = [
    page("home"),
    page("home", jobs.job_in_each_state),
    page("account:tokens"),
    page("account:password"),
    page("notifications:mine"),
    page("audit:log", teams.audited),
    page("processes", jobs.provider_asked),
    page("teams:detail", teams.with_webhooks),
    page("jobs:waiting", jobs.one_launch_waits),
    page("jobs:detail", jobs.waiting_launch),
    page("jobs:detail", jobs.declined_launch),
    page("datasets:list"),
    page("datasets:new"),
    page("datasets:detail", datasets.empty_dataset),
    page("datasets:detail", datasets.dataset_of),
    page("datasets:detail", datasets.counting),
    page("datasets:import", datasets.dataset_of),
    page("datasets:import_preview", datasets.uploaded),
    page("datasets:import_preview", datasets.uploaded_table),
    page("datasets:import_run", datasets.imported),
    page("datasets:import_run", datasets.waiting_import),
    page("datasets:import_run", datasets.undone_import),
    page("datasets:import_undo", datasets.imported),
    page("datasets:import_mend", datasets.rejected_line),
    page("datasets:freeze", datasets.dataset_of),
    page("datasets:freeze_run", datasets.waiting_freeze),
    page("datasets:freeze_run", datasets.failed_freeze),
    page("datasets:review", examples.in_review),
    page("datasets:review", datasets.empty_dataset),
    page("datasets:edits", datasets.empty_dataset),
    page("datasets:edits", examples.with_edits),
    page("datasets:edit", examples.edited),
    examples.find_and_replace,
    page("datasets:bin", datasets.empty_dataset),
    page("datasets:bin", examples.with_bin),
    page("datasets:version", datasets.version),
    page("datasets:version", datasets.changed_version),
    page("datasets:version_diff", datasets.changed_version),
    datasets.removed_rows,
    page("datasets:version_copy", datasets.version),
    page("datasets:versions", datasets.empty_dataset),
    page("datasets:versions", datasets.versions_of_dataset),
    page("datasets:export", datasets.dataset_of),
    page("datasets:export", datasets.empty_dataset),
    datasets.version_in_other_formats,
    page("datasets:preflight", datasets.dataset_of),
    page("datasets:preflight", datasets.checked),
    datasets.finding,
    page("datasets:balance", datasets.dataset_of),
    page("datasets:balance", datasets.checked),
    page("datasets:split", datasets.dataset_of),
    page("jobs:list"),
    page("jobs:list", jobs.job_in_each_state),
    page("jobs:new"),
    page("jobs:detail", jobs.running_job),
    page("jobs:detail", jobs.finished_job),
    page("jobs:detail", jobs.failed_job),
    page("jobs:detail", jobs.estimated_job),
    page("jobs:detail", jobs.deployable_job),
    page("jobs:detail", jobs.unsure_job),
    page("jobs:detail", jobs.asked_to_launch_again),
    page("providers:detail", jobs.provider),
    page("providers:detail", jobs.checked_provider),
    page("admin:index"),
    admin("datasets_app_basemodel"),
    admin("jobs_app_price"),
    page("admin:jobs_app_price_add"),
    admin("teams_app_team"),
    admin("teams_app_team", teams.itself),
    admin("teams_app_user"),
    page("admin:teams_app_user_add"),
    admin("datasets_app_dataset"),
    admin("datasets_app_dataset", datasets.dataset_of),
    page("admin:datasets_app_example_changelist", examples.two_datasets),
    example_list("", datasets.empty_dataset),
    example_list("&state=draft&sort=-tokens", examples.kept_filter),
    example_list("&q=nothing", datasets.dataset_of),
    admin("datasets_app_example", examples.example),
    admin("datasets_app_example", examples.calling_example),
    admin("datasets_app_example", examples.preference),
    page("admin:datasets_app_example_history", examples.changed_example),
    admin("datasets_app_importrun", datasets.imported),
    admin("jobs_app_provider", jobs.provider),
    page("admin:jobs_app_provider_add"),
    admin("jobs_app_leftoverfile"),
    admin("jobs_app_leftoverfile", jobs.leftover),
    admin("jobs_app_webhookdoor", jobs.webhook_door),
    page("jobs:detail", jobs.job_for_later),
    admin("jobs_app_finetuningjob"),
    admin("jobs_app_finetuningjob", jobs.draft_for_later),
    admin("jobs_app_finetuningjob", jobs.unsure_job),
    admin("django_celery_beat_periodictask"),
    page("admin:tuning_server_app_apikey_changelist", teams.given_up_message),
    page("admin:tuning_server_app_apikey_add"),
    page("admin:tuning_server_app_organization_changelist", teams.given_up_message),
    page("admin:tuning_server_app_webhook_changelist", teams.given_up_message),
    page("admin:tuning_server_app_webhook_add"),
    page("admin:tuning_server_app_webhookdelivery_changelist", teams.given_up_message),
]
