"""multi_analyzer_params: each row's text is analysed by the analyzer that its language names."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import AnnSearchRequest, DataType, Function, FunctionType, RRFRanker

from tests.oracle import Table

NAME = "c"
ANALYZERS = {
    "default": {"type": "standard"},
    "short": {"tokenizer": "standard", "filter": ["lowercase", {"type": "length", "max": 3}]},
    "stopped": {"type": "standard", "stop_words": ["red", "kite"]},
    "grams": {"tokenizer": {"type": "ngram", "min_gram": 2, "max_gram": 2}},
}
PLAIN: dict[str, Callable[[str], list[str]]] = {
    "default": lambda text: text.split(),
    "short": lambda text: [word for word in text.split() if len(word) <= 3],
    "stopped": lambda text: [word for word in text.split() if word not in ("red", "kite")],
    "grams": lambda text: [text[at : at + 2].replace(" ", "_") for at in range(len(text) - 1)],
}
"""What the analyzers do, of texts that consist of lower-case words and single blanks."""
ALIAS = {"s": "short", "stopped": "grams"}
LANGUAGES = [None, "", "default", "short", "s", "stopped", "grams", "klingon"]
PARAMS = {"by_field": "language", "analyzers": ANALYZERS, "alias": ALIAS}


def schema_of(params: Any = PARAMS, **options: Any) -> elanus.CollectionSchema:
    schema = elanus.Client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("language", DataType.VARCHAR, max_length=20, nullable=True)
    analysed = {"enable_analyzer": True, "multi_analyzer_params": params, **options}
    schema.add_field("text", DataType.VARCHAR, max_length=500, nullable=True, **analysed)
    schema.add_field("number", DataType.INT64, nullable=True)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    return schema.add_function(Function("bm25", FunctionType.BM25, "text", "sparse"))


def create(client: elanus.Client, **options: Any) -> None:
    indexes = client.prepare_index_params()
    indexes.add_index("sparse", metric_type="BM25")
    client.create_collection(NAME, schema=schema_of(**options), index_params=indexes)


def plainly(language: str | None, text: str) -> str:
    """The terms of a text, by the rule, as words that `Table` splits again."""
    meant = ALIAS.get(language or "", language or "")
    return " ".join(PLAIN.get(meant, PLAIN["default"])(text))


def written(table: Table, rows: list[dict[str, Any]]) -> None:
    table.write({**row, "terms": plainly(row["language"], row["text"])} for row in rows)


def agree(client: elanus.Client, table: Table, query: str, name: str | None) -> None:
    params = {} if name is None else {"analyzer_name": name}
    hits = client.search(NAME, [query], limit=200, search_params=params)[0]
    expected = table.bm25("sparse", plainly(name, query))
    assert {hit["id"]: hit["distance"] for hit in hits} == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_sequence_of_writes_agrees_with_the_oracle(folder: Path, seed: int) -> None:
    chance, table = random.Random(seed), Table("id", texts={"sparse": "terms"})
    words = ["red", "kite", "kites", "sky", "over", "a", "an", "fields"]

    def text() -> str:
        return " ".join(chance.choices(words, k=chance.randint(1, 6)))

    def rows() -> list[dict[str, Any]]:
        keys = chance.sample(range(40), chance.randint(1, 8))
        return [{"id": key, "language": chance.choice(LANGUAGES), "text": text()} for key in keys]

    client = elanus.connect(folder, durability="os")
    create(client)
    for _ in range(40):
        step = chance.choice(["insert", "upsert", "language", "text", "number", "delete", "flush", "reopen"])
        some = [dict(row) for row in chance.sample(sorted(table.rows.values(), key=str), min(3, len(table.rows)))]
        if step in ("insert", "upsert"):
            given = rows()
            getattr(client, step)(NAME, given)
            written(table, given)
        elif step in ("language", "text", "number") and some:
            value = {"language": chance.choice(LANGUAGES), "text": text(), "number": 3}[step]
            client.upsert(NAME, [{"id": row["id"], step: value} for row in some], partial_update=True)
            written(table, [{**row, step: value} for row in some])
        elif step == "delete" and some:
            client.delete(NAME, ids=[some[0]["id"]])
            table.delete([some[0]["id"]])
        elif step == "flush":
            client.flush(NAME)
        elif step == "reopen":
            client.close()
            client = elanus.connect(folder, durability="os")
        agree(client, table, text(), chance.choice(LANGUAGES))
    for state in ("flushed", "reopened"):
        client.flush(NAME)
        for name in LANGUAGES:
            agree(client, table, "red kites over a sky", name), state
        client.close()
        client = elanus.connect(folder, durability="os")
    client.close()


TEXTS = [
    {"id": 1, "language": "english", "text": "The kites were hunting."},
    {"id": 2, "language": "de", "text": "Die Häuser der Stadt"},
    {"id": 3, "language": "indonesian", "text": "Pembangunan kota"},
    {"id": 4, "language": None, "text": "The kites were hunting."},
]
LANGUAGE_PARAMS = {
    "by_field": "language",
    "analyzers": {"default": {}, **{name: {"type": name} for name in ("english", "german", "indonesian")}},
    "alias": {"de": "german"},
}
ASKED = [("hunt", "english", [1]), ("haus", "de", [2]), ("bangunan", "indonesian", [3]), ("hunting", None, [4])]


def test_each_language_finds_its_own_forms_in_every_process(client: elanus.Client, folder: Path) -> None:
    create(client, params=LANGUAGE_PARAMS)
    client.insert(NAME, TEXTS[:2])
    client.flush(NAME)
    client.insert(NAME, TEXTS[2:])
    script = """
