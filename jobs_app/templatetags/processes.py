"""The banner of every portal page: which background process stands still."""

from typing import Any

from django import template
from django.template.context import Context
from django.utils.html import format_html

from jobs_app import services
from jobs_app.services.heartbeats import Pulse, start_command

register = template.Library()


@register.inclusion_tag("jobs_app/_silent.html", takes_context=True)
def silent_processes(context: Context) -> dict[str, Any]:
    user = context.get("user")
    is_in = user is not None and user.is_authenticated
    return {"is_in": is_in, "silent": services.silent_processes() if is_in else []}


@register.filter
def advice(pulse: Pulse) -> str:
    """What to do, the command in it as what it is: something to copy."""
    command = start_command(pulse.name)
    before, found, after = pulse.advice.partition(command)
    if not found:
        return pulse.advice
    return format_html('{}<code class="copyable">{}</code>{}', before, command, after)
