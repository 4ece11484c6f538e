"""Highlights: the words that were asked for, marked in fragments of the texts they stand in."""

from __future__ import annotations

import itertools
from typing import Any

import elanus
import pytest
from elanus import DataType, Function, FunctionType, LexicalHighlighter
from hypothesis import given
from hypothesis import strategies as st

DOCS = [
    "my first test doc",
    "my second test doc",
    "my first test doc. Milvus is an open-source vector database built for GenAI applications.",
    "my second test doc. Milvus is an open-source vector database that suits AI applications of every size from "
    "running a demo chatbot to building web-scale search.",
]
BRACES: dict[str, Any] = {"pre_tags": ["{"], "post_tags": ["}"]}
SEARCHED: dict[str, Any] = {**BRACES, "highlight_search_text": True}


def collection(client: elanus.Client, name: str = "c", **text: Any) -> None:
    """A collection with a text that BM25 searches, a note, a plain name, and vectors."""
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=65_535, enable_analyzer=True, **text)
    schema.add_field("note", DataType.VARCHAR, max_length=100, enable_analyzer=True, nullable=True)
    schema.add_field("name", DataType.VARCHAR, max_length=100, default_value="none")
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR).add_field("dense", DataType.FLOAT_VECTOR, dim=2)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["sparse"]))
    params = client.prepare_index_params("dense")
    params.add_index("sparse", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=params)


def insert(client: elanus.Client, texts: list[str], **more: list[Any]) -> None:
    columns = {"id": range(len(texts)), "text": texts, "dense": [[1.0, 0.5]] * len(texts), **more}
    names = list(columns)
    client.insert("c", [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)])


@pytest.fixture
def docs(client: elanus.Client) -> elanus.Client:
    collection(client)
    insert(client, DOCS)
    return client


def fragments(found: list[Any], field: str = "text") -> dict[int, list[str]]:
    assert all(hit["highlight"][field]["scores"] == [] for hit in found)
    return {hit.id: hit["highlight"][field]["fragments"] for hit in found}


def highlit(client: elanus.Client, text: str, **options: Any) -> dict[int, list[str]]:
    marks = LexicalHighlighter(**{**SEARCHED, **options})
    return fragments(client.search("c", [text], anns_field="sparse", highlighter=marks)[0])


def test_the_examples_of_milvus_come_out_as_its_manual_prints_them(docs: elanus.Client) -> None:
    assert highlit(docs, "test") == {
        0: ["{test} doc"],
        1: ["{test} doc"],
        2: ["{test} doc. Milvus is an open-source vector database built for GenAI applications."],
        3: ["{test} doc. Milvus is an open-source vector database that suits AI applications of every size from run"],
    }
    query = [{"type": "TextMatch", "field": "text", "text": "my doc"}]
    assert highlit(docs, "test", highlight_query=query)[3] == [
        "{my} second {test} {doc}. Milvus is an open-source vector database that suits AI applications of every siz"
    ]
    assert highlit(docs, "Milvus", fragment_offset=20, fragment_size=60) == {
        2: ["my first test doc. {Milvus} is an open-source vector database "],
        3: ["my second test doc. {Milvus} is an open-source vector database"],
    }


def test_each_query_marks_its_own_words(docs: elanus.Client) -> None:
    marks = LexicalHighlighter(**SEARCHED)
    first, second = docs.search("c", ["first", "second"], anns_field="sparse", highlighter=marks, limit=2)
    assert fragments(first)[0] == ["{first} test doc"]
    assert fragments(second)[1] == ["{second} test doc"]


def test_words_take_turns_with_several_tags_and_the_usual_ones_are_em(docs: elanus.Client) -> None:
    turns = highlit(docs, "my first doc", pre_tags=["<b>", "<i>"], post_tags=["</b>", "</i>"])
    assert turns[0] == ["<b>my</b> <i>first</i> test <b>doc</b>"]
    marks = LexicalHighlighter(highlight_search_text=True)
    found = docs.search("c", ["doc"], anns_field="sparse", highlighter=marks, limit=1)[0]
    assert fragments(found)[found[0].id][0].startswith("<em>doc</em>")


