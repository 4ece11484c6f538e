"""From the name of a provider to a model: packages offer them in the entry-point groups below.

An entry point is a factory; it is called with the model's name, if there is one, and the other parameters. A model is
made once per process and parameters, however many collections name it.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from elanus.errors import InvalidArgument, did_you_mean
from elanus.models.calling import failing


@dataclass(frozen=True)
class Kind:
    """A kind of model: what it is called, where it is registered, and which method it must have."""

    name: str
    group: str
    methods: tuple[str, ...]


EMBEDDER = Kind("embedder", "elanus.models", ("embed_documents", "embed_queries"))
RERANKER = Kind("reranker", "elanus.rerankers", ("rerank",))

_made: dict[tuple[Kind, str, str], Any] = {}
_making: defaultdict[tuple[Kind, str, str], threading.Lock] = defaultdict(threading.Lock)


def find_embedder(provider: str, params: Mapping[str, Any], who: str = "") -> Any:
    """Return the embedding model that `provider` makes from `params`: {"model_name": ..., ...}.

    Args:
        who: for whom, as errors call it: "function 'emb'".

    Raises:
        InvalidArgument: no such provider is installed, or it takes no such parameter.
        ModelFailed: the provider could not make the model; its own error is the cause.
    """
    return _find(EMBEDDER, provider, params, who)


def find_reranker(provider: str, params: Mapping[str, Any], who: str = "") -> Any:
    """Return the reranker that `provider` makes from `params`; arguments and errors as for `find_embedder`."""
    return _find(RERANKER, provider, params, who)


def _find(kind: Kind, provider: str, params: Mapping[str, Any], who: str) -> Any:
    key = (kind, provider, json.dumps(dict(params), sort_keys=True, default=repr))
    if key not in _made:
        with _making[key]:
            if key not in _made:
                _made[key] = _make(kind, provider, dict(params), f"{who}: " if who else "")
    return _made[key]


def _make(kind: Kind, provider: str, params: dict[str, Any], who: str) -> Any:
    factory = _factory(kind, provider, who)
    name = params.pop("model_name", None)
    said = f"{who}{kind.name} '{provider}'" + (f", model '{name}'" if name else "")
    with failing(said, wrong_arguments=True):
        model = factory(*([name] if name else []), **params)
    for method in kind.methods:
        if not callable(getattr(model, method, None)):
            raise InvalidArgument(f"{said}: what its factory made has no method {method}; it is no {kind.name}")
    return model


def _factory(kind: Kind, provider: str, who: str) -> Any:
    installed = {point.name: point for point in entry_points(group=kind.group)}
    if provider not in installed:
        there = f"installed are {', '.join(sorted(installed))}" if installed else "none is installed"
        raise InvalidArgument(
            f"{who}no installed package offers the {kind.name} '{provider}'{did_you_mean(provider, installed)} "
            f"({there}); pip install 'elanus[models]' brings those of elanus_models"
        )
    with failing(f"{who}{kind.name} '{provider}'"):
        return installed[provider].load()


def _forget() -> None:
    """In a forked child: models may have had threads, which are not there; make them anew."""
    _made.clear()
    _making.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
