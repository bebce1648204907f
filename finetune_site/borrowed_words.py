"""Words of other packages that they leave in English, or translate badly.

All catalogs are one at runtime and ours comes first. A word that stands here gets its
Korean from ours: our admin shows it, so it is ours to say well.
"""

from django.utils.translation import gettext_noop

DJANGO = (
    gettext_noop(" By %(filter_title)s "),
    gettext_noop("History"),
    gettext_noop("None available"),
    gettext_noop("View %s"),
    gettext_noop("users"),
)

DJANGO_AXES = (
    gettext_noop("access attempt"),
    gettext_noop("access attempts"),
    gettext_noop("access failure"),
    gettext_noop("access failures"),
    gettext_noop("access log"),
    gettext_noop("access logs"),
    gettext_noop("Access lock out"),
    gettext_noop("Attempt Remaining"),
    gettext_noop("Attempt Time"),
    gettext_noop("Clean up expired attempts"),
    gettext_noop("Expires At"),
    gettext_noop("Failed Logins"),
    gettext_noop("Form Data"),
    gettext_noop("GET Data"),
    gettext_noop("HTTP Accept"),
    gettext_noop("IP Address"),
    gettext_noop("Locked Out"),
    gettext_noop("Logout Time"),
    gettext_noop("Meta Data"),
    gettext_noop("Not set"),
    gettext_noop("POST Data"),
    gettext_noop("Path"),
    gettext_noop("Session key hash (sha256)"),
    gettext_noop("User Agent"),
    gettext_noop("Username"),
)

DJANGO_CELERY_BEAT = (
    gettext_noop("Arguments"),
    gettext_noop("Clock Time"),
    gettext_noop("Clocked Schedule"),
    gettext_noop("Cron Timezone"),
    gettext_noop("Crontab Schedule"),
    gettext_noop("Enabled"),
    gettext_noop("Exchange"),
    gettext_noop("Execution Options"),
    gettext_noop("Interval Period"),
    gettext_noop("Interval Schedule"),
    gettext_noop("Keyword Arguments"),
    gettext_noop("Last Run Datetime"),
    gettext_noop("Number of Periods"),
    gettext_noop("One-off Task"),
    gettext_noop("Periodic Tasks"),
    gettext_noop("Periodic Tasks Using This Schedule"),
    gettext_noop("Positional Arguments"),
    gettext_noop("Priority"),
    gettext_noop("Queue Override"),
    gettext_noop("Routing Key"),
    gettext_noop("Schedule"),
    gettext_noop("Solar Event"),
    gettext_noop("Solar Schedule"),
    gettext_noop("clocked"),
    gettext_noop("crontab"),
    gettext_noop("crontabs"),
    gettext_noop("every {}"),
    gettext_noop("every {} {}"),
    gettext_noop("interval"),
    gettext_noop("intervals"),
    gettext_noop("periodic task"),
    gettext_noop("periodic tasks"),
    gettext_noop("solar event"),
    gettext_noop("solar events"),
)
