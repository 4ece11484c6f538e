from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from elanus.client.results import Hit, QueryResult, SearchResult, make_hits

ENTITY = {"text": "a kite", "year": 2020, "id": "inner"}


@pytest.fixture
def hit() -> Hit:
    return Hit("key", 7, 0.25, dict(ENTITY))


def test_a_hit_is_a_dict_of_three(hit):
    assert hit == {"key": 7, "distance": 0.25, "entity": ENTITY}
    assert list(hit) == ["key", "distance", "entity"]
    assert json.loads(json.dumps(hit)) == hit
    assert hit.to_dict() == hit
    assert type(hit.to_dict()) is dict


def test_a_hit_answers_for_its_entity_too(hit):
    assert (hit["text"], hit.get("text"), hit.text) == ("a kite",) * 3
    assert (hit.id, hit.pk, hit["id"]) == (7, 7, "inner")
    assert (hit.distance, hit.score, hit["distance"]) == (0.25,) * 3
    assert hit.fields is hit["entity"]
    assert hit.entity.get("year") == hit.entity["entity"]["year"] == hit.entity.year == 2020
    assert (hit.get("nothing"), hit.get("nothing", 5)) == (None, 5)
    assert "text" not in hit
    with pytest.raises(KeyError, match="nothing"):
        hit["nothing"]
    with pytest.raises(AttributeError, match="no field 'nothing'"):
        hit.nothing  # noqa: B018


def test_a_hit_survives_copying(hit):
    for other in (copy.copy(hit), copy.deepcopy(hit), pickle.loads(pickle.dumps(hit))):
        assert other == hit
        assert type(other) is Hit
        assert (other.id, other.text) == (7, "a kite")


def hits(count: int) -> Any:
    return make_hits("id", [(i, {"n": i}) for i in range(count)], [i / 2 for i in range(count)])


def test_hits_are_a_list_with_columns():
    three = hits(3)
    assert three == [{"id": i, "distance": i / 2, "entity": {"n": i}} for i in range(3)]
    assert (three.ids, three.distances) == ([0, 1, 2], [0.0, 0.5, 1.0])
    assert make_hits("id", [], []) == []


def test_results_show_at_most_ten_rows():
    assert repr(hits(1)) == str(hits(1)) == "[{'id': 0, 'distance': 0.0, 'entity': {'n': 0}}]"
    assert repr(SearchResult([hits(1)])) == "data: [[{'id': 0, 'distance': 0.0, 'entity': {'n': 0}}]]"
    assert repr(hits(12)).endswith("'entity': {'n': 9}}] ... and 2 more")
    assert repr(QueryResult([{"a": 1}])) == "data: [{'a': 1}]"
    assert repr(QueryResult([{"a": i} for i in range(99)])).endswith("{'a': 9}] ... and 89 more")


def test_a_notebook_gets_a_table():
    rows = QueryResult([{"id": 1, "text": "<b>&"}, {"id": 2, "vector": [0.5] * 100}])
    table = rows._repr_html_()
    assert "<th>id</th><th>text</th><th>vector</th>" in table
    assert "<td>&lt;b&gt;&amp;</td>" in table
    assert len(table) < 500
    both = SearchResult([hits(1), hits(11)])._repr_html_()
    assert both.count("<table>") == 2
    assert "<tr><td>0</td><td>0.0</td><td>0</td></tr>" in both
    assert both.endswith("... and 1 more")


def test_a_hit_behaves_as_pymilvuss():
    theirs_of = pytest.importorskip("pymilvus.client.search_result").Hit
    ours = Hit("key", 7, 0.25, dict(ENTITY))
    theirs = theirs_of({"key": 7, "distance": 0.25, "entity": dict(ENTITY)}, pk_name="key")
    assert ours == theirs
    for name in ("id", "pk", "distance", "score", "fields", "entity", "text", "year", "key"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("key", "distance", "entity", "text", "id"):
        assert ours[name] == theirs[name] == ours.get(name) == theirs.get(name), name
    assert ours.to_dict() == theirs.to_dict()
    assert repr(ours) == repr(theirs)
