"""text_match and phrase_match: through the client, in every state of the rows, and against tantivy's own phrases."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import elanus
import pytest
import tantivy
from elanus import DataType, F

from tests.filter.reference import has_phrase
from tests.filter.states import NAME, states
from tests.spelling import errors

MATCHED = {"enable_analyzer": True, "enable_match": True, "max_length": 1000, "nullable": True}


def create(client: elanus.Client, **options: Any) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, **MATCHED, **options)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection(NAME, schema=schema, index_params=indexes)


def found(client: elanus.Client, filter: Any, **params: Any) -> list[int]:
    kept = {"filter_params": params} if params else {}
    return [row["id"] for row in client.query(NAME, filter=filter, output_fields=["id"], **kept)]


def rows(texts: list[str | None]) -> list[dict[str, Any]]:
    return [{"id": n, "text": text, "vector": [1.0, float(n)]} for n, text in enumerate(texts)]


TEXTS = [
    "Machine learning boosts efficiency",
    "learning machine",
    "Learning a machine",
    "deep learning",
    "the machine: deep learning, machine!",
    None,
    "",
    "nothing of it",
]
CASES = [
    ('text_match(text, "machine deep")', [0, 1, 2, 3, 4]),
    ('TEXT_MATCH(text, "DEEP Machine", minimum_should_match=2)', [4]),
    ('text_match(text, "deep machine it", MINIMUM_SHOULD_MATCH=3)', []),
    ('text_match(text, "machine machine", minimum_should_match=2)', [0, 1, 2, 4]),
    ('text_match(text, "absent")', []),
    ('text_match(text, "")', []),
    ('not (text_match(text, "machine"))', [3, 6, 7]),
    ('not (text_match(text, "  !"))', [0, 1, 2, 3, 4, 6, 7]),
    ('text_match(text, "machine") and not (text_match(text, "deep")) and id > 0', [1, 2]),
    ('phrase_match(text, "machine learning")', [0]),
    ('phrase_match(text, "machine learning", 1)', [0, 4]),
    ('phrase_match(text, "machine learning", 2)', [0, 1, 4]),
    ('phrase_match(text, "machine learning", 3)', [0, 1, 2, 4]),
    ('PHRASE_MATCH(text, "machine")', [0, 1, 2, 4]),
    ('phrase_match(text, "machine absent", 9)', []),
    ('phrase_match(text, "...")', []),
    ('not (phrase_match(text, "learning machine"))', [0, 2, 3, 6, 7]),
]


def test_every_state_of_the_rows_gives_the_same_matches(folder: Path) -> None:
    for state, client in states(folder, create, rows(TEXTS)):
        for text, expected in CASES:
            assert found(client, text) == expected, (state, text)
        assert found(client, "text_match(text, {w}, minimum_should_match={n})", w="deep machine", n=2) == [4], state
        assert found(client, "phrase_match(text, {w}, {n})", w="machine learning", n=1) == [0, 4], state
        hits = client.search(NAME, [[1.0, 0.0]], limit=9, filter='text_match(text, "learning")')[0]
        assert sorted(hits.ids) == [0, 1, 2, 3, 4], state


def test_another_process_finds_the_same(client: elanus.Client, folder: Path) -> None:
    create(client)
    client.insert(NAME, rows(TEXTS[:4]))
    client.flush(NAME)
    client.insert(NAME, [{**row, "id": row["id"] + 4} for row in rows(TEXTS[4:])])
    asked = [text for text, _ in CASES]
    script = """
import elanus, json, sys
client = elanus.connect(sys.argv[1])
print([[row["id"] for row in client.query("c", filter=text)] for text in json.loads(sys.argv[2])])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), json.dumps(asked)], capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == [expected for _, expected in CASES]


def test_rows_are_deleted_by_their_words(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, rows(TEXTS))
    client.flush(NAME)
    assert client.delete(NAME, filter='phrase_match(text, "deep learning")')["delete_count"] == 2
    assert found(client, 'text_match(text, "learning")') == [0, 1, 2]


def test_conditions_built_in_python_say_the_same(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, rows(TEXTS))
    assert found(client, F.text.text_match('deep" machine', 2)) == [4]
    assert found(client, ~F.text.text_match("machine") & (F.id > 3)) == [6, 7]
    assert found(client, F.text.phrase_match("machine learning", slop=1)) == [0, 4]
    assert str(F.text.text_match("a b", 2)) == 'text_match(text, "a b", minimum_should_match=2)'
    assert str(F.text.phrase_match("a b", 2) | F.text.phrase_match("a")) == (
        '(phrase_match(text, "a b", 2)) or (phrase_match(text, "a"))'
    )
    with pytest.raises(elanus.FilterError, match="expected an int"):
        F.text.phrase_match("a", slop="1")  # type: ignore[arg-type]
    with pytest.raises(elanus.FilterError, match="takes a str"):
        F.text.text_match(3)  # type: ignore[arg-type]


