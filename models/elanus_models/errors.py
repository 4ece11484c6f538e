"""Every error the models raise on purpose.

ModelError
├── ModelNotFound       no place holds a model of that name; lists the places and the ways out
├── ModelCorrupt        a file is damaged, or is not the file its model card promises
├── ModelUnsupported    the model is whole, but of a kind that cannot be run here
├── DownloadFailed      the hub could not be reached, refused, or sent something else than it promised
├── ProviderError       a provider's server could not be reached or gave an error; has `status`
│   ├── ProviderRefused     the key is missing, wrong, or may not use the model
│   └── RateLimited         too many requests, even after waiting as often as allowed
├── MissingDependency   an optional package is not installed (also ImportError)
└── InvalidInput        an argument no call could accept (also ValueError)
"""

from __future__ import annotations


class ModelError(Exception):
    """Base of all errors of this package."""


class ModelNotFound(ModelError):
    """No local folder, no installed package and no hub holds the model."""


class ModelCorrupt(ModelError):
    """A model file is damaged or differs from what its card promises."""


class ModelUnsupported(ModelError):
    """The model has a part, or asks for an option, that this package cannot run."""


class DownloadFailed(ModelError):
    """The hub could not be reached, refused, or sent something else than it promised."""


class ProviderError(ModelError):
    """A provider's server could not be reached or answered with an error; `status` is HTTP's, or None."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ProviderRefused(ProviderError):
    """The key is missing, wrong, or may not use the model."""


class RateLimited(ProviderError):
    """Too many requests, even after waiting as often as allowed."""


class MissingDependency(ModelError, ImportError):
    """An optional package is not installed."""


class InvalidInput(ModelError, ValueError):
    """An argument has a type or value that no call could accept."""


def missing(package: str, extra: str = "models") -> MissingDependency:
    """Return the error for a package that is not installed; `extra` is the extra that brings it."""
    return MissingDependency(f"the package '{package}' is not installed; pip install 'elanus[{extra}]'")
