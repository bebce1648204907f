"""The site's own settings, with its state in a folder of this test run."""

import os
import tempfile

os.environ.setdefault("FINETUNE_SITE_VAR", tempfile.mkdtemp(prefix="finetune-site-"))

from finetune_site.settings import *  # noqa: F403

# A database in memory is one connection that all threads of a live server share: a file
# gives each its own, as the site does.
if DATABASES["default"] is SQLITE:  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}  # noqa: F405
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AXES_ENABLED = False
STATIC_ROOT.mkdir(exist_ok=True)  # noqa: F405  (whitenoise warns of a missing one)
# Innermost: it sees what a view of /v1 answers, before anything is added.
MIDDLEWARE = [*MIDDLEWARE, "tests.tuning_server_app.schema_check.SchemaCheck"]  # noqa: F405
