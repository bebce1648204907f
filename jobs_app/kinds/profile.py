"""What one kind of provider does its own way; everything else is the common contract.

A profile is what the kind's makers say. What one server really does, a compatibility
check finds out; see `jobs_app.providers.abilities`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from django.utils.functional import Promise

Text = str | Promise
MIB = 1024 * 1024
GIB = 1024 * MIB

# The provider's word for a job's status → ours. What is not here becomes a line of the
# job's story, and the job keeps the status it has.
STATUS_WORDS = {
    "validating_files": "validating_files",
    "queued": "queued",
    "running": "running",
    "paused": "paused",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}


BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of provider. The defaults are OpenAI's contract, cautiously read."""

    kind: str  # as the database has it
    name: Text

    # -- for whoever adds such a provider ------------------------------------------
    base_url: str = ""  # where the kind has one for everybody
    base_url_example: str = "https://host/v1"
    base_url_help: Text = ""
    key_help: Text = ""  # where to get one
    extra_body_example: str = ""
    unreachable: Text = ""  # what to say when nothing listens at %(url)s
    is_chosen_by_people: bool = True  # False: only first_start makes such providers
    is_own_server: bool = False  # its private address needs no permission
    costs_money: bool = True

    # -- how it is spoken to -------------------------------------------------------
    key_header: Literal["authorization", "api-key"] = "authorization"
    api_version: str = ""  # set: URLs as AzureOpenAI makes them, with this version
    keeps_idempotency_key: bool = False  # Idempotency-Key: the same job once more
    companions: tuple[str, ...] = ()  # extra fields that go with every other call, too

    # -- files ---------------------------------------------------------------------
    file_purpose: str = "fine-tune"
    result_purpose: str = "fine-tune-results"
    files_begin_with_bom: bool = False
    max_file_bytes: int = 512 * MIB  # in one request
    max_upload_bytes: int = 0  # in parts, by the Uploads API; 0: it has none
    max_part_bytes: int = 64 * MIB
    results_are_base64: bool = False

    # -- creating a job ------------------------------------------------------------
    methods: tuple[str, ...] = ("supervised",)
    hyperparameters_at_top: bool = False  # False: inside the method object
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    # By its contract its lists show the metadata of every job, our launch key there.
    lists_metadata: bool = False
    keeps_metadata: bool = True  # False: a job cannot be found by our launch key
    takes_validation_file: bool = True
    takes_seed: bool = True
    max_suffix_length: int = 64  # 0: takes none
    # (least, most) of each hyperparameter it knows.
    bounds: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "n_epochs": (1, 50),
            "batch_size": (1, 256),
            "learning_rate_multiplier": (1e-6, 1000),
        }
    )
    epochs_rule: Literal["cookbook", "built_in"] = "cookbook"  # what "auto" becomes

    # -- following it --------------------------------------------------------------
    status_words: Mapping[str, str] = field(default_factory=lambda: STATUS_WORDS)
    has_events: bool = True
    has_checkpoints: bool = True
    has_pause: bool = False
    poll_seconds: float = 20  # at first; less often the longer nothing happens
    slowest_poll_seconds: float = 300
    reading_seconds: float = 60  # a running job's events, though it has not moved
    requests_per_minute: int = 300  # unless the provider's row says otherwise
    last_look_seconds: float = 60  # some write their last lines after the end
    submit_seconds: float = 900  # a submission may take this long

    # -- the trained model ---------------------------------------------------------
    deploy_step: Text = ""  # what a person has to do before the model answers

    @property
    def file_prefix(self) -> bytes:
        """What is sent before a file's own bytes."""
        return BOM if self.files_begin_with_bom else b""
