"""gunicorn's settings for the web process: loopback only; a proxy goes in front."""

import os
import sys
from typing import Any

from datasets_app.token_counts import load_encodings

_port = os.environ.get("SITE_PORT", "8000")

bind = f"127.0.0.1:{_port}"
worker_class = "gthread"
workers = 2
# The portal asks our own /v1 over HTTP, so one question holds two threads.
threads = 16
timeout = 120
graceful_timeout = 3  # Ctrl-C should not wait for a long answer
loglevel = "warning"


def on_starting(_server: Any) -> None:
    """Before the processes part: they share the tables, and no request waits for them.

    The first row that somebody saved would else stop all pages of its process.
    """
    load_encodings()


def when_ready(_server: Any) -> None:
    sys.stderr.write(f"\n  finetune-site is ready:  http://127.0.0.1:{_port}/\n\n")
