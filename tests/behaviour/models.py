"""Collections whose vectors a function makes, for the tests of embedding and reranking."""

from __future__ import annotations

from typing import Any

import elanus
from elanus import DataType, FunctionType

TEXTS = ["red kite", "black kite", "red fox", "grey heron on a lake", "the lake at night"]
PARAMS = {"provider": "words", "model_name": "small"}


def embedding(params: dict[str, Any] | None = None) -> elanus.Function:
    """The function "emb" from "text" to "dense"."""
    return elanus.Function("emb", FunctionType.TEXTEMBEDDING, "text", "dense", params=params or PARAMS)


def passages(
    client: elanus.Client, name: str = "c", *, dim: int = 8, params: dict[str, Any] | None = None, **options: Any
) -> None:
    """Create a collection of texts with an embedding function and BM25; `options` are of the text field."""
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dim)
    schema.add_field("text", DataType.VARCHAR, max_length=500, enable_analyzer=True, **options)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(embedding(params))
    schema.add_function(elanus.Function("bm25", FunctionType.BM25, "text", "sparse"))
    indexes = client.prepare_index_params("dense", metric_type="COSINE")
    indexes.add_index("sparse", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=indexes)


def rows(texts: list[str] = TEXTS, first: int = 0) -> list[dict[str, Any]]:
    """Rows with these texts, numbered from `first`."""
    return [{"id": first + n, "text": text, "words": len(text.split())} for n, text in enumerate(texts)]