def test_a_text_gives_as_many_fragments_as_are_asked_for(client: elanus.Client) -> None:
    collection(client)
    insert(client, ["one " * 3 + "kite " + "two " * 30 + "kite kite " + "three " * 30 + "kite"])
    assert highlit(client, "kite", fragment_size=12, fragment_offset=4) == {
        0: ["one {kite} two", "two {kite} ", "{kite} three t", "ree {kite}"]
    }
    assert highlit(client, "kite", fragment_size=12, num_of_fragments=1) == {0: ["{kite} two two"]}
    assert highlit(client, "kite", fragment_size=2)[0][0] == "{kite}", "a longer word is kept whole"


def test_words_are_the_analyzers_so_stems_match_and_other_scripts_do_too(client: elanus.Client) -> None:
    collection(client, analyzer_params={"type": "english"})
    insert(client, ["Ein Übermut — “Running” RUNS, runner\n😀 runs", "no match here"])
    assert highlit(client, "runs") == {0: ["{Running}” {RUNS}, runner\n😀 {runs}"]}


def test_chinese_words_and_n_grams_are_marked_where_they_stand(client: elanus.Client) -> None:
    grams = {"tokenizer": {"type": "ngram", "min_gram": 2, "max_gram": 3}}
    collection(client, analyzer_params=grams)
    insert(client, ["abcdef xbcx"])
    assert highlit(client, "bcd") == {0: ["a{bcd}ef x{bc}x"[1:]]}, "n-grams that overlap are one word"
    pytest.importorskip("jieba")
    client.drop_collection("c")
    collection(client, analyzer_params={"type": "chinese"})
    insert(client, ["我爱北京天安门"])
    assert highlit(client, "北京") == {0: ["{北京}天安门"]}


def test_a_filters_words_are_marked_in_any_search_and_in_any_analysed_field(docs: elanus.Client) -> None:
    docs.insert("c", {"id": 9, "text": "a kite", "note": "kites and a kite", "dense": [1.0, 0.4]})
    query = [{"field": "note", "text": "kite"}, {"type": "TextMatch", "field": "text", "text": "doc kite"}]
    marks = LexicalHighlighter(highlight_query=query, **BRACES)
    (found,) = docs.search("c", [[1.0, 0.4]], anns_field="dense", highlighter=marks)
    assert fragments(found, "note") == {0: [], 1: [], 2: [], 3: [], 9: ["{kite}"]}
    assert fragments(found)[9] == ["{kite}"]
    assert fragments(found)[0] == ["{doc}"]
    assert "note" not in found[0]["entity"], "what is marked is not returned for that"


def test_hybrid_search_marks_the_words_of_its_bm25_requests(docs: elanus.Client) -> None:
    requests = [
        elanus.AnnSearchRequest([[1.0, 0.4]], "dense", {}, 10),
        elanus.AnnSearchRequest(["second"], "sparse", {}, 10),
    ]
    found = docs.hybrid_search("c", requests, elanus.RRFRanker(), highlighter=LexicalHighlighter(**SEARCHED))[0]
    assert fragments(found)[1] == ["{second} test doc"]
    assert fragments(found)[0] == []


def test_pages_groups_and_orders_have_their_own_hits_highlights(docs: elanus.Client) -> None:
    whole = highlit(docs, "test doc")
    marks = LexicalHighlighter(**SEARCHED)
    options: list[dict[str, Any]] = [
        {"offset": 2, "limit": 2},
        {"group_by_field": "name", "group_size": 4},
        {"order_by_fields": [{"field": "id", "order": "desc"}]},
        {"explain": True},
        {"output_fields": ["text", "note"]},
    ]
    for option in options:
        found = docs.search("c", ["test doc"], anns_field="sparse", highlighter=marks, **option)[0]
        assert found
        assert fragments(found) == {key: whole[key] for key in fragments(found)}


