"""Every error the models raise on purpose.

ModelError
├── ModelNotFound       no place holds a model of that name; lists the places and the ways out
├── ModelCorrupt        a file is damaged, or is not the file its model card promises
├── ModelUnsupported    the model is whole, but of a kind that cannot be run here
├── MissingDependency   an optional package is not installed (also ImportError)
└── InvalidInput        an argument no call could accept (also ValueError)
"""

from __future__ import annotations


class ModelError(Exception):
    """Base of all errors of this package."""


class ModelNotFound(ModelError):
    """No local folder and no installed package holds the model."""


class ModelCorrupt(ModelError):
    """A model file is damaged or differs from what its card promises."""


class ModelUnsupported(ModelError):
    """The model has a part, or asks for an option, that this package cannot run."""


class MissingDependency(ModelError, ImportError):
    """A package of the `models` extra is not installed."""


class InvalidInput(ModelError, ValueError):
    """An argument has a type or value that no call could accept."""


def missing(package: str) -> MissingDependency:
    """Return the error for a package of the `models` extra that is not installed."""
    return MissingDependency(f"the package '{package}' is not installed; pip install 'elanus[models]'")
