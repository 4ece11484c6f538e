"""Scalar indexes: created, told, dropped; and never a different answer from the same filter without one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus.errors import AlreadyExists, InvalidArgument, NotSupported

from tests import shapes

ROWS = 3_000
Index = tuple[str, str, dict[str, Any]]
INDEXES: list[Index] = [
    ("n", "STL_SORT", {}),
    ("score", "INVERTED", {}),
    ("flag", "BITMAP", {}),
    ("color", "TRIE", {}),
    ("text", "NGRAM", {"min_gram": 2, "max_gram": 3}),
    ("tags", "INVERTED", {}),
    ("meta", "INVERTED", {"json_path": 'meta["k"]', "json_cast_type": "double"}),
    ("x", "AUTOINDEX", {"json_path": "x", "json_cast_type": "varchar"}),
]


def article(key: int, chance: random.Random) -> dict[str, Any]:
    return {
        "id": key,
        "n": chance.choice([None, key, chance.randrange(50)]),
        "score": chance.choice([0.5, key / 7, -1.0]),
        "flag": key % 100 == 0,
        "color": f"c{chance.randrange(400)}",
        "tags": [f"t{chance.randrange(300)}" for _ in range(chance.randrange(4))],
        "meta": {"k": chance.choice([key, str(key), None, 2.5, [key]])} if key % 3 else {},
        "text": f"kite {key:05d} of the {chance.randrange(900)} sky",
        "vector": [chance.random() for _ in range(shapes.DIM)],
        **({"x": f"x{chance.randrange(500)}"} if key % 2 else {}),
    }


def add(client: elanus.Client, index: Index) -> None:
    field, kind, params = index
    client.create_index(
        "docs", client.prepare_index_params(field, index_type=kind, index_name=f"on_{field}", params=params)
    )


def filters(chance: random.Random) -> list[str]:
    number = chance.randrange(ROWS)
    word = f"c{chance.randrange(400)}"
    simple = [
        f"n == {number}",
        f"{number} <= n < {number + 9}",
        f"n in [{number}, {number + 1}, 7]",
        f"score > {ROWS / 7 - 1.5}",
        "flag == true",
        f"color == '{word}'",
        f"color like '{word}%'",
        f"text like '%{number:05d}%'",
        f"text like '%{number:05d} of%'",
        "text like '%1 s%'",
        f"array_contains(tags, 't{chance.randrange(300)}')",
        f"array_contains_any(tags, ['t{chance.randrange(300)}', 't1'])",
        f"array_contains_all(tags, ['t{chance.randrange(300)}', 't1'])",
        f'meta["k"] == {number}',
        f'meta["k"] == "{number}"',
        f"x == 'x{chance.randrange(500)}'",
        f"not (n == {number})",
        f"n != {number} and color == '{word}'",
    ]
    pairs = [
        f"({a}) {chance.choice(['and', 'or'])} ({b})" for a, b in zip(simple, simple[5:] + simple[:5], strict=True)
    ]
    return simple + pairs


def answers(client: elanus.Client, asked: list[str]) -> list[Any]:
    found = []
    for text in asked:
        keys = [row["id"] for row in client.query("docs", filter=text, output_fields=["id"])]
        near = client.search("docs", [[0.5] * shapes.DIM], anns_field="vector", filter=text, limit=5)[0].ids
        texts = client.search("docs", ["kite sky"], anns_field="sparse", filter=text, limit=5)[0].ids
        found.append((text, keys, near, texts))
    return found


def test_an_index_never_changes_an_answer(client: elanus.Client, folder: Path) -> None:
    chance = random.Random(11)
    shapes.articles(client, "docs")
    client.insert("docs", [article(key, chance) for key in range(ROWS)])
    client.flush("docs")
    client.upsert("docs", [article(key, chance) for key in range(0, ROWS, 37)])
    client.delete("docs", filter="id % 41 == 0")
    asked = filters(chance) + filters(chance)
    expected = answers(client, asked)
    steps: list[Callable[[], object]] = [
        lambda: [add(client, index) for index in INDEXES],
        lambda: client.flush("docs"),
        lambda: client.compact("docs"),
    ]
    for step in steps:
        step()
        assert answers(client, asked) == expected
        with elanus.connect(folder) as other:
            assert answers(other, asked) == expected
    names = {path.stem.partition("-")[0] for path in Path(client.path, "segments").glob("*/*.arrow")}
    assert {"lookup", "grams"} <= names
    for name in client.list_indexes("docs"):
        if name.startswith("on_"):
            client.drop_index("docs", name)
    assert answers(client, asked) == expected


@pytest.mark.parametrize("key", ["odd key", "größe", 'q"q', "null"])
def test_a_dynamic_key_that_is_no_plain_name_is_indexed_and_read_back(
    client: elanus.Client, folder: Path, key: str
) -> None:
    client.create_collection("docs", dimension=2)
    path = f"$meta[{json.dumps(key)}]"
    client.create_index("docs", client.prepare_index_params(key, index_type="INVERTED", params={"json_path": path}))
    client.insert("docs", [{"id": n, "vector": [0.0, 1.0], key: n % 2} for n in range(4)])
    with elanus.connect(folder) as other:
        assert [row["id"] for row in other.query("docs", f"{path} == 1", ["id"])] == [1, 3]
        other.create_index("docs", other.prepare_index_params(key, index_type="INVERTED", params={"json_path": path}))
        assert other.list_indexes("docs", key) == client.list_indexes("docs", key) == [key]


def test_an_index_is_told_and_the_same_again_is_no_error(client: elanus.Client) -> None:
    shapes.articles(client, "docs")
    for index in INDEXES * 2:
        add(client, index)
    assert client.list_indexes("docs", "n") == ["on_n"]
    told = client.describe_index("docs", "on_meta")
    assert (told["index_type"], told["json_path"], told["json_cast_type"]) == ("INVERTED", 'meta["k"]', "double")
    assert "metric_type" not in told
    client.create_index(
        "docs", client.prepare_index_params("meta", index_type="INVERTED", params={"json_path": "meta['j']"})
    )
    assert client.list_indexes("docs", "meta") == ["on_meta", "meta_j"]
    with pytest.raises(AlreadyExists, match=r"'on_n'.*drop_index"):
        client.create_index("docs", client.prepare_index_params("n", index_type="INVERTED"))
    with pytest.raises(AlreadyExists, match="'on_n' is taken"):
        client.create_index("docs", client.prepare_index_params("id", index_type="INVERTED", index_name="on_n"))
    client.drop_index("docs", "on_n")
    client.create_index("docs", client.prepare_index_params("n"))
    assert client.describe_index("docs", "n")["index_type"] == "AUTOINDEX"


@pytest.mark.parametrize(
    ("field", "options", "error", "message"),
    [
        ("text", {"index_type": "NGRAM"}, InvalidArgument, "needs min_gram and max_gram"),
        ("text", {"index_type": "NGRAM", "min_gram": 3, "max_gram": 2}, InvalidArgument, "must not exceed"),
        ("n", {"index_type": "NGRAM", "min_gram": 1, "max_gram": 2}, InvalidArgument, "INT64.*use AUTOINDEX or"),
        ("score", {"index_type": "BITMAP"}, InvalidArgument, "DOUBLE.*BITMAP does not take it"),
        ("flag", {"index_type": "STL_SORT"}, InvalidArgument, "BOOL"),
        ("color", {"index_type": "RTREE"}, (InvalidArgument, NotSupported), "RTREE"),
        ("color", {"index_type": "INVRTED"}, InvalidArgument, "did you mean 'INVERTED'"),
        ("color", {"index_type": "TRIE", "bogus": 1}, InvalidArgument, "unknown parameter 'bogus'"),
        ("color", {"index_type": "TRIE", "json_path": "color['a']"}, InvalidArgument, "json_path belongs to JSON"),
        ("meta", {"index_type": "INVERTED", "json_path": "meta"}, InvalidArgument, "names no place"),
        (
            "meta",
            {"index_type": "INVERTED", "json_path": "meta['a'", "json_cast_type": "double"},
            InvalidArgument,
            "meta",
        ),
        ("meta", {"index_type": "BITMAP", "json_path": "meta['a']"}, InvalidArgument, "JSON"),
        ("meta", {"json_path": "meta['a']", "json_cast_type": "int"}, InvalidArgument, "json_cast_type must be one of"),
        (
            "$meta",
            {"index_type": "INVERTED", "json_path": "x"},
            InvalidArgument,
            "lies in 'x'; give that as field_name",
        ),
        ("meta", {"index_type": "INVERTED", "json_path": "$meta['x']"}, InvalidArgument, "lies in 'x'"),
        ("color", {"metric_type": "COSINE"}, InvalidArgument, "no metric_type"),
        ("nope", {"index_type": "INVERTED"}, elanus.FieldNotFound, "nope"),
    ],
)
def test_an_index_that_does_not_fit_is_refused_with_what_does(
    client: elanus.Client, field: str, options: dict[str, Any], error: Any, message: str
) -> None:
    shapes.articles(client, "docs")
    with pytest.raises(error, match=message):
        client.create_index("docs", client.prepare_index_params(field, **options))
    assert client.list_indexes("docs") == ["vector", "sparse"]
