"""What the web process has ready before anybody asks for a page."""

import subprocess
import sys

from django.conf import settings

COUNT_WITHOUT_LOADING = """
from finetune_site import gunicorn_web
gunicorn_web.on_starting(None)
import quicktok
quicktok.Tokenizer = None
from datasets_app.token_counts import PER_FUNCTION, openai_counter
for encoding in PER_FUNCTION:
    turns = [{"role": "user", "content": "Hello"}]
    assert openai_counter(encoding).count({"messages": turns}) > 1
"""


def test_no_request_waits_until_an_encoding_is_loaded():
    command = [sys.executable, "-c", COUNT_WITHOUT_LOADING]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()
