from django.urls import path

from teams_app import audit_views

app_name = "audit"
urlpatterns = [
    path("", audit_views.log, name="log"),
    path("csv/", audit_views.csv, name="csv"),
]
