"""A provider's key: found when it is needed, and never shown."""

from __future__ import annotations

import os
from typing import Any

from elanus_models.errors import InvalidInput, ProviderRefused
from elanus_models.http.card import ProviderCard


class Key:
    """The key for one provider, given or from the environment.

    The environment is read at every use. A given key is not pickled: its copy in another process reads the
    environment.
    """

    def __init__(self, card: ProviderCard, given: str | None = None) -> None:
        if given is not None and not isinstance(given, str):
            raise InvalidInput(f"api_key must be a str, not {type(given).__name__}")
        self._card = card
        self._given = given
        self.header()

    @property
    def origin(self) -> str:
        """Where the key comes from, in words."""
        if self._given is not None:
            return "given"
        name = self._variable()
        return f"environment variable {name}" if name else "none"

    def header(self) -> tuple[str, str] | None:
        """Return the header that shows the key, or None if there is no key and none is needed.

        Raises ProviderRefused if a key is needed, or no header can hold the one that was found.
        """
        value = self._value()
        return (self._card.key_header, self._card.key_prefix + value) if value else None

    def hide(self, text: str) -> str:
        """Return a server's text without the key, in case the server repeats it."""
        value = self._value()
        return text.replace(value, "***") if len(value) > 3 else text

    def __repr__(self) -> str:
        return f"<key of {self._card.name}: {self.origin}>"

    def __getstate__(self) -> dict[str, Any]:
        return {"_card": self._card, "_given": None}

    def __deepcopy__(self, memo: object) -> Key:
        return self

    def _variable(self) -> str | None:
        return next((name for name in self._card.key_names if os.environ.get(name, "").strip()), None)

    def _value(self) -> str:
        self._check()
        return self._found()

    def _check(self) -> None:
        """Refuse a missing or unfit key; no variable here holds it, lest a traceback shows it."""
        if not self._found() and self._card.needs_key:
            raise ProviderRefused(f"{self._card.name} needs a key; {self._ways()}")
        if not _fits_a_header(self._found()):
            raise ProviderRefused(
                f"the key of {self._card.name} ({self.origin}) holds a space or a character that no header can "
                f"carry; {self._ways()}"
            )

    def _found(self) -> str:
        return (os.environ.get(self._variable() or "", "") if self._given is None else self._given).strip()

    def _ways(self) -> str:
        names = self._card.key_names
        return (f"set {names[0]} in the environment, or " if names else "") + "give api_key="


def _fits_a_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and " " not in value
