"""A provider's page: what it can do, and the check that finds it out."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from jobs_app import services, tasks
from jobs_app.models import Provider
from jobs_app.provider_facts import ability_lines, facts, step_lines
from jobs_app.providers import profile_of
from jobs_app.views.access import signed_in, user_of
from teams_app.access import has_role
from teams_app.models import Role
from teams_app.rows import get_row


class CheckForm(forms.Form):
    """What a check is allowed to do."""

    base_model = forms.CharField(
        label=_("Base model"),
        max_length=200,
        help_text=_("A job with it is created and cancelled, and one question asked."),
    )
    may_cost = forms.BooleanField(
        label=_("Do also what costs money"),
        required=False,
        help_text=_(
            "A job of ten short rows is created and cancelled at once, and one short "
            "question is asked; the provider may charge for both. Without it only the "
            "key, files and lists are tried."
        ),
    )

    def __init__(self, data: Any = None, *, provider: Provider) -> None:
        super().__init__(data, initial={"base_model": provider.default_base_model})
        if not profile_of(provider).costs_money:
            del self.fields["may_cost"]


@require_safe
@signed_in
def provider(request: HttpRequest, pk: int) -> HttpResponse:
    """To htmx, which asks every two seconds: the part that changes."""
    row = _provider(request, pk, Role.VIEWER)
    part = "jobs_app/_provider_check.html"
    page = part if request.htmx else "jobs_app/provider.html"  # type: ignore[attr-defined]
    return render(request, page, _context(request, row, CheckForm(provider=row)))


@require_POST
@signed_in
def provider_check(request: HttpRequest, pk: int) -> HttpResponse:
    row = _provider(request, pk, Role.OWNER)
    form = CheckForm(request.POST, provider=row)
    if not form.is_valid():
        return _refused(request, row, form)
    try:
        check = services.start_check(
            row,
            base_model=form.cleaned_data["base_model"],
            may_cost=form.cleaned_data.get("may_cost", False),
            by=user_of(request),
        )
    except ValidationError as exc:
        form.add_error("base_model", exc)
        return _refused(request, row, form)
    tasks.check_provider.delay_on_commit(check.pk)
    return redirect("providers:detail", pk)


@require_POST
@signed_in
def provider_check_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    row = _provider(request, pk, Role.OWNER)
    if (newest := row.checks.first()) and newest.is_open:
        services.cancel_check(newest, by=user_of(request))
    return redirect("providers:detail", pk)


def _provider(request: HttpRequest, pk: int, role: Role) -> Provider:
    found: Provider = get_row(
        request, Provider.objects.select_related("team"), pk, role
    )
    return found


def _refused(request: HttpRequest, row: Provider, form: CheckForm) -> HttpResponse:
    return render(request, "jobs_app/provider.html", _context(request, row, form))


def _context(request: HttpRequest, row: Provider, form: CheckForm) -> dict[str, Any]:
    check = row.checks.select_related("created_by").first()
    return {
        "provider": row,
        "facts": facts(row),
        "abilities": ability_lines(row),
        "check": check,
        "steps": step_lines(check) if check else [],
        "form": form,
        "may_check": has_role(request.user, row, Role.OWNER),
    }
