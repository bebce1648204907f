"""In a folder that others may look into, nobody else reads what the site keeps."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
KEEP_SOMETHING = """
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("CREATE TABLE secret (word TEXT)")
default_storage.save("imports/rows.jsonl", ContentFile(b"{}"))
"""


def test_everything_is_for_its_owner_alone(tmp_path: Path):
    tmp_path.chmod(0o755)
    environment = {
        **os.environ,
        "FINETUNE_SITE_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "finetune_site.settings",
        "DATABASE_URL": "",
        "SECRET_KEY": "",
    }
    subprocess.run(  # noqa: S603 (our own code)
        [sys.executable, "-c", KEEP_SOMETHING],
        cwd=PROJECT_ROOT,
        env=environment,
        check=True,
        umask=0o022,
    )
    kept = [path.relative_to(tmp_path) for path in tmp_path.rglob("*")]
    readable = [path for path in kept if (tmp_path / path).stat().st_mode & 0o077]

    assert Path("db.sqlite3") in kept
    assert any(path.parts[:2] == ("files", "imports") for path in kept)
    assert readable == []
