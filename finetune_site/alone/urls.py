"""`/v1`, the operators' admin, and what probes ask."""

from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView

from finetune_site import health
from finetune_site.alone import readiness

admin.site.site_header = admin.site.site_title = _("Tuning server")
admin.site.site_url = None

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz, {"checks": readiness.CHECKS}),
    path("v1/", include("tuning_server_app.urls")),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
