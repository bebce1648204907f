"""Seconds from ./run, with everything installed, to the first page served.

python -m benchmarks.start_up
"""

import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from installation import BIN
from tests.end_to_end.site import Site

ROUNDS = 3


def bare_django() -> float:
    """The floor: one Django process that only checks itself."""
    began = time.monotonic()
    command = [str(BIN / "python"), "manage.py", "check"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def start(*arguments: str) -> tuple[float, float]:
    """Seconds to the first page, on an empty var/ and on the same one again."""
    with tempfile.TemporaryDirectory(prefix="ft-") as folder:
        seconds = []
        for _round in range(2):
            site = Site(Path(folder), *arguments)
            seconds.append(site.seconds_to_first_page)
            site.stop()
    return seconds[0], seconds[1]


def main() -> None:
    rounds = [start() for _round in range(ROUNDS)]
    floor = statistics.median(bare_django() for _round in range(ROUNDS))
    print("| to the first page | median s | × floor |")
    print("|---|---|---|")
    print(f"| floor: manage.py check | {floor:.1f} | 1.0 |")
    for name, column in zip(
        ("first start", "next start"), zip(*rounds, strict=True), strict=True
    ):
        seconds = statistics.median(column)
        print(f"| {name} | {seconds:.1f} | {seconds / floor:.1f} |")


if __name__ == "__main__":
    main()
