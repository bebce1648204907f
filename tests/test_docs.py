"""The documents and the code say the same."""

import re
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.core.management import get_commands

from finetune_site.first_start import TICKS

ROOT = Path(settings.BASE_DIR)


def settings_in_code() -> set[str]:
    source = (ROOT / "finetune_site/settings.py").read_text()
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))


def settings_in_example() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))


def settings_in_readme() -> dict[str, str]:
    text = (ROOT / "README.md").read_text()
    return dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^|`]*?)`? ?\|", text, re.MULTILINE))


def test_every_setting_stands_in_the_example():
    assert settings_in_code() == set(settings_in_example())


def test_the_readme_lists_every_setting_with_its_default():
    assert settings_in_readme() == settings_in_example()


def test_every_tick_names_a_task_that_exists():
    current_app.loader.import_default_modules()
    assert set(TICKS) <= set(current_app.tasks)


def test_every_process_of_the_architecture_stands_in_the_procfile():
    processes = re.findall(r"^(\w+):", (ROOT / "Procfile").read_text(), re.MULTILINE)
    text = (ROOT / "docs/architecture.md").read_text()
    assert [name for name in processes if f"`{name}`" not in text] == []


def test_every_command_in_the_documents_exists():
    pages = [ROOT / "README.md", ROOT / ".env.example", *(ROOT / "docs").glob("*.md")]
    text = "".join(page.read_text() for page in pages)
    assert set(re.findall(r"\./manage\.py (\w+)", text)) <= set(get_commands())


def test_every_local_link_in_the_documents_leads_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        links = re.findall(r"\]\((?!http|#)([^)#]+)", page.read_text())
        missing = [link for link in links if not (page.parent / link).exists()]
        assert missing == [], page