def test_the_question_passes_the_fields_own_analyzer(client: elanus.Client) -> None:
    create(client, analyzer_params={"type": "english"})
    client.insert(NAME, rows(["The kites flew over the city", "a kite and a hawk", "cities"]))
    for _ in range(2):
        assert found(client, 'text_match(text, "Kite")') == [0, 1]
        assert found(client, 'text_match(text, "city")') == [0, 2]
        assert found(client, 'text_match(text, "the and")') == []
        assert found(client, 'phrase_match(text, "flew over a city")') == [0]
        assert found(client, 'phrase_match(text, "flew over city")') == []
        assert found(client, 'phrase_match(text, "flew over city", 1)') == [0]
        client.flush(NAME)


def test_chinese_words_stand_where_they_begin(client: elanus.Client) -> None:
    pytest.importorskip("jieba")
    create(client, analyzer_params={"tokenizer": "jieba"})
    client.insert(NAME, rows(["网球和滑雪", "网球以及滑雪"]))
    assert [found(client, "phrase_match(text, '网球滑雪', {slop})", slop=slop) for slop in (0, 1, 2)] == [
        [],
        [0],
        [0, 1],
    ]


VOCABULARY = ["kite", "kites", "kit", "ktie", "kitchen", "küche", "elephant", "elefant", "a", "an", "night"]


def test_words_like_those_asked_for_are_found_in_every_state(folder: Path) -> None:
    chance = random.Random(7)
    texts: list[str | None] = [" ".join(chance.choices(VOCABULARY, k=chance.randint(0, 4))) for _ in range(60)]
    texts[5] = None
    for state, client in states(folder, create, rows(texts)):
        for _ in range(12):
            words = chance.choices([*VOCABULARY, "kitche", "elefantt", "ngiht", "xyz"], k=chance.randint(1, 3))
            least, prefix, edits = chance.choice([1, 1, 2]), chance.random() < 0.5, chance.choice([0, 1, 2])
            asked = F.text.text_match(" ".join(words), least, prefix=prefix, fuzziness=edits)
            expected = [
                n for n, text in enumerate(texts) if text is not None and like(text, words, prefix, edits) >= least
            ]
            assert found(client, asked) == expected, (state, str(asked))
            others = [n for n, text in enumerate(texts) if text is not None and n not in expected]
            assert found(client, ~asked) == others, (state, str(asked))
            assert found(client, asked & (F.id < 9)) == [n for n in expected if n < 9]
            hits = client.search(NAME, [[1.0, 0.0]], limit=100, filter=asked)[0]
            assert sorted(hits.ids) == expected, (state, str(asked))


