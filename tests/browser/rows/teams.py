"""Teams, their log and the tuning server, as the pages show them."""

from guarded_calls.signing import new_secret
from jobs_app.models import (
    Webhook,
)
from jobs_app.services.notices import make_test
from teams_app.audit import record
from teams_app.models import Team, Verb
from tests.browser.rows.datasets import dataset_of
from tests.tuning_server_app import factories as tuning_server
from tuning_server_app.models import Webhook as TuningWebhook
from tuning_server_app.models import WebhookDelivery
from tuning_server_app.services.jobs import cancel_job


def itself(team: Team) -> Team:
    return team


def with_webhooks(team: Team) -> Team:
    url = "https://hooks.example.com/services/T0000/B0000/XXXXXXXXXXXXXXXXXXXXXXXX"
    for problem in ("", "The receiver answered with the status 410."):
        hook = Webhook.objects.create(
            team=team, name="#alerts", url=url, secret=new_secret(), problem=problem
        )
        sent = make_test(hook)
        sent.problem, sent.state = problem, "given_up" if problem else "sent"
        sent.save()
    return team


def audited(team: Team) -> None:
    dataset = dataset_of(team)
    record(Verb.CHANGED, dataset, by=None, fields=["name"], name=["Cards", "Chats"])
    dataset.delete()


def given_up_message(team: Team) -> None:
    """Of the tuning server: one of its jobs ended, and its webhook was gone."""
    tuning_job = tuning_server.make_job()
    tuning_server.make_key(tuning_job.organization)
    hook = tuning_server.make_webhook(
        tuning_job.organization, "https://hooks.example.com/a-rather/long-one"
    )
    cancel_job(tuning_job)
    problem = "The receiver answered with the status 410."
    TuningWebhook.objects.filter(pk=hook.pk).update(problem=problem)
    WebhookDelivery.objects.update(state="given_up", problem=problem)
