"""The base models' tokenizers as plain files, to count tokens with and no torch."""

import subprocess
import sys
from pathlib import Path

from tuning_server_app.base_models import folder_name
from tuning_server_app.services.hub import missing_downloads
from tuning_server_app.services.tuned_models import base_models
from tuning_server_app.trainer_process import PROJECT_ROOT


def begin_saving_tokenizers(folder: Path) -> list[subprocess.Popen[bytes]]:
    """Write those that are missing, each in a process of its own (about 6 s).

    Whoever needs them waits for the processes; a failure stands on their stderr.
    """
    not_here = missing_downloads()
    missing = [
        (base, folder / folder_name(base))
        for name, base in base_models().items()
        if name not in not_here and not (folder / folder_name(base)).is_dir()
    ]
    module = "tuning_server_app.training.save_tokenizer"
    return [
        subprocess.Popen(  # noqa: S603 (our own module, no shell)
            [sys.executable, "-m", module, base.name, base.source, str(target)],
            cwd=PROJECT_ROOT,
        )
        for base, target in missing
    ]
