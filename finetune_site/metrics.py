"""Prometheus' page. All figures are read when it asks: any web process can answer."""

from collections.abc import Iterable, Iterator

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from finetune_site.pulses import PROCESS_OF_QUEUE
from jobs_app.models import FineTuningJob, Heartbeat, JobStatus, ProviderRequests
from jobs_app.services import broker
from teams_app.services import user_of_token

PREFIX = "finetune_site"


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything about all teams, so only with the API token of a superuser."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    user = user_of_token(token)
    if user is None or not user.is_superuser:
        answer = HttpResponse(
            "Send the API token of a superuser: Authorization: Bearer TOKEN\n",
            status=401,
            content_type="text/plain",
        )
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SiteCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class SiteCollector(Collector):
    def collect(self) -> Iterable[Metric]:
        yield _jobs()
        yield from _heartbeats()
        yield _requests()
        yield from _queues()


def _jobs() -> Metric:
    family = GaugeMetricFamily(
        f"{PREFIX}_jobs", "Fine-tuning jobs by status.", labels=["status"]
    )
    counted = FineTuningJob.objects.order_by().values_list("status")
    n_by_status = dict(counted.annotate(Count("pk")))
    for status in {*JobStatus.values, *n_by_status}:
        family.add_metric([status], n_by_status.get(status, 0))
    return family


def _heartbeats() -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        f"{PREFIX}_heartbeat_age_seconds",
        "Since a background process last showed that it lives.",
        labels=["process"],
    )
    rounds = GaugeMetricFamily(
        f"{PREFIX}_round_seconds",
        "How long the last round of a periodic process took.",
        labels=["process"],
    )
    for heartbeat in Heartbeat.objects.all():
        age = (now() - heartbeat.beaten_at).total_seconds()
        ages.add_metric([heartbeat.name], age)
        if heartbeat.seconds is not None:
            rounds.add_metric([heartbeat.name], heartbeat.seconds)
    return iter((ages, rounds))


def _requests() -> Metric:
    family = CounterMetricFamily(
        f"{PREFIX}_provider_requests",
        "HTTP requests to providers, by what came of them.",
        labels=["provider", "result"],
    )
    for row in ProviderRequests.objects.select_related("provider"):
        family.add_metric([f"{row.provider_id} {row.provider}", row.result], row.n)
    return family


def _queues() -> Iterator[Metric]:
    up = GaugeMetricFamily(f"{PREFIX}_broker_up", "1 while the broker answers.")
    depth = GaugeMetricFamily(
        f"{PREFIX}_queue_depth",
        "Messages that no worker has taken yet.",
        labels=["queue"],
    )
    try:
        for name, n_waiting in broker.queue_depths(PROCESS_OF_QUEUE).items():
            depth.add_metric([name], n_waiting)
        up.add_metric([], 1)
    except broker.NO_ANSWER:
        up.add_metric([], 0)
    return iter((up, depth))
