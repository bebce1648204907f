"""Texts from PostgreSQL as it sends them: UTF-8 that nobody decodes.

Imported where PostgreSQL is used: nobody else need wait for its driver.
"""

from typing import Any

from psycopg.adapt import Buffer, Loader


class UndecodedLoader(Loader):
    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def leave_texts_undecoded(cursor: Any) -> None:
    """What the cursor fetches from columns of type text are bytes from now on."""
    cursor.adapters.register_loader("text", UndecodedLoader)
