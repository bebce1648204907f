"""How many epochs a provider will choose if it is left the choice: a guess.

OpenAI publishes no rule; this is its cookbook's. The built-in server's own is known,
and a test holds that it is still this one.
"""

import math

TARGET_EPOCHS, MAX_EPOCHS = 3, 25
MIN_EXAMPLES, MAX_EXAMPLES = 100, 25_000

# Of the built-in server: rows up to → (rows of a batch, fewest epochs).
BATCHES = ((50, 2, 8), (200, 4, 5), (1000, 8, 3), (math.inf, 16, 2))
SHORT_ROW_TOKENS = 128
ENOUGH_STEPS = 96
MOST_EPOCHS = 20


def cookbook_epochs(n_rows: int) -> int:
    """Three, unless the rows would be read fewer than 100 or more than 25,000 times."""
    n_rows = max(1, n_rows)
    if n_rows * TARGET_EPOCHS < MIN_EXAMPLES:
        return min(MAX_EPOCHS, MIN_EXAMPLES // n_rows)
    if n_rows * TARGET_EPOCHS > MAX_EXAMPLES:
        return max(1, MAX_EXAMPLES // n_rows)
    return TARGET_EPOCHS


def built_in_epochs(n_rows: int, n_tokens: int, batch_size: int | None = None) -> int:
    """Enough for about a hundred steps.

    Args:
        n_tokens: of all training rows together.
        batch_size: None if that is left to the server, too.
    """
    n_rows = max(1, n_rows)
    _most, rows, fewest = next(each for each in BATCHES if n_rows <= each[0])
    if n_tokens / n_rows < SHORT_ROW_TOKENS:
        rows *= 2
    steps = math.ceil(n_rows / (batch_size or rows))
    return min(MOST_EPOCHS, max(fewest, math.ceil(ENOUGH_STEPS / steps)))
