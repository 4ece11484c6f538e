"""Conditions on the elements of struct arrays and of plain ones, through the client, in every state of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import elanus
import pytest
from elanus import DataType, F

from tests.filter.states import NAME, states


def create(client: elanus.Client) -> None:
    struct = client.create_struct_field_schema()
    struct.add_field("text", DataType.VARCHAR, max_length=20).add_field("page", DataType.INT16)
    struct.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    options = {"max_capacity": 6, "nullable": True}
    schema.add_field("chunks", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=struct, **options)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_length=9, **options)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    indexes.add_index("chunks[v]", metric_type="MAX_SIM_IP")
    client.create_collection(NAME, schema=schema, index_params=indexes)


def row(key: int, *chunks: tuple[str, int], tags: list[str] | None = None) -> dict[str, Any]:
    found = [{"text": text, "page": page, "v": [1.0, float(page)]} for text, page in chunks]
    return {"id": key, "chunks": found, "tags": tags, "vector": [1.0, float(key)]}


ROWS = [
    row(0, ("Red kite", 1), ("Red fox", 2), tags=["a", "b"]),
    row(1, ("Red kite", 1), ("Grey owl", 5), tags=[]),
    row(2, ("Grey owl", 5), ("Grey owl", 6), ("Red kite", 7), tags=["a", "a"]),
    row(3, tags=["b"]),
    {"id": 4, "chunks": None, "tags": None, "vector": [1.0, 4.0]},
    row(5, ("Grey owl", 9)),
]
CASES = [
    ("element_filter(chunks, $[text] like 'Red%')", [0, 1, 2]),
    ("MATCH_ANY(chunks, $[text] like 'Red%' and $[page] > 1)", [0, 2]),
    ("match_all(chunks, $[text] LIKE 'Red%')", [0, 3]),
    ("not (match_all(chunks, $[text] like 'Red%'))", [1, 2, 5]),
    ("MATCH_LEAST(chunks, $[page] >= 5, threshold=2)", [2]),
    ("match_most(chunks, $[page] % 2 == 1, THRESHOLD=1)", [0, 3, 5]),
    ("match_exact(chunks, 1 < $[page] < 7, threshold=1)", [0, 1]),
    ("match_exact(chunks, $[text] in ['Red fox'], threshold=0) and id < 5", [1, 2, 3]),
    ("match_any(chunks, $[page] * 2 == 18)", [5]),
    ("match_any(tags, $ == 'b')", [0, 3]),
    ("match_least(tags, $ == 'a', threshold=2)", [2]),
    ("match_all(tags, $ != 'b')", [1, 2]),
    ("array_contains(chunks[text], 'Red fox')", [0]),
    ("array_contains_all(chunks[page], [5, 6])", [2]),
    ("array_length(chunks[text]) == 2", [0, 1]),
    ("chunks[0][text] == 'Grey owl'", [2, 5]),
    ("chunks[1][page] + 1 > 5", [1, 2]),
    ("chunks[page] == [9]", [5]),
    ("array_length(chunks) == 2", [0, 1]),
    ("chunks is null", [4]),
    ("chunks[text] is not null", [0, 1, 2, 3, 5]),
]


def found(client: elanus.Client, filter: Any, **params: Any) -> list[int]:
    kept = {"filter_params": params} if params else {}
    return [row["id"] for row in client.query(NAME, filter=filter, output_fields=["id"], **kept)]


def test_every_state_of_the_rows_answers_alike(folder: Path) -> None:
    for state, client in states(folder, create, ROWS):
        for text, expected in CASES:
            assert found(client, text) == expected, (state, text)
        text = "match_least(chunks, $[page] >= {page}, threshold={n})"
        assert found(client, text, page=5, n=2) == [2], state
        hits = client.search(NAME, [[1.0, 0.0]], limit=9, filter=CASES[0][0], anns_field="vector")[0]
        assert sorted(hits.ids) == [0, 1, 2], state


def test_conditions_on_elements_built_in_python_say_the_same(client: elanus.Client) -> None:
    create(client)
    client.insert(NAME, ROWS)
    red = F.chunks.match_any(lambda each: each["text"].startswith("Red") & (each["page"] > 1))
    assert str(red) == 'match_any(chunks, ($[text] like "Red%") and ($[page] > 1))'
    assert found(client, red) == [0, 2]
    assert found(client, F.tags.match_all(lambda each: each != "b")) == [1, 2]
    assert found(client, F.tags.match_least(lambda each: each == "a", 2)) == [2]
    assert found(client, F.chunks.match_most(lambda each: each["page"] % 2 == 1, 1)) == [0, 3, 5]
    assert found(client, ~F.chunks.match_exact(lambda each: each["page"].between(2, 6), 1)) == [2, 3, 5]
    with pytest.raises(elanus.FilterError, match="takes a condition on each element"):
        F.tags.match_any(lambda each: each)  # type: ignore[arg-type, return-value]
    with pytest.raises(elanus.FilterError, match="a field of a struct has a plain name"):
        F.chunks.match_any(lambda each: each["a b"] == 1)


@pytest.mark.parametrize(
    ("text", "marked", "message"),
    [
        ("match_any(chunks, $[txt] == 'a')", "$[txt]", "have no field 'txt'; did you mean 'text'?"),
        (
            "match_any(chunks, $ == 'a')",
            "$",
            "the structs in 'chunks' are compared by a field; they have",
        ),
        ("match_any(chunks, $[v] == 1)", "$[v]", "the FLOAT_VECTOR field 'chunks[v]' cannot be filtered"),
        ("match_any(chunks, text == 'a')", "text", "the element's is $[text]"),
        ("chunks == [1]", "chunks", "the struct array 'chunks' is asked by 'is null', match_any(chunks, $[field] ...)"),
        ("chunks['text'] == 'a'", "chunks['text']", "chunks[field] or chunks[0][field]"),
        ("chunks[0][1][text] == 'a'", "chunks[0][1][text]", "takes one index, as in chunks[0][text]"),
        ("chunks[text] == 'a'", "chunks[text] == 'a'", "the ARRAY of VARCHAR field 'chunks[text]' with the string 'a'"),
        ("array_contains(chunks, 1)", "chunks", "the struct array 'chunks' is asked by"),
    ],
)
def test_an_error_marks_its_place(client: elanus.Client, text: str, marked: str, message: str) -> None:
    create(client)
    with pytest.raises(elanus.FilterError) as caught:
        client.query(NAME, filter=text)
    said, shown, carets = str(caught.value).split("\n")
    assert message in said
    assert shown[carets.index("^") : carets.rindex("^") + 1] == marked
