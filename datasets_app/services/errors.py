"""What can go wrong here for a reason that the user can do something about.

DatasetsError
├── NothingToFreeze   no row qualifies
└── StorageFull       a file could not be written
"""

from django.utils.translation import gettext as _


class DatasetsError(Exception):
    """Its text is for the user: what happened, why, what to do next."""


class NothingToFreeze(DatasetsError):
    pass


class StorageFull(DatasetsError):
    @classmethod
    def because(cls, error: OSError) -> "StorageFull":
        return cls(
            _(
                "The file could not be stored: %(reason)s. Nothing that was stored "
                "before is lost. Make room on the server's disk and try again."
            )
            % {"reason": error.strerror or error}
        )
