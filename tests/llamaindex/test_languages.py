"""Nodes in several languages, each read by the analyzer that its metadata names."""

from __future__ import annotations

import pytest
from elanus import InvalidArgument
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
from llama_index.vector_stores.elanus import ElanusVectorStore

from tests.llamaindex.bird_notes import Letters

Mode = VectorStoreQueryMode
LANGUAGES = {"by_field": "language", "analyzers": {"default": {}, "de": {"type": "german"}, "en": {"type": "english"}}}
TEXTS = {"1": ("en", "The kites were hunting."), "2": ("de", "Die Häuser am Fluss"), "3": (None, "Hunting kites")}


def test_a_text_query_names_its_analyzer() -> None:
    store, embed = ElanusVectorStore(":memory:", analyzer=LANGUAGES), Letters()
    store.add(
        [
            TextNode(
                id_=key,
                text=text,
                metadata={} if said is None else {"language": said},
                embedding=embed.get_text_embedding(text),
            )
            for key, (said, text) in TEXTS.items()
        ]
    )

    def ids(text: str, mode: VectorStoreQueryMode, **options: str) -> list[str]:
        query = VectorStoreQuery(embed.get_text_embedding(text), 1, query_str=text, mode=mode)
        return store.query(query, **options).ids or []

    assert ids("hunts", Mode.TEXT_SEARCH, analyzer_name="en") == ["1"]
    assert ids("Haus", Mode.HYBRID, analyzer_name="de") == ["2"]
    assert ids("kites", Mode.SPARSE) == ["3"]
    assert ids("hunts", Mode.TEXT_SEARCH) == []
    with pytest.raises(InvalidArgument, match="analyzer_name"):
        ids("hunts", Mode.DEFAULT, analyzer_name="en")
    store.close()
