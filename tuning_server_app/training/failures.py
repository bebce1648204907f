"""Why a training run ended without a model, in the words its owner will read."""

OUT_OF_MEMORY = "out_of_memory"
DISK_PROBLEM = "disk_problem"
INVALID_HYPERPARAMETERS = "invalid_hyperparameters"
BASE_MODEL_UNAVAILABLE = "base_model_unavailable"
SERVER_ERROR = "server_error"


class RunFailed(Exception):
    """The run cannot go on. `param` names the file at fault, if one is."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
