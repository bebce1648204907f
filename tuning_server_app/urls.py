"""The paths of the OpenAI API that this server has, below /v1/."""

from django.urls import path, re_path

from tuning_server_app.views import (
    description,
    files,
    graders,
    jobs,
    models,
    permissions,
    stored_chats,
    uploads,
)
from tuning_server_app.views.endpoint import UnknownPath

JOB = "fine_tuning/jobs/<str:job_id>"
UPLOAD = "uploads/<str:upload_id>"
PERMISSIONS = "fine_tuning/checkpoints/<path:model_id>/permissions"
CHAT = "chat/completions/<str:completion_id>"

urlpatterns = [
    path("files", files.Files.as_view()),
    path("files/<str:file_id>", files.OneFile.as_view()),
    path("files/<str:file_id>/content", files.FileContent.as_view()),
    path("uploads", uploads.Uploads.as_view()),
    path(f"{UPLOAD}/parts", uploads.Parts.as_view()),
    path(f"{UPLOAD}/complete", uploads.CompleteUpload.as_view()),
    path(f"{UPLOAD}/cancel", uploads.CancelUpload.as_view()),
    path("fine_tuning/jobs", jobs.Jobs.as_view()),
    path(JOB, jobs.OneJob.as_view()),
    path(f"{JOB}/cancel", jobs.CancelJob.as_view()),
    path(f"{JOB}/pause", jobs.PauseJob.as_view()),
    path(f"{JOB}/resume", jobs.ResumeJob.as_view()),
    path(f"{JOB}/events", jobs.JobEvents.as_view()),
    path(f"{JOB}/checkpoints", jobs.JobCheckpoints.as_view()),
    path("fine_tuning/alpha/graders/validate", graders.ValidateGrader.as_view()),
    path("fine_tuning/alpha/graders/run", graders.RunGrader.as_view()),
    path(PERMISSIONS, permissions.Permissions.as_view()),
    path(f"{PERMISSIONS}/<str:permission_id>", permissions.OnePermission.as_view()),
    path("models", models.Models.as_view()),
    # A base model's name may hold a slash.
    path("models/<path:model_id>", models.OneModel.as_view()),
    path("chat/completions", stored_chats.Chats.as_view()),
    path(CHAT, stored_chats.OneChat.as_view()),
    path(f"{CHAT}/messages", stored_chats.ChatMessages.as_view()),
    path("openapi.json", description.Description.as_view()),
    re_path("", UnknownPath.as_view()),
]