def test_the_few_rows_that_an_index_leaves_are_asked_likewise(client: elanus.Client) -> None:
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, **MATCHED)
    schema.add_field("owner", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    indexes = client.prepare_index_params("vector", metric_type="L2")
    indexes.add_index("owner", "INVERTED")
    client.create_collection(NAME, schema=schema, index_params=indexes)
    texts = [f"{VOCABULARY[n % 11]} {VOCABULARY[n % 7]}" for n in range(2_000)]
    client.insert(NAME, [{**row, "owner": row["id"] % 200} for row in rows(texts)])
    client.flush(NAME)
    for prefix, edits, least in ((True, 0, 1), (False, 1, 1), (True, 2, 2)):
        condition = F.text.text_match("kit elephan", least, prefix=prefix, fuzziness=edits) & (F.owner == 3)
        mine = [n for n in range(len(texts)) if n % 200 == 3]
        expected = [n for n in mine if like(texts[n], ["kit", "elephan"], prefix, edits) >= least]
        assert expected
        assert found(client, condition) == expected


def like(text: str, words: list[str], prefix: bool, edits: int) -> int:
    """How many of the words the text has, by the rule."""

    def alike(word: str, held: str) -> bool:
        ends = range(len(held) + 1) if prefix else [len(held)]
        return any(errors(word, held[:end]) <= edits for end in ends)

    return sum(any(alike(word, held) for held in text.split()) for word in words)


def test_the_options_of_a_match_are_written_in_any_order(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, rows(["The Elephant trumpets", "an elefant", "elk"]))
    assert found(client, 'text_match(text, "ELEPHA", prefix=true)') == [0]
    assert found(client, 'text_match(text, "elephant", FUZZINESS=2)') == [0, 1]
    assert found(client, 'text_match(text, "trump elefan", prefix=true, fuzziness=2, minimum_should_match=2)') == [0]
    assert found(client, 'text_match(text, "el", prefix={p}, fuzziness={n})', p=True, n=0) == [0, 1, 2]
    assert found(client, 'text_match(text, "el", prefix=false)') == []
    assert found(client, F.text.text_match("elephan elk", 2, prefix=True)) == []
    assert str(F.text.text_match("a", 2, prefix=True, fuzziness=1)) == (
        'text_match(text, "a", minimum_should_match=2, prefix=true, fuzziness=1)'
    )
    with pytest.raises(elanus.FilterError, match="prefix must be True or False"):
        F.text.text_match("a", prefix="yes")  # type: ignore[arg-type]
    with pytest.raises(elanus.FilterError, match="from 0 to 2"):
        found(client, F.text.text_match("a", fuzziness=3))


def test_a_field_for_matching_needs_an_analyzer() -> None:
    schema = elanus.CollectionSchema()
    with pytest.raises(elanus.SchemaError, match="enable_match needs enable_analyzer=True"):
        schema.add_field("t", DataType.VARCHAR, max_length=5, enable_match=True)


def test_a_field_for_matching_is_described_and_kept(folder: Path) -> None:
    with elanus.connect(folder) as client:
        create(client)
    with elanus.connect(folder) as client:
        field = client.describe_collection(NAME)["fields"][1]
        assert field["params"]["enable_match"] is True
        client.insert(NAME, rows(TEXTS))
        client.flush(NAME)
        assert list(folder.glob("segments/*/text-1.arrow"))


def test_a_segment_without_the_file_is_inverted_when_it_is_asked(folder: Path) -> None:
    with elanus.connect(folder) as client:
        create(client)
        client.insert(NAME, rows(TEXTS))
        client.flush(NAME)
    for path in folder.glob("segments/*/text-1.arrow"):
        path.unlink()
    with elanus.connect(folder) as client:
        for text, expected in CASES:
            assert found(client, text) == expected


def test_a_field_that_is_added_later_can_be_matched(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, rows(TEXTS))
    client.flush(NAME)
    client.add_collection_field(NAME, "more", DataType.VARCHAR, **MATCHED, default_value="Red kite")
    client.insert(NAME, [{"id": 99, "text": "a", "more": "grey owl", "vector": [1.0, 1.0]}])
    for _ in range(2):
        assert found(client, "phrase_match(more, 'red kite')") == list(range(8))
        assert found(client, "text_match(more, 'owl')") == [99]
        assert found(client, "not (text_match(more, 'kite owl', minimum_should_match=2)) and id > 6") == [7, 99]
        client.flush(NAME)


def test_phrases_are_those_of_tantivy(client: elanus.Client) -> None:
    """Of two words, or without slop; in a longer one tantivy spends the slop on each word anew, Milvus on the whole."""
    chance = random.Random(5)
    texts = [[chance.choice("abcd") for _ in range(chance.randrange(9))] for _ in range(300)]
    create(client)
    client.insert(NAME, rows([" ".join(text) for text in texts]))
    client.flush(NAME)
    ask = asked_of_tantivy(texts)
    for _ in range(120):
        words, slop = chance.choices("abcd", k=chance.choice([2, 2, 3, 4])), chance.choice([0, 0, 1, 2, 3])
        ours = found(client, "phrase_match(text, {p}, {s})", p=" ".join(words), s=slop)
        assert ours == [n for n, text in enumerate(texts) if has_phrase(text, words, slop)]
        if len(words) == 2 or not slop:
            assert ask(words, slop) == ours


def asked_of_tantivy(texts: list[list[str]]) -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="default")
    builder.add_integer_field("id", stored=True)
    schema = builder.build()
    index = tantivy.Index(schema)
    writer = index.writer(15_000_000, 1)
    for number, text in enumerate(texts):
        writer.add_document(tantivy.Document(text=" ".join(text), id=number))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    def ask(words: list[str], slop: int) -> list[int]:
        query = tantivy.Query.phrase_query(schema, "text", list(words), slop)
        return sorted(searcher.doc(at)["id"][0] for _, at in searcher.search(query, len(texts)).hits)

    return ask
