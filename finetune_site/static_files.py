"""How static files are stored, and how they are collected if one has changed."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import HashedFilesMixin
from django.core.management import call_command
from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)

IMPORT = (
    r'(?P<matched>import(?P<names>\s*\{[^}]*\})\s*from\s*"(?P<url>\./[^"]+)";)',
    'import%(names)s from "%(url)s";',
)


class HashedFiles(CompressedManifestStaticFilesStorage):
    """Our modules import each other by their hashed names, too: none is stale.

    Django would look into every script for that, and htmx's name files it has not.
    """

    patterns = (*HashedFilesMixin.patterns, ("editor/*.js", (IMPORT,)))


def collect_static() -> bool:
    """Bring STATIC_ROOT up to date. Returns whether anything was done.

    Collecting hashes and packs every file, which is half of a start.
    """
    mark = Path(settings.STATIC_ROOT) / ".sources"
    sources = _fingerprint()
    if mark.exists() and mark.read_text() == sources:
        return False
    call_command("collectstatic", verbosity=0, interactive=False)
    mark.write_text(sources)
    return True


def _fingerprint() -> str:
    """Names, sizes and times of the sources: what an edit or an upgrade changes."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(ignore_patterns=None):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