import elanus, sys
client = elanus.connect(sys.argv[1])
for query, name in zip(sys.argv[2::2], sys.argv[3::2]):
    print(client.search("c", [query], search_params={"analyzer_name": name})[0].ids)
"""
    asked = [one for query, name, _ in ASKED for one in (query, name or "default")]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        [sys.executable, "-c", script, str(folder), *asked], env=path, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines() == [str(ids) for *_, ids in ASKED]
    for query, name, ids in ASKED:
        params = {"params": {"analyzer_name": name}} if name else {}
        assert client.search(NAME, [query], search_params=params)[0].ids == ids
        request = AnnSearchRequest([query], "sparse", params, 5)
        assert client.hybrid_search(NAME, [request, request], RRFRanker())[0].ids == ids
    explained = client.search(NAME, ["hunted"], search_params={"analyzer_name": "english"}, explain=True)[0][0]
    assert list(explained["explanation"]["routes"][0]["terms"]) == ["hunt"]


def test_run_analyzer_shows_each_analyzer_of_a_field(client: elanus.Client) -> None:
    create(client, params=LANGUAGE_PARAMS)

    def run(texts: Any, names: Any = None) -> Any:
        return client.run_analyzer(texts, collection_name=NAME, field_name="text", analyzer_names=names)

    assert run("Kites hunting") == ["kites", "hunting"]
    assert run("Kites hunting", "english") == ["kite", "hunt"]
    assert run(["Kites", "Häuser"], ["english", "de"]) == [["kite"], ["haus"]]
    assert run(["Kites", "Die"], ["english"]) == [["kite"], ["die"]]
    assert run("Kites", "klingon") == ["kites"]
    with pytest.raises(elanus.InvalidArgument, match="2 analyzer_names for 3 texts"):
        run(["a", "b", "c"], ["english", "de"])
    with pytest.raises(elanus.InvalidArgument, match="must be a str or a list of str"):
        run("a", [7])
    with pytest.raises(elanus.InvalidArgument, match="for a field with multi_analyzer_params"):
        client.run_analyzer("a", {"type": "english"}, analyzer_names="english")


def test_stored_texts_are_searched_with_where_the_analyzer_is_said(client: elanus.Client) -> None:
    create(client, params=LANGUAGE_PARAMS)
    client.insert(NAME, TEXTS)
    with pytest.raises(elanus.InvalidArgument, match="say which reads the stored texts"):
        client.search(NAME, ids=[1])
    assert client.search(NAME, ids=[1], search_params={"analyzer_name": "english"})[0].ids[0] == 1


def test_pymilvus_fields_and_json_are_understood(client: elanus.Client) -> None:
    pymilvus = pytest.importorskip("pymilvus")
    options = {"max_length": 50, "enable_analyzer": True, "multi_analyzer_params": LANGUAGE_PARAMS}
    theirs = pymilvus.FieldSchema("text", pymilvus.DataType.VARCHAR, **options)
    ours = elanus.FieldSchema.from_dict(theirs.to_dict())
    assert ours.multi_analyzer_params == LANGUAGE_PARAMS
    assert elanus.FieldSchema.from_dict(ours.to_dict()) == ours
    with pytest.raises(elanus.SchemaError, match="not valid JSON"):
        schema_of("{")


ENGLISH = {"type": "english"}


@pytest.mark.parametrize(
    ("params", "options", "said"),
    [
        ({"analyzers": {"default": {}}}, {}, "need 'by_field'"),
        ({"by_field": 7, "analyzers": {"default": {}}}, {}, "need 'by_field'"),
        ({"by_field": "languag", "analyzers": {"default": {}}}, {}, "no field 'languag'; did you mean 'language'"),
        ({"by_field": "number", "analyzers": {"default": {}}}, {}, "must be VARCHAR, not INT64"),
        ({"by_field": "language"}, {}, "need 'analyzers'"),
        ({"by_field": "language", "analyzers": {"english": ENGLISH}}, {}, "one named 'default'"),
        ({**PARAMS, "analyzers": {"default": {"type": "englich"}}, "alias": {}}, {}, "analyzer 'default': unknown"),
        ({**PARAMS, "alias": {"s": "shrt"}}, {}, "did you mean 'short'"),
        ({**PARAMS, "alias": ["s"]}, {}, "take 'alias'"),
        ({**PARAMS, "byfield": "x"}, {}, "did you mean 'by_field'"),
        (["english"], {}, "must be a mapping"),
        (PARAMS, {"analyzer_params": ENGLISH}, "exclude each other"),
        (PARAMS, {"enable_match": True}, "exclude each other, as in Milvus"),
        (PARAMS, {"enable_analyzer": False}, "needs enable_analyzer=True"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    client: elanus.Client, params: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(elanus.InvalidArgument, match="field 'text'") as error:
        create(client, params=params, **options)
    assert said in str(error.value)


def test_an_analyzers_name_needs_several_analyzers(client: elanus.Client) -> None:
    create(client, params=None)
    with pytest.raises(elanus.InvalidArgument, match="field 'text' has one analyzer"):
        client.search(NAME, ["a"], search_params={"analyzer_name": "english"})
    with pytest.raises(elanus.InvalidArgument, match="analyzer_name must be a str"):
        client.search(NAME, ["a"], search_params={"analyzer_name": 7})


def test_a_field_added_later_is_checked_likewise(client: elanus.Client) -> None:
    create(client)
    options = {"max_length": 50, "nullable": True, "enable_analyzer": True}
    with pytest.raises(elanus.InvalidArgument, match="did you mean 'english'"):
        client.add_collection_field(NAME, "more", DataType.VARCHAR, analyzer_params={"type": "englich"}, **options)
    params = {**PARAMS, "by_field": "tongue"}
    with pytest.raises(elanus.SchemaError, match="no field 'tongue'"):
        client.add_collection_field(NAME, "more", DataType.VARCHAR, multi_analyzer_params=params, **options)
