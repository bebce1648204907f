"""The banner of every portal page: which background process stands still."""

from typing import Any

from django import template
from django.template.context import Context

from jobs_app import services

register = template.Library()


@register.inclusion_tag("jobs_app/_silent.html", takes_context=True)
def silent_processes(context: Context) -> dict[str, Any]:
    user = context.get("user")
    is_in = user is not None and user.is_authenticated
    return {"is_in": is_in, "silent": services.silent_processes() if is_in else []}
