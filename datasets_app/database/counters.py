"""Triggers that keep ExampleCount: every change of an example is counted with it."""

from typing import Any

TABLE = "datasets_app_examplecount"
NAMES = ("example_counted_in", "example_counted_out", "example_counted_anew")

_ADD_NEW = """
    INSERT INTO datasets_app_examplecount
        (dataset_id, state, split, is_valid, n_examples, n_tokens)
    SELECT NEW.dataset_id, NEW.state, NEW.split, NEW.is_valid, 0, 0
    WHERE NEW.deleted_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM datasets_app_examplecount
        WHERE dataset_id = NEW.dataset_id AND state = NEW.state
            AND split = NEW.split AND is_valid = NEW.is_valid);
    UPDATE datasets_app_examplecount
    SET n_examples = n_examples + 1, n_tokens = n_tokens + NEW.n_tokens
    WHERE NEW.deleted_at IS NULL
        AND dataset_id = NEW.dataset_id AND state = NEW.state
        AND split = NEW.split AND is_valid = NEW.is_valid;
"""
_TAKE_OLD = """
    UPDATE datasets_app_examplecount
    SET n_examples = n_examples - 1, n_tokens = n_tokens - OLD.n_tokens
    WHERE OLD.deleted_at IS NULL
        AND dataset_id = OLD.dataset_id AND state = OLD.state
        AND split = OLD.split AND is_valid = OLD.is_valid;
"""
_IN, _OUT, _ANEW = NAMES
SQLITE = (
    f"CREATE TRIGGER {_IN} AFTER INSERT ON datasets_app_example BEGIN{_ADD_NEW}END",
    f"CREATE TRIGGER {_OUT} AFTER DELETE ON datasets_app_example BEGIN{_TAKE_OLD}END",
    f"""
    CREATE TRIGGER {_ANEW} AFTER UPDATE
    OF dataset_id, state, split, is_valid, n_tokens, deleted_at
    ON datasets_app_example
    WHEN (OLD.dataset_id, OLD.state, OLD.split, OLD.is_valid, OLD.n_tokens)
        <> (NEW.dataset_id, NEW.state, NEW.split, NEW.is_valid, NEW.n_tokens)
        OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)
    BEGIN{_TAKE_OLD}{_ADD_NEW}END
    """,
)

# Once for each statement, however many rows it changes. Every statement adds rows of
# its own: a shared row would be locked until the commit, and an import is long.
POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION datasets_app_count_examples() RETURNS trigger
    LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO datasets_app_examplecount
                (dataset_id, state, split, is_valid, n_examples, n_tokens)
            SELECT dataset_id, state, split, is_valid, count(*), sum(n_tokens)
            FROM new_rows WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4;
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO datasets_app_examplecount
                (dataset_id, state, split, is_valid, n_examples, n_tokens)
            SELECT dataset_id, state, split, is_valid, -count(*), -sum(n_tokens)
            FROM old_rows WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4;
        ELSE
            INSERT INTO datasets_app_examplecount
                (dataset_id, state, split, is_valid, n_examples, n_tokens)
            SELECT dataset_id, state, split, is_valid, sum(n), sum(n * n_tokens)
            FROM (
                SELECT dataset_id, state, split, is_valid, n_tokens, 1 AS n
                FROM new_rows WHERE deleted_at IS NULL
                UNION ALL
                SELECT dataset_id, state, split, is_valid, n_tokens, -1
                FROM old_rows WHERE deleted_at IS NULL
            ) AS changed
            GROUP BY 1, 2, 3, 4
            HAVING sum(n) <> 0 OR sum(n * n_tokens) <> 0;
        END IF;
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE TRIGGER {_IN} AFTER INSERT ON datasets_app_example
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION datasets_app_count_examples()
    """,
    f"""
    CREATE TRIGGER {_OUT} AFTER DELETE ON datasets_app_example
    REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION datasets_app_count_examples()
    """,
    f"""
    CREATE TRIGGER {_ANEW} AFTER UPDATE ON datasets_app_example
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION datasets_app_count_examples()
    """,
)

_COUNTED = """
    INSERT INTO datasets_app_examplecount
        (dataset_id, state, split, is_valid, n_examples, n_tokens)
    SELECT dataset_id, state, split, is_valid, count(*), sum(n_tokens)
    FROM datasets_app_example WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4
"""


def recount(connection: Any) -> None:
    """Count every example anew, inside the caller's transaction.

    On PostgreSQL in one statement, which sees one moment: a change that commits
    meanwhile is in neither the rows it deletes nor those it counts.
    """
    forget = "DELETE FROM datasets_app_examplecount"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"WITH forgotten AS ({forget}) {_COUNTED}")
        else:
            cursor.execute(forget)
            cursor.execute(_COUNTED)
