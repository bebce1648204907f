"""The outside world: the only part that uses the openai SDK.

`connect(provider)` gives a client; what goes wrong is one of two errors.
"""

from jobs_app.kinds import PROFILES, Profile, profile_of
from jobs_app.providers.abilities import Ability, is_able
from jobs_app.providers.client import ProviderClient, connect
from jobs_app.providers.errors import (
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from jobs_app.providers.outgoing import OutgoingFile
from jobs_app.providers.wire import (
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
    Reply,
    StoredFile,
)

__all__ = [
    "PROFILES",
    "Ability",
    "OutgoingFile",
    "Profile",
    "ProviderClient",
    "ProviderError",
    "ProviderRejected",
    "ProviderUnavailable",
    "RemoteCheckpoint",
    "RemoteEvent",
    "RemoteJob",
    "Reply",
    "StoredFile",
    "connect",
    "is_able",
    "profile_of",
]
