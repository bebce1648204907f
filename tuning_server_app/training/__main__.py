"""Train one model: `python -m tuning_server_app.training RUN_FOLDER`.

RUN_FOLDER holds run.json, training.jsonl and perhaps validation.jsonl. Events come out
on stdout, a log on stderr. Ends with 0 when a model is finished, 1 when the run failed,
143 when it was stopped.
"""

import argparse
import importlib
import logging
import sys
from pathlib import Path

from tuning_server_app.training import lifeline
from tuning_server_app.training.events import take_stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_folder", type=Path)
    folder = parser.parse_args().run_folder
    lifeline.hold()
    events = take_stdout()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    events.progress("Starting the trainer")
    # torch and its friends take seconds to load. They are loaded only now, when the
    # process can already be stopped and stdout is out of their reach.
    run = importlib.import_module("tuning_server_app.training.run").run
    return 0 if run(folder, events) else 1


if __name__ == "__main__":
    sys.exit(main())
