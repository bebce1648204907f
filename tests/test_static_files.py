import os
import re
import time
from pathlib import Path

import pytest
from django.core.management import call_command

from finetune_site.static_files import collect_static


@pytest.fixture
def source(tmp_path: Path, settings) -> Path:
    """A static file of a site that has no other."""
    folder = tmp_path / "sources"
    folder.mkdir()
    settings.STATICFILES_FINDERS = [
        "django.contrib.staticfiles.finders.FileSystemFinder"
    ]
    settings.STATICFILES_DIRS = [folder]
    settings.STATIC_ROOT = tmp_path / "collected"
    file = folder / "site.css"
    file.write_text("a {}")
    return file


def test_nothing_is_collected_twice(source: Path):
    assert collect_static()
    assert not collect_static()


def test_a_changed_file_is_collected_again(source: Path, settings):
    collect_static()
    source.write_text("a { color: red }")
    later = time.time() + 60  # Django compares whole seconds
    os.utime(source, (later, later))

    assert collect_static()
    assert "red" in (settings.STATIC_ROOT / "site.css").read_text()


def test_a_module_imports_the_others_by_their_hashed_names(tmp_path: Path, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "finetune_site.static_files.HashedFiles"},
    }
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", verbosity=0, interactive=False)
    imported = {
        name
        for file in tmp_path.glob("editor/*.????????????.js")
        for name in re.findall(r'from "\./([^"]+)"', file.read_text())
    }

    assert len(imported) > 5
    for name in imported:
        assert re.fullmatch(r"[\w-]+\.[0-9a-f]{12}\.js", name)
        assert (tmp_path / "editor" / name).exists()
