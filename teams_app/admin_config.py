from django.contrib.admin.apps import AdminConfig


class TeamAdminConfig(AdminConfig):
    """Makes `admin.site` the site that roles open."""

    default_site = "teams_app.admin_site.TeamAdminSite"
