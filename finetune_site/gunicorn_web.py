"""gunicorn's settings for the web process: loopback only; a proxy goes in front."""

import os
import sys
from typing import Any

_port = os.environ.get("SITE_PORT", "8000")

bind = f"127.0.0.1:{_port}"
worker_class = "gthread"
workers = 2
# The portal asks our own /v1 over HTTP, so one question holds two threads.
threads = 16
timeout = 120
graceful_timeout = 3  # Ctrl-C should not wait for a long answer
loglevel = "warning"


def when_ready(_server: Any) -> None:
    sys.stderr.write(f"\n  finetune-site is ready:  http://127.0.0.1:{_port}/\n\n")
