"""What Django takes the backend from; settings name this folder as the ENGINE."""

from typing import Any

from django.db.backends.sqlite3 import base

from finetune_site.sqlite_in_turn.turns import turn_to_wait

# What takes the write lock where no transaction has it yet.
WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE", "REPLACE")


class Cursor(base.SQLiteCursorWrapper):
    """`turns` is the path of the file with the turn; empty of a database in memory."""

    turns = ""

    def execute(self, query: str, params: Any = None) -> Any:
        if not self.turns or self.connection.in_transaction or not _writes(query):
            return super().execute(query, params)
        with turn_to_wait(self.turns):
            return super().execute(query, params)


class DatabaseWrapper(base.DatabaseWrapper):
    def create_cursor(self, name: Any = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        if not self.is_in_memory_db():
            cursor.turns = f"{self.settings_dict['NAME']}-turns"
        return cursor


def _writes(query: str) -> bool:
    return query.lstrip()[:7].upper().startswith(WRITES)
