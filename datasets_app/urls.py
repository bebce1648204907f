from django.urls import path

from datasets_app import views

app_name = "datasets"
urlpatterns = [
    path("", views.dataset_list, name="list"),
    path("new/", views.dataset_new, name="new"),
    path("<int:pk>/", views.dataset_detail, name="detail"),
    path("<int:pk>/preflight/", views.preflight, name="preflight"),
    path("<int:pk>/preflight/check/", views.preflight_check, name="preflight_check"),
    path(
        "<int:pk>/preflight/<slug:code>/", views.preflight_code, name="preflight_code"
    ),
    path("<int:pk>/mend/", views.mend, name="mend"),
    path("checks/<int:pk>/cancel/", views.check_cancel, name="check_cancel"),
    path("mends/<int:pk>/undo/", views.mend_undo, name="mend_undo"),
    path("<int:pk>/tokens/", views.tokens, name="tokens"),
    path("<int:pk>/base-model/", views.choose_base_model, name="base_model"),
    path("counts/<int:pk>/cancel/", views.count_cancel, name="count_cancel"),
    path("<int:pk>/import/", views.import_new, name="import"),
    path("<int:pk>/balance/", views.balance, name="balance"),
    path("<int:pk>/split/", views.split, name="split"),
    path("<int:pk>/freeze/", views.freeze, name="freeze"),
    path("<int:pk>/versions/", views.version_list, name="versions"),
    path("<int:pk>/export/", views.export, name="export"),
    path("<int:pk>/export/<str:format>/", views.export_file, name="export_file"),
    path("freezes/<int:pk>/", views.freeze_run, name="freeze_run"),
    path("freezes/<int:pk>/cancel/", views.freeze_cancel, name="freeze_cancel"),
    path("imports/<int:pk>/", views.import_run, name="import_run"),
    path("imports/<int:pk>/preview/", views.import_preview, name="import_preview"),
    path("imports/<int:pk>/cancel/", views.import_cancel, name="import_cancel"),
    path(
        "imports/<int:pk>/mend/<int:problem_pk>/",
        views.import_mend,
        name="import_mend",
    ),
    path("imports/<int:pk>/undo/", views.import_undo, name="import_undo"),
    path("imports/<int:pk>/redo/", views.import_redo, name="import_redo"),
    path("imports/<int:pk>/resume/", views.import_resume, name="import_resume"),
    path(
        "imports/<int:pk>/rejected.jsonl",
        views.import_rejected,
        name="import_rejected",
    ),
    path("imports/<int:pk>/report.csv", views.import_report, name="import_report"),
    path("<int:pk>/bin/", views.bin_page, name="bin"),
    path("examples/<int:pk>/state/", views.example_decide, name="example_decide"),
    path("examples/<int:pk>/assignee/", views.example_assign, name="example_assign"),
    path("examples/<int:pk>/comments/", views.example_comment, name="example_comment"),
    path("<int:pk>/review/", views.review_queue, name="review"),
    path("<int:pk>/edits/", views.edit_list, name="edits"),
    path("<int:pk>/edits/new/", views.edit_new, name="edit_new"),
    path("edits/<int:pk>/", views.edit_page, name="edit"),
    path("edits/<int:pk>/undo/", views.edit_undo, name="edit_undo"),
    path("edits/<int:pk>/cancel/", views.edit_cancel, name="edit_cancel"),
    path("edits/<int:pk>/resume/", views.edit_resume, name="edit_resume"),
    path("versions/<int:pk>/", views.version_detail, name="version"),
    path("versions/<int:pk>/diff/", views.version_diff, name="version_diff"),
    path("versions/<int:pk>/copy/", views.version_copy, name="version_copy"),
    path(
        "versions/<int:pk>/<str:split>/export/",
        views.version_export,
        name="version_export",
    ),
    path(
        "versions/<int:pk>/<str:split>/export/<str:format>/",
        views.version_export_file,
        name="version_export_file",
    ),
    path(
        "versions/<int:pk>/<str:split>.jsonl", views.version_file, name="version_file"
    ),
]
