from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path

from finetune_site import health, metrics, readiness
from teams_app.views import SignInView

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz, {"checks": readiness.CHECKS}),
    path("metrics", metrics.metrics),
    path("", include("jobs_app.urls")),
    path("datasets/", include("datasets_app.urls")),
    path("account/", include("teams_app.urls")),
    path("audit/", include("teams_app.audit_urls")),
    path("sign-in/", SignInView.as_view(), name="login"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
if settings.TUNING_SERVER:
    urlpatterns.append(path("v1/", include("tuning_server_app.urls")))
