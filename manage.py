#!/usr/bin/env python3
"""Django's commands. Re-executes itself in .venv, so nothing needs activating."""

import os
import sys
from pathlib import Path

VENV_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finetune_site.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        if VENV_PYTHON.exists() and Path(sys.prefix) != VENV_PYTHON.parent.parent:
            os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])
        sys.exit("Django is not installed. Run ./run once: it sets everything up.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
