"""What the operator's pages have in common: for superusers, and to look at mostly."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise


class OperatorAdmin(admin.ModelAdmin):
    """Rows that only services change: no form adds, edits or deletes them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _is_operator(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)


class ShowsSecretOnce(OperatorAdmin):
    """Its form makes a row with a secret, which stands in the answer to the form alone:
    no redirect, so neither a session nor a cookie ever carries it."""

    advice: str | Promise = ""  # what the secret is for

    def store(self, row: Any) -> str:
        """Save the new row. Returns its secret."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._is_operator(request)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        obj.secret_shown_once = self.store(obj)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": str(obj),
            "opts": self.opts,
            "secret": obj.secret_shown_once,
            "advice": self.advice,
        }
        template = "admin/tuning_server_app/secret.html"
        return TemplateResponse(request, template, context)
