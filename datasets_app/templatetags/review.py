"""The review box of an example's page."""

from typing import Any

from django import template

from datasets_app.models import Example, ReviewState
from datasets_app.services.review import MAY_DECIDE, why_not_decided
from teams_app.access import has_role
from teams_app.models import Role

register = template.Library()
COMMENTS_SHOWN = 50


@register.inclusion_tag("datasets_app/_review_box.html", takes_context=True)
def review_box(context: dict[str, Any], example: Example) -> dict[str, Any]:
    """State, steps that this person may take, reason, assignee, comments."""
    user = context["request"].user
    may_curate = has_role(user, example, Role.CURATOR)
    return {
        "request": context["request"],
        "csrf_token": context.get("csrf_token"),
        "example": example,
        "seen": example.updated_at.isoformat(),
        "steps": _steps(example, user),
        "may_reject": has_role(user, example, Role.REVIEWER),
        "may_curate": may_curate,
        "members": example.dataset.team.members.order_by("username")
        if may_curate
        else [],
        "comments": example.comments.select_related("created_by")[:COMMENTS_SHOWN],
    }


def _steps(example: Example, user: Any) -> list[dict[str, str]]:
    """Each state that the row may get now, but rejected; and why not, if so."""
    return [
        {
            "state": state.value,
            "label": str(state.label),
            "why_not": why_not_decided(example, state=state.value, by=user),
        }
        for state in ReviewState
        if state not in (example.state, ReviewState.REJECTED)
        and has_role(user, example, MAY_DECIDE[example.state, state.value])
    ]
