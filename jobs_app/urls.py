from django.urls import include, path

from jobs_app import views
from jobs_app.api import api

job_urls = [
    path("", views.job_list, name="list"),
    path("new/", views.job_new, name="new"),
    path("new/base-models/", views.base_model_options, name="base_models"),
    path("new/estimate/", views.estimate, name="estimate"),
    path("<int:pk>/", views.job_detail, name="detail"),
    path("<int:pk>/live/", views.live, name="live"),
    path("<int:pk>/charts/", views.charts, name="charts"),
    path("<int:pk>/points/", views.points, name="points"),
    path("<int:pk>/held-out/", views.held_out, name="held_out"),
    path("<int:pk>/launch/", views.launch, name="launch"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/compare/", views.compare, name="compare"),
    path("<int:pk>/ask/", views.ask, name="ask"),
    path("<int:pk>/ask/<str:key>/", views.answer, name="answer"),
]
urlpatterns = [
    path("", views.home, name="home"),
    path("jobs/", include((job_urls, "jobs"))),
    path("api/", api.urls),
]
