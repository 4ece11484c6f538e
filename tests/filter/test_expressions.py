"""`elanus.F`: filters built in Python mean what they say, whatever their values and names are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import elanus
import pytest
from elanus import Expression, F
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = [
    '"',
    "'",
    "\\",
    '\\"',
    '" or 1 == 1 or x == "',
    "' or ''=='",
    "{v0}",
    "%",
    "_",
    "a%b_c\\",
    "\n\r\t\x00\x1f",
    "日本 😀 \u202e",
    "$meta",
    '"] or $meta["x',
    "true",
    "null",
    "",
]
ROWS: list[dict[str, Any]] = [
    *({"id": n, "x": text, "tags": [text, "all"]} for n, text in enumerate(HOSTILE)),
    {"id": 100, "x": 5, "tags": []},
    {"id": 101, "x": 5.5, "deep": {"a b": [1, 2]}},
    {"id": 102, "x": True, "odd key": 1},
    {"id": 103, "x": None, "like": 3},
    {"id": 104},
]


@pytest.fixture(scope="module")
def client() -> Iterator[elanus.Client]:
    with elanus.connect(":memory:") as client:
        client.create_collection("c", 2)
        client.insert("c", [{"vector": [0, 1], **row} for row in ROWS])
        yield client


def found(client: elanus.Client, filter: Any) -> list[int]:
    """The ids that match, which are the same for the values apart and for the filter written out."""
    ids = [row["id"] for row in client.query("c", filter, output_fields=["id"])]
    assert ids == [row["id"] for row in client.query("c", str(filter), output_fields=["id"])]
    return ids


@pytest.mark.parametrize(("place", "text"), list(enumerate(HOSTILE)))
def test_a_hostile_text_finds_itself_only(client: elanus.Client, place: int, text: str) -> None:
    assert found(client, F.x == text) == [place]
    assert found(client, F.x.isin([text])) == [place]
    assert found(client, F.tags.contains(text)) == [place]
    assert found(client, F.tags.contains_all(["all", text])) == [place]
    has = [n for n, x in enumerate(HOSTILE) if text in x]
    assert found(client, F.x.has_text(text)) == has
    assert found(client, F.x.startswith(text)) == [n for n, x in enumerate(HOSTILE) if x.startswith(text)]
    assert found(client, F.x.endswith(text)) == [n for n, x in enumerate(HOSTILE) if x.endswith(text)]
    assert found(client, F.x.has_text(text.upper(), ignore_case=True)) == has


@given(st.text(max_size=8))
def test_any_key_is_a_key(client: elanus.Client, key: str) -> None:
    if key not in {name for row in ROWS for name in row} | {"id", "vector", "$meta"}:
        assert found(client, F[key].exists()) == []
        assert found(client, F.deep[key] == 1) == []


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        (F.x >= 5, [100, 101]),
        (F.x.between(5, 5.2), [100]),
        (F.x == True, [102]),  # noqa: E712
        (F.x == None, [103, 104]),  # noqa: E711
        (F.x.isin([5, None]), [100, 103, 104]),
        (F.x.notin([5, *HOSTILE]), [101, 102]),
        (F.x * 2 + 1 > 11, [101]),
        ((F.x & 4) == 4, [100]),
        ((F.x | 2) ^ 1 == 6, [100]),
        ((F.x << 2) >> 1 == 10, [100]),
        (~F.x == -6, [100]),
        (F.x**2 == 25, [100]),
        (F.tags.length == 0, [100]),
        (F.deep["a b"][1] == 2, [101]),
        (F["odd key"] == 1, [102]),
        (F.like == 3, [103]),
        (F["like"] > 2, [103]),
        (~(F.x == 5) & F.x.like("%") & (F.x == "null"), [15]),
        ((F.x == 5) | (F.x == "") | (F.x == "%"), [7, 16, 100]),
        (F.x.matches("^true$"), [14]),
    ],
    ids=str,
)
def test_expressions_mean_what_they_say(client: elanus.Client, filter: Expression, ids: list[int]) -> None:
    assert found(client, filter) == ids


def test_long_chains_stay_flat(client: elanus.Client) -> None:
    chain = F.x == 5
    for n in range(500):
        chain = chain | (F.x == n)
    assert found(client, chain) == [100]


def test_searches_and_deletes_take_expressions() -> None:
    with elanus.connect(":memory:") as client:
        client.create_collection("c", 2)
        client.insert("c", [{"id": n, "vector": [n, 1], "year": n} for n in range(10)])
        late = F.year >= 7
        assert client.search("c", [[1, 1]], filter=late, limit=10)[0].ids == [7, 8, 9]
        request = elanus.AnnSearchRequest([[1, 1]], "vector", {}, 10, expr=late)
        assert sorted(client.hybrid_search("c", [request], elanus.RRFRanker())[0].ids) == [7, 8, 9]
        assert client.delete("c", filter=late) == {"delete_count": 3}
        assert client.query("c", late) == []


def test_what_python_cannot_join_is_refused_with_the_way_out() -> None:
    with pytest.raises(TypeError, match="join filters by"):
        (F.x > 1) and (F.x < 5)  # noqa: B018
    with pytest.raises(TypeError, match="between"):
        1 < F.x < 5  # noqa: B015
    with pytest.raises(TypeError):
        (F.x > 1) & True


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, object(), b"x", "\ud800", {"a": 1}])
def test_values_that_no_filter_holds_are_refused(value: object) -> None:
    with pytest.raises(elanus.FilterError):
        F.x == value  # noqa: B015


def test_an_expression_takes_no_further_params(client: elanus.Client) -> None:
    with pytest.raises(elanus.InvalidArgument, match="filter_params"):
        client.query("c", F.x == 5, filter_params={"a": 1})


def test_an_expression_shows_itself() -> None:
    expression = (F.year >= 2020) & F.tags.contains('a "b"')
    assert str(expression) == '(year >= 2020) and (json_contains(tags, "a \\"b\\""))'
    assert expression.text == "(year >= {v0}) and (json_contains(tags, {v1}))"
    assert expression.params == {"v0": 2020, "v1": 'a "b"'}
    assert repr(F.year) == "F: year"


def test_a_declared_field_may_have_the_name_of_a_word_of_the_language() -> None:
    with elanus.connect(":memory:") as client:
        schema = client.create_schema()
        schema.add_field("id", elanus.DataType.INT64, is_primary=True)
        schema.add_field("like", elanus.DataType.INT64, nullable=True)
        schema.add_field("interval", elanus.DataType.ARRAY, element_type=elanus.DataType.INT64, max_capacity=3)
        schema.add_field("vector", elanus.DataType.FLOAT_VECTOR, dim=2)
        indexes = client.prepare_index_params()
        indexes.add_index("vector", metric_type="L2")
        client.create_collection("c", schema=schema, index_params=indexes)
        client.insert("c", [{"id": n, "like": n or None, "interval": [n, 5], "vector": [n, 1]} for n in range(3)])
        for filter, ids in ((F.like >= 1, [1, 2]), (F.like.is_null(), [0]), (F.interval[0] == 2, [2])):
            assert found(client, filter) == ids
        assert found(client, F.interval.contains(5) & (F["interval"].length == 2)) == [0, 1, 2]


def test_a_written_filter_joins_others_and_cannot_reach_beyond_itself() -> None:
    own = Expression.of("a == 1 or b == 2") & (F.c == "x")
    assert str(own) == '(a == 1 or b == 2) and (c == "x")'
    for text in ("a == 1) or (b == 2", "a ==", "a == {x}", ""):
        with pytest.raises(elanus.FilterError):
            Expression.of(text)
