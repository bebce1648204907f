"""The door at which providers knock when a job of ours has moved."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from guarded_calls.sealing import UnreadableSecret
from jobs_app import tasks
from jobs_app.models import WebhookDoor
from jobs_app.providers.inbound import NotTheProvider, read_webhook
from jobs_app.services.inbound import MINUTE, hear, is_crowded

MAX_BODY_BYTES = 64 * 1024


@csrf_exempt  # no browser comes here: the signature says who calls
@require_POST
def provider_webhook(request: HttpRequest, token: str) -> HttpResponse:
    """200 whatever the news: only a caller who is not the provider gets a no."""
    doors = WebhookDoor.objects.exclude(secret="").select_related("provider")
    door = get_object_or_404(doors, token=token)
    if is_crowded(door):
        wait = int(MINUTE.total_seconds())
        return HttpResponse(status=429, headers={"Retry-After": str(wait)})
    if int(request.headers.get("content-length") or 0) > MAX_BODY_BYTES:
        return HttpResponse(status=413)
    try:
        news = read_webhook(door.secret, request.body, request.headers)
    except (NotTheProvider, UnreadableSecret):
        return HttpResponse(status=400)  # without a word of what was wrong
    if news is not None and hear(door.provider, news):
        tasks.poll_provider.delay_on_commit(door.provider_id)
    return HttpResponse()
