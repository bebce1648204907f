#!/usr/bin/env python3
"""Django's commands. Continues in .venv where there is one; activate nothing."""

import os
import sys
from pathlib import Path

VENV = Path(__file__).resolve().parent / ".venv"


def main() -> None:
    python = VENV / "bin" / "python"
    if python.exists() and Path(sys.prefix) != VENV:
        os.execv(python, [str(python), *sys.argv])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finetune_site.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed. Run ./run once: it sets everything up.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