def test_a_row_is_read_by_its_own_language(client: elanus.Client) -> None:
    analyzers = {"default": {"type": "standard"}, "en": {"type": "english"}, "de": {"type": "german"}}
    collection(client, multi_analyzer_params={"by_field": "name", "analyzers": analyzers})
    insert(client, ["houses and a house", "Häuser, ein Haus", "house houses"], name=["en", "de", "other"])
    marks = LexicalHighlighter(**SEARCHED)

    def found(text: str, name: str) -> dict[int, list[str]]:
        params = {"analyzer_name": name}
        return fragments(client.search("c", [text], anns_field="sparse", search_params=params, highlighter=marks)[0])

    assert found("house", "en")[0] == ["{houses} and a {house}"]
    assert found("Haus", "de") == {1: ["{Häuser}, ein {Haus}"]}
    query = [{"field": "text", "text": "Hauses", "analyzer_name": "de"}]
    marks = LexicalHighlighter(highlight_query=query, **BRACES)
    everything = client.search("c", [[1.0, 0.4]], anns_field="dense", highlighter=marks)[0]
    assert fragments(everything) == {0: [], 1: ["{Häuser}, ein {Haus}"], 2: []}


def test_pymilvuss_own_highlighters_are_taken_or_refused_by_name(docs: elanus.Client) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    theirs = pymilvus.LexicalHighlighter(**SEARCHED)
    theirs.with_query("text", "my", "TextMatch")
    found = docs.search("c", ["test"], anns_field="sparse", highlighter=theirs)[0]
    assert fragments(found)[0] == ["{my} first {test} doc"]
    with pytest.raises(elanus.NotSupported, match="SemanticHighlighter asks a model"):
        docs.search("c", ["x"], anns_field="sparse", highlighter=pymilvus.SemanticHighlighter(["q"], ["text"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "nothing to mark"),
        ({"highlight_search_text": "yes"}, "highlight_search_text must be True or False, not 'yes'"),
        ({**SEARCHED, "pre_tags": []}, "pre_tags must be a list of str, at least one"),
        ({**SEARCHED, "post_tags": "}"}, "post_tags must be a list of str"),
        ({**SEARCHED, "fragment_size": 0}, "fragment_size must be a whole number of at least 1, not 0"),
        ({**SEARCHED, "fragment_offset": -1}, "fragment_offset must be a whole number of at least 0"),
        ({**SEARCHED, "num_of_fragments": True}, "num_of_fragments must be a whole number"),
        ({"highlight_query": {"field": "text"}}, "highlight_query must be a list of dicts"),
        ({"highlight_query": [{"field": "text"}]}, "needs 'field' and 'text'"),
        ({"highlight_query": [{"field": "text", "txt": "a"}]}, "has no key 'txt'; did you mean 'text'"),
        ({"highlight_query": [{"field": "text", "text": "a", "type": "Phrase"}]}, "type must be 'TextMatch'"),
        ({"highlight_query": [{"field": "tex", "text": "a"}]}, "no field 'tex'; did you mean 'text'"),
        ({"highlight_query": [{"field": "name", "text": "a"}]}, "field 'name' has no analyzer"),
    ],
)
def test_what_cannot_be_marked_is_refused(docs: elanus.Client, options: dict[str, Any], message: str) -> None:
    with pytest.raises(elanus.ElanusError, match=message):
        docs.search("c", ["test"], anns_field="sparse", highlighter=LexicalHighlighter(**options))


