from django.urls import path

from teams_app import views

app_name = "account"
urlpatterns = [
    path("", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("password/", views.PasswordView.as_view(), name="password"),
]
