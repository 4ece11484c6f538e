"""Other libraries' filters: random ones mean here what a plain reading of them in Python says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import elanus
import pytest
from elanus import translate_filter
from hypothesis import given, settings
from hypothesis import strategies as st

Row = dict[str, Any]
Test = Callable[[Row], bool]
Case = tuple[Any, Test]

TEXTS = ["red", "Red wine", "", '" or 1==1', "a%b", "it's \\"]
VALUES = [1, 2, 2.5, -3, True, False, *TEXTS]
KEYS = ["a", "b", "odd key", "in"]
SAMPLES: list[Any] = [*VALUES, None, [], [1, 2], ["red", "a%b"], ["red", 2], {"deep": 1}]
ROWS: list[Row] = [
    {key: SAMPLES[(n * 7 + place * 5) % len(SAMPLES)] for place, key in enumerate(KEYS) if (n + place) % 4}
    for n in range(68)
]


@pytest.fixture(scope="module")
def client() -> Iterator[elanus.Client]:
    with elanus.connect(":memory:") as client:
        client.create_collection("c", 2)
        client.insert("c", [{"id": n, "vector": [0, 1], **row} for n, row in enumerate(ROWS)])
        yield client


def check(client: elanus.Client, case: Case, dialect: str) -> None:
    filter, test = case
    expression = translate_filter(filter, dialect)
    wanted = [n for n, row in enumerate(ROWS) if test(row)]
    for form in (expression, str(expression)):
        if expression is not None:
            assert [row["id"] for row in client.query("c", form, output_fields=["id"])] == wanted
        else:
            assert len(wanted) == len(ROWS)


# A plain reading: a value of another kind, and a missing one, satisfy no condition.


def kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return kind(a) == kind(b) and a == b


def ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda a, b: kind(a) == kind(b) and kind(a) in ("number", "str") and test(a, b)


def has(a: Any, b: Any) -> bool:
    return isinstance(a, list) and any(same(item, b) for item in a)


ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": ordered(lambda a, b: a > b),
    "gte": ordered(lambda a, b: a >= b),
    "lt": ordered(lambda a, b: a < b),
    "lte": ordered(lambda a, b: a <= b),
}
keys = st.sampled_from(KEYS)
values = st.sampled_from(VALUES)
comparable = st.sampled_from([value for value in VALUES if not isinstance(value, bool)])
lists = st.lists(values, max_size=4)


@st.composite
def dollar_leaves(draw: st.DrawFn, langchain: bool = True) -> Case:
    key, value, several, order = draw(keys), draw(values), draw(lists), draw(st.sampled_from(sorted(ORDER)))
    end = draw(comparable)
    text = draw(st.sampled_from(TEXTS))
    cases: list[tuple[Any, Callable[[Any], bool]]] = [
        (value, lambda x: same(x, value)),
        ({"$eq": value}, lambda x: same(x, value)),
        ({"$ne": value}, lambda x: not same(x, value)),
        ({f"${order}": end}, lambda x: ORDER[order](x, end)),
        ({"$in": several}, lambda x: any(same(x, v) for v in several)),
        ({"$nin": several}, lambda x: not any(same(x, v) for v in several)),
        ({"$contains": value}, lambda x: has(x, value)),
        ({"$not_contains": value}, lambda x: not has(x, value)),
        ({f"${order}": end, "$ne": value}, lambda x: ORDER[order](x, end) and not same(x, value)),
    ]
    if langchain:
        cases += [
            ({"$exists": True}, lambda x: x is not None),
            ({"$exists": False}, lambda x: x is None),
            ({"$eq": None}, lambda x: x is None),
            ({"$in": [*several, None]}, lambda x: x is None or any(same(x, v) for v in several)),
            ({"$between": [-1, 2]}, lambda x: kind(x) == "number" and -1 <= x <= 2),
            ({"$not": {f"${order}": end}}, lambda x: not ORDER[order](x, end)),
            ({"$ilike": "%RED%"}, lambda x: isinstance(x, str) and "red" in x.lower()),
            ({"$ilike": text.replace("%", "_").upper()}, lambda x: isinstance(x, str) and x.lower() == text.lower()),
        ]
    condition, test = draw(st.sampled_from(cases))
    return {key: condition}, lambda row: test(row.get(key))


def dollar_joins(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    several = st.lists(inner, max_size=3)
    return st.one_of(
        several.map(lambda c: ({"$and": [f for f, _ in c]}, lambda row: all(t(row) for _, t in c))),
        several.map(lambda c: ({"$or": [f for f, _ in c]}, lambda row: any(t(row) for _, t in c))),
    )


def dollar_negations(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    several = st.lists(inner, max_size=3)
    return st.one_of(
        dollar_joins(inner),
        inner.map(lambda c: ({"$not": c[0]}, lambda row: not c[1](row))),
        several.map(lambda c: ({"$nor": [f for f, _ in c]}, lambda row: not any(t(row) for _, t in c))),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(dollar_leaves(), dollar_negations, max_leaves=6))
def test_langchain_filters_mean_what_they_say(client: elanus.Client, case: Case) -> None:
    check(client, case, "langchain")


@settings(max_examples=80, deadline=None)
@given(st.recursive(dollar_leaves(langchain=False), dollar_joins, max_leaves=6))
def test_chroma_filters_mean_what_they_say(client: elanus.Client, case: Case) -> None:
    check(client, case, "chroma")


@st.composite
def qdrant_leaves(draw: st.DrawFn) -> Case:
    key, value, several, order = (
        draw(st.sampled_from(["a", "b", "in"])),
        draw(values),
        draw(lists),
        draw(st.sampled_from(sorted(ORDER))),
    )
    end, text = draw(comparable), draw(st.sampled_from(TEXTS))
    cases: list[tuple[Any, Callable[[Any], bool]]] = [
        ({"match": {"value": value}}, lambda x: same(x, value) or has(x, value)),
        ({"match": {"any": several}}, lambda x: any(same(x, v) or has(x, v) for v in several)),
        ({"match": {"except": several}}, lambda x: x is not None and not any(same(x, v) or has(x, v) for v in several)),
        ({"match": {"text": text}}, lambda x: isinstance(x, str) and text in x),
        ({"range": {order: end}}, lambda x: ORDER[order](x, end)),
        ({"values_count": {"gte": 2}}, lambda x: isinstance(x, list) and len(x) >= 2),
    ]
    tests: list[tuple[Any, Callable[[Any], bool]]] = [
        ({"is_null": {"key": key}}, lambda x: x is None),
        ({"is_empty": {"key": key}}, lambda x: x is None or x == []),
    ]
    place = draw(st.integers(0, len(cases) + len(tests) - 1))
    condition, test = [*(({"key": key, **c}, t) for c, t in cases), *tests][place]
    return condition, lambda row: test(row.get(key))


def qdrant_joins(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda c: ({"must": [f for f, _ in c]}, lambda row: all(t(row) for _, t in c))),
        several.map(lambda c: ({"should": [f for f, _ in c]}, lambda row: any(t(row) for _, t in c))),
        several.map(lambda c: ({"must_not": [f for f, _ in c]}, lambda row: not any(t(row) for _, t in c))),
        several.map(
            lambda c: (
                {"min_should": {"conditions": [f for f, _ in c], "min_count": 2}},
                lambda row: sum(t(row) for _, t in c) >= 2,
            )
        ),
    )


@settings(max_examples=100, deadline=None)
@given(st.recursive(qdrant_joins(qdrant_leaves()), qdrant_joins, max_leaves=6))
def test_qdrant_filters_mean_what_they_say(client: elanus.Client, case: Case) -> None:
    check(client, case, "qdrant")


def test_qdrant_keys_look_inside(client: elanus.Client) -> None:
    filter = {"must": [{"key": "a.deep", "match": {"value": 1}}]}
    check(client, (filter, lambda row: isinstance(row.get("a"), dict)), "qdrant")
    filter = {"must": [{"key": "b[0]", "match": {"value": "red"}}]}
    check(client, (filter, lambda row: isinstance(row.get("b"), list) and row["b"][:1] == ["red"]), "qdrant")


def test_an_empty_filter_asks_nothing_and_other_forms_stay(client: elanus.Client) -> None:
    assert translate_filter({}, "langchain") is None
    assert translate_filter(None, "chroma") is None
    assert translate_filter("", "qdrant") is None
    assert translate_filter("a > 1", "langchain") == "a > 1"
    expression = elanus.F.a > 1
    assert translate_filter(expression, "llamaindex") is expression


WRONG = [
    ("langchain", {"a": {"$foo": 1}}, "'a'"),
    ("langchain", {"a": {"$gtee": 1}}, r"did you mean '\$gte'"),
    ("langchain", {"$gt": 1}, "belongs to a field"),
    ("langchain", {"$and": {"a": 1}}, r"\$and takes a list"),
    ("langchain", {"a": {"$in": "red"}}, "take a list"),
    ("langchain", {"a": {"$between": [1]}}, "low, high"),
    ("langchain", {"a": {"$exists": 1}}, "True or False"),
    ("langchain", {"a": {"$gt": float("nan")}}, "finite"),
    ("langchain", {"a": {"$like": 5}}, "str"),
    ("langchain", {1: 2}, "field names"),
    ("langchain", [1], "must be a dict"),
    ("chroma", {"a": {"$exists": True}}, "known are"),
    ("qdrant", {"must": [{"has_id": [1]}]}, "key"),
    ("qdrant", {"muss": []}, "must"),
    ("qdrant", {"must": [{"key": "a", "geo_radius": {}}]}, "geo_radius"),
    ("qdrant", {"must": [{"key": "a[].b", "match": {"value": 1}}]}, "every element"),
    ("qdrant", {"must": [{"key": "a"}]}, "asks nothing"),
    ("llamaindex", {"a": 1}, "MetadataFilters"),
    ("llamaindex", SimpleNamespace(condition="xor", filters=[1]), "xor"),
]


@pytest.mark.parametrize(("dialect", "filter", "message"), WRONG, ids=str)
def test_a_wrong_filter_is_refused_by_name(dialect: str, filter: Any, message: str) -> None:
    with pytest.raises(elanus.InvalidArgument, match=message):
        translate_filter(filter, dialect)


def test_an_unknown_dialect_is_named() -> None:
    with pytest.raises(elanus.InvalidArgument, match="did you mean 'langchain'"):
        translate_filter({}, "langchian")


def test_a_filter_as_deep_as_the_sea_is_refused() -> None:
    filter: Any = {"a": 1}
    for _ in range(5_000):
        filter = {"$not": filter}
    with pytest.raises(elanus.FilterError, match="too deeply"):
        translate_filter(filter, "langchain")
