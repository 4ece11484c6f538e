"""Documents in several languages, each read by the analyzer that its metadata names."""

from __future__ import annotations

import elanus
import pytest
from elanus import InvalidArgument
from langchain_core.documents import Document
from langchain_elanus import ElanusVectorStore

from tests.langchain.birds import Words

LANGUAGES = {"by_field": "language", "analyzers": {"default": {}, "de": {"type": "german"}, "en": {"type": "english"}}}
DOCUMENTS = [
    Document("The kites were hunting.", id="1", metadata={"language": "en"}),
    Document("Die Häuser am Fluss", id="2", metadata={"language": "de"}),
    Document("Hunting kites", id="3", metadata={"year": 2020}),
]


def test_a_text_search_names_its_analyzer() -> None:
    store = ElanusVectorStore(Words(), path=":memory:", analyzer=LANGUAGES)
    store.add_documents(DOCUMENTS)
    assert [d.id for d in store.text_search("hunts", analyzer_name="en")] == ["1"]
    assert [d.id for d in store.text_search("Haus", analyzer_name="de")] == ["2"]
    (unsaid,) = store.text_search("kites")
    assert (unsaid.id, unsaid.metadata) == ("3", {"year": 2020})
    assert store.hybrid_search("Haus", k=1, analyzer_name="de")[0].metadata == {"language": "de"}
    retriever = store.as_retriever(search_type="text", search_kwargs={"analyzer_name": "en"})
    assert [d.id for d in retriever.invoke("hunted")] == ["1"]
    with pytest.raises(InvalidArgument, match="unknown argument 'analyzer_name'"):
        store.similarity_search("kites", analyzer_name="en")
    store.close()


def test_a_store_with_one_analyzer_has_no_names() -> None:
    store = ElanusVectorStore(Words(), path=":memory:")
    store.add_documents(DOCUMENTS)
    with pytest.raises(elanus.InvalidArgument, match="has one analyzer"):
        store.text_search("kites", analyzer_name="en")
    store.close()