def test_a_search_without_words_and_a_thing_that_marks_nothing_are_refused(docs: elanus.Client) -> None:
    with pytest.raises(elanus.InvalidArgument, match="marks the texts of a BM25 search, which this is not"):
        docs.search("c", [[1.0, 0.4]], anns_field="dense", highlighter=LexicalHighlighter(**SEARCHED))
    for wrong in ("em", True, {"pre_tags": ["{"]}):
        with pytest.raises(elanus.InvalidArgument, match="highlighter must be a LexicalHighlighter, not"):
            docs.search("c", ["test"], anns_field="sparse", highlighter=wrong)
    with pytest.raises(elanus.InvalidArgument, match="unknown argument 'highlighter'"):
        docs.search_iterator("c", [[1.0, 0.4]], anns_field="dense", highlighter=LexicalHighlighter(**SEARCHED))


def test_nothing_matches_in_texts_without_words(client: elanus.Client) -> None:
    collection(client)
    insert(client, ["", "kite", "!?"], note=[None, "", "kite"])
    query = [{"field": "note", "text": "kite"}, {"field": "text", "text": "kite ! "}]
    marks = LexicalHighlighter(highlight_query=query, **BRACES)
    found = client.search("c", [[1.0, 0.4]], anns_field="dense", highlighter=marks)[0]
    assert fragments(found, "note") == {0: [], 1: [], 2: ["{kite}"]}
    assert fragments(found) == {0: [], 1: ["{kite}"], 2: []}


def test_a_server_gets_pymilvuss_highlighter() -> None:
    pymilvus = pytest.importorskip("pymilvus")
    from elanus.client.remote import MilvusServer, _pymilvus

    theirs = _pymilvus(LexicalHighlighter(**SEARCHED, fragment_size=7))
    assert isinstance(theirs, pymilvus.LexicalHighlighter)
    assert theirs.params == {**SEARCHED, "fragment_size": 7}
    server = MilvusServer.__new__(MilvusServer)
    with pytest.raises(elanus.NotSupported, match="highlights the hits of search only"):
        server.hybrid_search("c", [], elanus.RRFRanker(), highlighter=LexicalHighlighter(**SEARCHED))
    query = [{"field": "text", "text": "a", "analyzer_name": "de"}]
    with pytest.raises(elanus.NotSupported, match="no 'analyzer_name'"):
        server.search("c", ["a"], highlighter=LexicalHighlighter(highlight_query=query))


WORDS = st.lists(st.sampled_from(["kite", "Kite", "kites", "red", "é", "😀", "bird", "-"]), max_size=40)


@given(
    texts=st.lists(WORDS, min_size=1, max_size=3),
    asked=st.sets(st.sampled_from(["kite", "red", "é"]), min_size=1),
    size=st.integers(1, 40),
    offset=st.integers(0, 20),
    most=st.integers(1, 6),
)
def test_fragments_are_pieces_of_the_text_in_which_the_words_asked_for_are_marked(
    texts: list[list[str]], asked: set[str], size: int, offset: int, most: int
) -> None:
    with elanus.connect(":memory:") as client:
        collection(client)
        joined = [" ".join(words) for words in texts]
        insert(client, joined)
        query = [{"field": "text", "text": " ".join(asked)}]
        shape = {"fragment_size": size, "fragment_offset": offset, "num_of_fragments": most}
        marks = LexicalHighlighter(highlight_query=query, **BRACES, **shape)
        found = fragments(client.search("c", [[1.0, 0.4]], anns_field="dense", highlighter=marks)[0])
    for key, text in enumerate(joined):
        wanted = [word for word in text.split() if word.lower() in asked]
        shown = found[key]
        assert len(shown) <= most
        assert bool(shown) == bool(wanted)
        plain = [one.replace("{", "").replace("}", "") for one in shown]
        longest = max(map(len, wanted), default=0)
        assert all(len(one) <= max(size, offset + longest) for one in plain)
        places = [text.index(one) for one in plain[:1]]
        for one in plain[1:]:
            places.append(text.index(one, places[-1] + 1))
        marked = list(itertools.chain.from_iterable(_marked(one) for one in shown))
        assert marked == wanted[: len(marked)]
        assert len(marked) == len(wanted) or len(shown) == most


def _marked(fragment: str) -> list[str]:
    return [piece.partition("}")[0] for piece in fragment.split("{")[1:]]
