from django.urls import include, path

from jobs_app import views
from jobs_app.api import api

job_urls = [
    path("", views.job_list, name="list"),
    path("new/", views.job_new, name="new"),
    path("waiting/", views.waiting, name="waiting"),
    path("new/base-models/", views.base_model_options, name="base_models"),
    path("new/fields/", views.new_fields, name="new_fields"),
    path("new/estimate/", views.estimate, name="estimate"),
    path("<int:pk>/", views.job_detail, name="detail"),
    path("<int:pk>/live/", views.live, name="live"),
    path("<int:pk>/charts/", views.charts, name="charts"),
    path("<int:pk>/points/", views.points, name="points"),
    path("<int:pk>/held-out/", views.held_out, name="held_out"),
    path("<int:pk>/launch/", views.launch, name="launch"),
    path("<int:pk>/approve/", views.approve, name="approve"),
    path("<int:pk>/decline/", views.decline, name="decline"),
    path("<int:pk>/decide/", views.decide, name="decide"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/pause/", views.pause, name="pause"),
    path("<int:pk>/resume/", views.resume, name="resume"),
    path("<int:pk>/retry/", views.retry, name="retry"),
    path("<int:pk>/schedule/", views.schedule, name="schedule"),
    path("<int:pk>/compare/", views.compare, name="compare"),
    path("<int:pk>/deployment/", views.deployment, name="deployment"),
    path("<int:pk>/ask/", views.ask, name="ask"),
    path("<int:pk>/ask/<str:key>/", views.answer, name="answer"),
]
team_urls = [
    path("<int:pk>/", views.team_detail, name="detail"),
    path("<int:pk>/webhooks/", views.webhook_add, name="webhook_add"),
    path("webhooks/<int:pk>/", views.webhook_act, name="webhook"),
]
notification_urls = [
    path("", views.mine, name="mine"),
    path("test/", views.test_mail, name="test"),
]
provider_urls = [
    path("<int:pk>/", views.provider, name="detail"),
    path("<int:pk>/check/", views.provider_check, name="check"),
    path("<int:pk>/check/cancel/", views.provider_check_cancel, name="check_cancel"),
]
urlpatterns = [
    path("", views.home, name="home"),
    path("processes/", views.processes, name="processes"),
    path("jobs/", include((job_urls, "jobs"))),
    path("teams/", include((team_urls, "teams"))),
    path("notifications/", include((notification_urls, "notifications"))),
    path("providers/", include((provider_urls, "providers"))),
    path("api/", api.urls),
    path("webhooks/<slug:token>/", views.provider_webhook, name="provider_webhook"),
]
