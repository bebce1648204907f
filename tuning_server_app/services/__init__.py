"""What people and workers can do here, one verb per function."""

from tuning_server_app.services.keys import (
    KeyNameTaken,
    KeyUnknown,
    create_key,
    find_key,
    revoke_key,
)

__all__ = ["KeyNameTaken", "KeyUnknown", "create_key", "find_key", "revoke_key"]
