"""Analyzers through the client: what they make of a text, and how languages find their words."""

from __future__ import annotations

import zlib
from typing import Any

import elanus
import pytest
from elanus import DataType, Function, FunctionType


def searchable(client: elanus.Client, analyzer: dict[str, Any]) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True, analyzer_params=analyzer)
    schema.add_field("plain", DataType.VARCHAR, max_length=20, nullable=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, "text", "sparse"))
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection("c", schema=schema, index_params=indexes)


def test_indonesian_words_are_found_in_all_their_forms(client: elanus.Client) -> None:
    searchable(client, {"type": "indonesian"})
    texts = ["Perusahaan itu membangun jembatan baru.", "Burung elang terbang di atas sawah.", "Pembangunan kota"]
    client.insert("c", [{"id": n, "text": text} for n, text in enumerate(texts)])
    for _ in range(2):
        found = client.search("c", ["bangunan jembatan", "yang di atas", "terbang"], limit=3)
        assert [sorted(hits.ids) for hits in found] == [[0, 2], [], [1]]
        client.flush("c")


def test_parts_of_words_are_found_with_ngrams(client: elanus.Client) -> None:
    grams = {"tokenizer": {"type": "ngram", "min_gram": 3, "max_gram": 3}, "filter": ["lowercase"]}
    searchable(client, grams)
    client.insert("c", [{"id": 1, "text": "Gleitaar"}, {"id": 2, "text": "Reiher"}])
    client.flush("c")
    assert client.search("c", ["TAA"], limit=2)[0].ids == [1]


def test_an_analyzer_is_shown_at_work(client: elanus.Client) -> None:
    searchable(client, {"type": "german"})
    run = client.run_analyzer
    assert run("The Kites fly", {"type": "english"}) == ["kite", "fli"]
    assert run(["A b", ""], '{"type": "standard"}') == [["a", "b"], []]
    assert run("Die Häuser", collection_name="c", field_name="text").tokens == ["haus"]
    assert run("As it is") == ["as", "it", "is"]
    for arguments, said in (
        ({"texts": 7}, "texts must be"),
        ({"texts": "a", "analyzer_params": "{"}, "not valid JSON"),
        ({"texts": "a", "analyzer_params": {"type": "englich"}}, "did you mean 'english'"),
        ({"texts": "a", "collection_name": "c"}, "collection_name and field_name together"),
        ({"texts": "a", "collection_name": "c", "field_name": "plain"}, "has no analyzer"),
        ({"texts": "a", "with_detail": 1}, "with_detail must be True or False"),
    ):
        with pytest.raises((elanus.InvalidArgument, elanus.NotSupported), match=said):
            run(**arguments)  # type: ignore[arg-type]


def test_each_term_tells_where_it_comes_from(client: elanus.Client) -> None:
    params = {"type": "english", "stop_words": ["red"]}
    told = client.run_analyzer("Crème: red Kites!", params, with_detail=True, with_hash=True)
    assert [(t["token"], t.start_offset, t.end_offset, t.position, t.position_length) for t in told] == [
        ("crème", 0, 6, 0, 1),
        ("kite", 12, 17, 2, 1),
    ]
    assert told[1]["hash"] == zlib.crc32(b"kite")
    assert list(client.run_analyzer("a", with_hash=True)[0]) == ["token", "hash"]
    with pytest.raises(AttributeError, match="no 'position' is told"):
        _ = client.run_analyzer("a", with_hash=True)[0].position


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("module", "tokenizer"),
    [
        ("tantivy", "standard"),
        ("tantivy", "whitespace"),
        ("tantivy", "raw"),
        ("tantivy", {"type": "ngram", "min_gram": 1, "max_gram": 3}),
        ("tantivy", {"type": "regex", "pattern": "aa?"}),
        ("tantivy", {"type": "char_group", "delimiters": [" ", "a"]}),
        ("icu4py", "icu"),
        ("jieba", "jieba"),
        ("lindera", {"type": "lindera", "dict_kind": "ko-dic"}),
    ],
)
def test_the_places_of_terms_hold_them(client: elanus.Client, module: str, tokenizer: Any) -> None:
    pytest.importorskip(module)
    text = "aaaa ab aaé 清华大学 清华大学的学生 나는 학교에 aa"
    told = client.run_analyzer(text, {"tokenizer": tokenizer}, with_detail=True)
    assert [t.token for t in told] == client.run_analyzer(text, {"tokenizer": tokenizer})
    places = [(t.start_offset, t.end_offset) for t in told]
    assert [text.encode()[begin:end].decode() for begin, end in places] == [t.token for t in told]
    assert len({(*place, t.token) for place, t in zip(places, told, strict=True)}) == len(told)
