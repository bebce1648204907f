"""For those who keep it running: does this process live, and can it serve?"""

from collections.abc import Callable, Mapping
from functools import cache

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

OK = "ok"


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(
    _request: HttpRequest, checks: Mapping[str, Callable[[], str]]
) -> HttpResponse:
    """200 when all is well that is needed, else 503; the body says what is not."""
    found = {name: check() for name, check in checks.items()}
    is_ready = all(word == OK for word in found.values())
    return JsonResponse(found, status=200 if is_ready else 503)


def database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return _migrations()
    except Error:
        return "does not answer"


def _migrations() -> str:
    try:
        _check_migrations()
    except LookupError:
        return "needs ./manage.py migrate"
    return OK


@cache
def _check_migrations() -> None:
    """Kept once all is well; an exception is not kept, and is asked again."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError
