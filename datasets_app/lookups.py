"""`pk__among=keys`: one of thousands of keys, as one parameter.

Django's own `in` takes longer for as many parameters than the database for its work.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Field, ForeignKey, Lookup


@Field.register_lookup
@ForeignKey.register_lookup
class Among(Lookup):
    lookup_name = "among"
    prepare_rhs = False
    rhs: Collection[int]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        keys = f"[{self._keys}]"
        sql = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608
        return sql, [*params, keys]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Of an array it walks an index in order, so that rows are changed in order:
        a third quicker than in the order that IN (SELECT …) happens to find them.
        """
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY (%s::bigint[])", [*params, f"{{{self._keys}}}"]

    @property
    def _keys(self) -> str:
        return ",".join(map(str, self.rhs))
