"""How a collection holds texts: which field is the key, the text, the vector, the BM25 index.

Adapters and applications share this one convention, so that each reads what another wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elanus.errors import InvalidArgument, SchemaError
from elanus.schema.collection import DYNAMIC_FIELD
from elanus.schema.functions import Function
from elanus.types import DataType, FunctionType

KEY_BYTES = 512
TEXT_BYTES = 65_535


@dataclass(frozen=True)
class TextFields:
    """What the fields of a collection of texts are called."""

    key: str = "pk"
    text: str = "text"
    vector: str = "vector"
    sparse: str = "sparse"


@dataclass(frozen=True)
class TextLayout:
    """The fields of an open collection by their role.

    Attributes:
        whole_key, auto_key: whether keys are integers, and whether the store gives them.
        text_bytes: how much text fits.
        metrics: the metric of every dense vector field; `vector` is the one to search by default.
        sparse: the BM25 field, or None.
        others: further declared fields.
        dynamic: whether rows may have undeclared ones.
    """

    key: str
    whole_key: bool
    auto_key: bool
    text: str
    text_bytes: int
    vector: str
    metrics: Mapping[str, str]
    sparse: str | None
    others: tuple[str, ...]
    dynamic: bool

    @property
    def reserved(self) -> frozenset[str]:
        """Names that no metadata key can have."""
        return frozenset({self.key, self.text, *self.metrics, *([self.sparse] if self.sparse else [])})

    @property
    def output(self) -> list[str]:
        """The fields a text and its metadata are made from."""
        return [self.text, *self.others, *([DYNAMIC_FIELD] if self.dynamic else [])]

    def keys(self, ids: list[str]) -> list[Any]:
        """Ids as the collection's keys; what cannot be one of them is left out."""
        if not self.whole_key:
            return list(ids)
        return [int(n) for n in ids if n.lstrip("-").isdecimal()]


def make_text_collection(
    client: Any,
    collection: str,
    dims: Mapping[str, int],
    fields: TextFields,
    *,
    metric: str = "COSINE",
    index_type: str = "AUTOINDEX",
    index_params: Mapping[str, Any] | None = None,
    bm25: bool = True,
    analyzer: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
) -> None:
    """Create a collection of texts: VARCHAR key, text, a vector field for each of `dims`, BM25, dynamic fields.

    A collection that exists with the same schema is no error. Every read sees every write, on a server too
    (consistency level Strong), as frameworks expect.

    Args:
        client: embedded, or a server's.
        dims: the length of the vectors of each dense field.
        analyzer: analyzer_params of the text; `{"type": "english"}` if left out. With "by_field" they are
            multi_analyzer_params, and that key of the metadata, a str or missing, names the analyzer of each text.
        partition_key: a key of the metadata, a str that every text has, such as its tenant: a search filtered by it
            costs what the tenant holds.
    """
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field(fields.key, DataType.VARCHAR, is_primary=True, max_length=KEY_BYTES)
    schema.add_field(fields.text, DataType.VARCHAR, max_length=TEXT_BYTES, **(_analyzed(analyzer) if bm25 else {}))
    if partition_key is not None:
        schema.add_field(partition_key, DataType.VARCHAR, max_length=KEY_BYTES, is_partition_key=True)
    language = (analyzer or {}).get("by_field") if bm25 else None
    if language not in (None, partition_key):
        schema.add_field(language, DataType.VARCHAR, max_length=KEY_BYTES, nullable=True)
    indexes = client.prepare_index_params()
    for name, dim in dims.items():
        schema.add_field(name, DataType.FLOAT_VECTOR, dim=dim)
        indexes.add_index(name, index_type=index_type, metric_type=metric, params=dict(index_params or {}))
    if bm25:
        schema.add_field(fields.sparse, DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, fields.text, fields.sparse))
        indexes.add_index(fields.sparse, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(collection, schema=schema, index_params=indexes, consistency_level="Strong")


def _analyzed(analyzer: Mapping[str, Any] | None) -> dict[str, Any]:
    option = "multi_analyzer_params" if analyzer and "by_field" in analyzer else "analyzer_params"
    return {"enable_analyzer": True, option: dict(analyzer or {"type": "english"})}


def read_text_layout(client: Any, collection: str, fields: TextFields) -> TextLayout:
    """Find the roles of an existing collection's fields: by name, or else by what only one field can be.

    Raises:
        SchemaError: a role has no field, or several and none of the name asked for.
        InvalidArgument: a vector field without an index.
    """
    described = client.describe_collection(collection)
    declared = {field["name"]: field for field in described["fields"]}
    key = next(field for field in described["fields"] if field.get("is_primary"))
    vectors = [name for name, field in declared.items() if field["type"] >= DataType.BINARY_VECTOR]
    metrics = {name: _metric(client, collection, name) for name in vectors}
    dense = {name: metric for name, metric in metrics.items() if declared[name]["type"] == DataType.FLOAT_VECTOR}
    strings = [n for n, f in declared.items() if f["type"] == DataType.VARCHAR and n != key["name"]]
    bm25 = [name for name, metric in metrics.items() if metric == "BM25"]  # milvus-lite does not tell its functions
    sparse = fields.sparse if fields.sparse in bm25 else bm25[0] if len(bm25) == 1 else None
    computed = {f["output_field_names"][0]: f["input_field_names"] for f in described.get("functions") or []}
    text = _role(collection, "text_field", fields.text, strings, computed.get(sparse, strings), "VARCHAR")
    vector = _role(collection, "vector_field", fields.vector, list(dense), list(dense), "FLOAT_VECTOR")
    taken = {key["name"], text, *vectors}
    return TextLayout(
        key=key["name"],
        whole_key=key["type"] == DataType.INT64,
        auto_key=bool(key.get("auto_id") or described.get("auto_id")),
        text=text,
        text_bytes=int(declared[text]["params"].get("max_length", TEXT_BYTES)),
        vector=vector,
        metrics=dense,
        sparse=sparse,
        others=tuple(name for name in declared if name not in taken),
        dynamic=bool(described.get("enable_dynamic_field")),
    )


def _role(collection: str, option: str, name: str, fit: list[str], likely: list[str], kind: str) -> str:
    if name in fit:
        return name
    if len(likely) == 1:
        return likely[0]
    there = f"it has {', '.join(map(repr, fit))}" if fit else "it has none"
    raise SchemaError(f"collection '{collection}' has no {kind} field '{name}' ({there}); name one with {option}=")


def _metric(client: Any, collection: str, field: str) -> str:
    indexes = client.list_indexes(collection, field_name=field)
    if not indexes:
        raise InvalidArgument(f"collection '{collection}': vector field '{field}' has no index; create_index first")
    return str(client.describe_index(collection, index_name=indexes[0])["metric_type"]).upper()
