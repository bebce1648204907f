"""What the database is told that Django has no word for."""

import pytest
from django.db import connection

from datasets_app.database import storage

pytestmark = pytest.mark.django_db


def test_a_link_to_a_tag_is_written_to_no_index_twice():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, storage.LINKS)
    indexes = [each["columns"] for each in found.values() if each["index"]]

    assert ["tag_id", "example_id"] in indexes
    assert ["tag_id"] not in indexes
    assert ["example_id"] not in indexes
