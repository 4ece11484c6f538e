"""The surface of Milvus's client: every method and argument is there, or is refused by name; nothing is silent."""

from __future__ import annotations

import inspect
from typing import Any

import elanus
import pytest
from elanus import DataType, NotSupported
from elanus.client.options import INSTEAD
from elanus.client.unsupported import UNSUPPORTED_METHODS
from elanus.schema.fields import SUPPORTED

from tests import shapes

pymilvus = pytest.importorskip("pymilvus")


def methods(client: type) -> dict[str, Any]:
    return {name: f for name, f in inspect.getmembers(client, callable) if not name.startswith("_")}


MILVUS, OURS = methods(pymilvus.MilvusClient), methods(elanus.Client)
SHARED = sorted(MILVUS.keys() & OURS.keys())
REFUSED = sorted(MILVUS.keys() - OURS.keys())


@pytest.mark.parametrize("method", REFUSED)
def test_a_method_that_is_not_there_is_refused_by_name(client: elanus.Client, method: str) -> None:
    with pytest.raises(NotSupported, match=f"{method} is not supported; ."):
        getattr(client, method)("docs", 1, other=2)


def test_no_method_is_both_there_and_refused() -> None:
    assert not UNSUPPORTED_METHODS.keys() & OURS.keys()
    assert UNSUPPORTED_METHODS.keys() <= MILVUS.keys() | {"create_struct_field_schema"}


@pytest.mark.parametrize("method", SHARED)
def test_every_argument_is_taken_or_refused_by_name(method: str) -> None:
    known = inspect.signature(OURS[method]).parameters
    free = any(p.kind == p.VAR_KEYWORD for p in known.values())
    for name, parameter in inspect.signature(MILVUS[method]).parameters.items():
        if parameter.kind != parameter.VAR_KEYWORD and name not in known:
            assert free, f"{method} cannot be called with {name}="
            assert name in INSTEAD, f"{method}({name}=) is neither taken nor refused by name"


@pytest.mark.parametrize("method", SHARED)
def test_arguments_stand_in_milvuss_order_with_milvuss_defaults(method: str) -> None:
    def positional(f: Any) -> list[Any]:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return [
            p for p in inspect.signature(f).parameters.values() if p.kind in kinds and p.name not in ("self", "cls")
        ]

    ours = {p.name: p for p in positional(OURS[method])}
    shared = [p for p in positional(MILVUS[method]) if p.name in ours]
    order = [name for name in ours if name in {p.name for p in shared}]
    assert order == [p.name for p in shared]
    for p in shared:
        if p.default is not p.empty:
            own = ours[p.name].default
            assert own == p.default or (not own and not p.default), (method, p.name, own, p.default)


def test_what_is_refused_says_what_to_do_instead() -> None:
    for table in (INSTEAD, UNSUPPORTED_METHODS):
        assert all(len(said) > 8 for said in table.values())


def test_capabilities_are_told_from_the_codes_own_tables(client: elanus.Client) -> None:
    told = client.capabilities()
    assert "multi_analyzer_params" in told["field_options"]["supported"]
    assert {"german", "indonesian", "standard"} <= set(told["analyzers"]["types"])
    assert told["analyzers"]["filters"]["synonym"] == ["synonyms", "expand"]
    assert "icu" in told["analyzers"]["unsupported"]["thai"]
    assert "fuzziness=..." in told["filter_functions"]["text_match"]
    assert "analyzer_name" in told["indexes"]["supported"]["BM25"]["AUTOINDEX"]["search_params"]
    assert set(told["methods"]["supported"]) >= set(SHARED)
    assert told["methods"]["unsupported"].keys() >= set(REFUSED)
    assert set(told["types"]["supported"]) | set(told["types"]["unsupported"]) == {t.name for t in DataType} - {"NONE"}
    assert "HNSW" in told["indexes"]["supported"]["FLOAT_VECTOR"]
    assert told["scalar_indexes"]["BITMAP"]["types"] == ["BOOL", "INT16", "INT32", "INT64", "INT8", "VARCHAR"]
    assert "collection.ttl.seconds" in told["properties"]["supported"]
    assert told["consistency_levels"][:2] == ["Strong", "Session"]


@pytest.mark.parametrize("name", sorted(kind.name for kind in SUPPORTED))
def test_every_supported_type_makes_a_collection(client: elanus.Client, name: str) -> None:
    schema = client.create_schema().add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=shapes.DIM)
    options: dict[str, Any] = {"dim": 16} if name.endswith("VECTOR") and not name.startswith("SPARSE") else {}
    options |= {"max_length": 10} if name == "VARCHAR" else {}
    options |= {"element_type": DataType.INT64, "max_capacity": 3} if name == "ARRAY" else {}
    schema.add_field("field", DataType[name], **options)
    client.create_collection("docs", schema=schema)
    assert client.describe_collection("docs")["fields"][2]["type"] == DataType[name]
