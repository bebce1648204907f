"""The web process stays light."""

import os
import subprocess
import sys

PROGRAM = """
import sys
import finetune_site.wsgi
from django.test import Client
assert Client(SERVER_NAME="localhost").get("/v1/models").status_code == 401
print(sorted({"torch", "transformers", "peft", "trl"} & sys.modules.keys()))
"""


def test_serving_the_api_loads_no_torch():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
