"""Train one model: `python -m tuning_server_app.training RUN_FOLDER`.

RUN_FOLDER holds run.json, training.jsonl, perhaps validation.jsonl, and perhaps the
state of a run to go on from. Events come out on stdout, a log on stderr; `pause` on
stdin has the run save itself and end. Ends with 0 when a model is finished or the run
paused, 1 when it failed, 143 when it was stopped.
"""

import argparse
import importlib
import logging
import sys
import time
from pathlib import Path

from tuning_server_app.training import lifeline
from tuning_server_app.training.events import no_events, take_stdout
from tuning_server_app.training.rank import COUNT, IS_FIRST

REPORT_SECONDS = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_folder", type=Path)
    folder = parser.parse_args().run_folder
    if COUNT > 1:
        lifeline.die_with_launcher()
    pause = lifeline.hold()
    events = take_stdout() if IS_FIRST else no_events()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    events.progress("Starting the trainer")
    # torch and its friends take seconds to load. They are loaded only now, when the
    # process can already be stopped and stdout is out of their reach.
    run = importlib.import_module("tuning_server_app.training.run").run
    if run(folder, events, pause):
        return 0
    if not IS_FIRST:  # the end of one ends all: the first one reports before that
        time.sleep(REPORT_SECONDS)
    return 1


if __name__ == "__main__":
    sys.exit(main())
