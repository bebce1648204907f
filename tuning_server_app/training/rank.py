"""Which of a run's processes this is, as `accelerate launch` tells each of them."""

import os

RANK = int(os.environ.get("RANK", "0"))
COUNT = int(os.environ.get("WORLD_SIZE", "1"))
IS_FIRST = RANK == 0  # the one that reports and saves
