"""The HTTP models by the names and parameters of Milvus's TEXTEMBEDDING and RERANK functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from elanus_models.errors import InvalidInput
from elanus_models.http.address import find_provider
from elanus_models.http.embedding import HttpEmbedding
from elanus_models.http.reranker import HttpReranker

_SECRETS = ("credential", "api_key", "apikey", "integration_id")


def _whole(value: object) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)  # type: ignore[call-overload, no-any-return]


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


def _flag(value: object) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _one_of(*words: str) -> Callable[[object], str]:
    return lambda value: {word: word for word in words}[str(value)]


_KINDS: Mapping[str, tuple[Callable[[object], object], str]] = {
    "whole": (_whole, "a whole number"),
    "number": (_number, "a number"),
    "flag": (_flag, "true or false"),
    "text": (str, "a text"),
    "end": (_one_of("NONE", "START", "END"), "NONE, START or END"),
    "side": (_one_of("Left", "Right"), "Left or Right"),
}

# Parameter: (argument, or "extra." and a field of the request; kind of value).
_COMMON = {
    "url": ("base_url", "text"),
    "endpoint": ("base_url", "text"),
    "max_client_batch_size": ("batch_size", "whole"),
    "batch_size": ("batch_size", "whole"),
    "concurrency": ("concurrency", "whole"),
    "requests_per_minute": ("requests_per_minute", "number"),
    "max_retries": ("max_retries", "whole"),
    "timeout": ("timeout", "number"),
}
_TEI = {"truncate": ("extra.truncate", "flag"), "truncation_direction": ("extra.truncation_direction", "side")}
_VLLM = {"truncate_prompt_tokens": ("extra.truncate_prompt_tokens", "whole")}
_VOYAGE = {"truncation": ("extra.truncation", "flag")}

_EMBED = {
    "dim": ("dim", "whole"),
    "ingestion_prompt": ("document_prefix", "text"),
    "search_prompt": ("query_prefix", "text"),
}
_EMBED_OF = {
    "openai": {"user": ("extra.user", "text")},
    "azure": {"user": ("extra.user", "text")},
    "cohere": {"truncate": ("extra.truncate", "end")},
    "voyage": _VOYAGE,
    "tei": _TEI,
    "vllm": _VLLM,
}
_RERANK_OF = {
    "cohere": {"max_tokens_per_doc": ("extra.max_tokens_per_doc", "whole")},
    "voyage": _VOYAGE,
    "tei": _TEI,
    "vllm": _VLLM,
}


def _arguments(provider: str, known: Mapping[str, tuple[str, str]], params: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments that the parameters stand for; InvalidInput for a name or value that stands for none."""
    arguments: dict[str, object] = {}
    extra: dict[str, object] = {}
    for given, value in params.items():
        name = given.lower()
        if name in _SECRETS:
            ways = find_provider(provider).key_names
            raise InvalidInput(f"'{given}' is no parameter of '{provider}': set the key in the environment, {ways[0]}")
        if name not in known:
            raise InvalidInput(f"'{given}' is no parameter of '{provider}'; there are: {', '.join(sorted(known))}")
        argument, kind = known[name]
        convert, words = _KINDS[kind]
        try:
            converted = convert(value)
        except (ValueError, TypeError, KeyError, OverflowError):
            raise InvalidInput(f"'{given}' of '{provider}' must be {words}, not {value!r}") from None
        if argument.startswith("extra."):
            extra[argument.removeprefix("extra.")] = converted
        else:
            arguments[argument] = converted
    return {**arguments, "extra": extra} if extra else arguments


def _embedding(provider: str, model_name: str = "", **params: object) -> HttpEmbedding:
    known = {**_COMMON, **_EMBED, **_EMBED_OF.get(provider, {})}
    return HttpEmbedding(model_name, provider=provider, **_arguments(provider, known, params))  # type: ignore[arg-type]


def _reranker(provider: str, model_name: str = "", **params: object) -> HttpReranker:
    known = {**_COMMON, **_RERANK_OF.get(provider, {})}
    return HttpReranker(model_name, provider=provider, **_arguments(provider, known, params))  # type: ignore[arg-type]


openai = partial(_embedding, "openai")
azure_openai = partial(_embedding, "azure")
ollama = partial(_embedding, "ollama")
vllm = partial(_embedding, "vllm")
tei = partial(_embedding, "tei")
voyageai = partial(_embedding, "voyage")
jina = partial(_embedding, "jina")
cohere = partial(_embedding, "cohere")
mistral = partial(_embedding, "mistral")
gemini = partial(_embedding, "gemini")
nomic = partial(_embedding, "nomic")

cohere_reranker = partial(_reranker, "cohere")
jina_reranker = partial(_reranker, "jina")
voyageai_reranker = partial(_reranker, "voyage")
tei_reranker = partial(_reranker, "tei")
vllm_reranker = partial(_reranker, "vllm")
