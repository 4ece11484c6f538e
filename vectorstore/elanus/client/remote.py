"""Milvus's own client for a server's URL, taught to take this package's objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pymilvus

from elanus.analysis.portable import for_server
from elanus.errors import NotSupported
from elanus.filter import Expression
from elanus.filter.writing import beyond_milvus
from elanus.rank import AnnSearchRequest, DBSFRanker, FunctionScore, RRFRanker, WeightedRanker
from elanus.schema.collection import CollectionSchema
from elanus.schema.functions import Function
from elanus.schema.indexes import IndexParams
from elanus.types import FunctionType


class MilvusServer(pymilvus.MilvusClient):  # type: ignore[misc]
    """A `pymilvus.MilvusClient` whose methods also take Elanus's filters, requests, rankers, schemas and functions."""

    def create_collection(
        self, collection_name: str, *args: Any, schema: Any = None, index_params: Any = None, **kwargs: Any
    ) -> Any:
        """As in pymilvus."""
        return super().create_collection(
            collection_name, *args, schema=_pymilvus(schema), index_params=_pymilvus(index_params), **kwargs
        )

    def create_index(self, collection_name: str, index_params: Any, *args: Any, **kwargs: Any) -> Any:
        """As in pymilvus."""
        return super().create_index(collection_name, _pymilvus(index_params), *args, **kwargs)

    @classmethod
    def create_schema(cls, **kwargs: Any) -> Any:
        """As in pymilvus; the schema also takes `elanus.Function`."""
        return _Schema([], **kwargs, check_fields=False)

    def search(self, collection_name: str, data: Any = None, filter: Any = "", *args: Any, **kwargs: Any) -> Any:
        """As in pymilvus."""
        _refuse_ours(args, kwargs)
        if "ranker" in kwargs:
            kwargs["ranker"] = _ranker(kwargs["ranker"])
        return super().search(collection_name, data, _written(filter) or "", *args, **kwargs)

    def query(self, collection_name: str, filter: Any = "", *args: Any, **kwargs: Any) -> Any:
        """As in pymilvus."""
        return super().query(collection_name, _written(filter) or "", *args, **kwargs)

    def query_iterator(self, *args: Any, filter: Any = "", **kwargs: Any) -> Any:
        """As in pymilvus, the filter by keyword."""
        return super().query_iterator(*args, filter=_written(filter) or "", **kwargs)

    def search_iterator(self, *args: Any, filter: Any = None, **kwargs: Any) -> Any:
        """As in pymilvus, the filter by keyword."""
        _refuse_ours(args, kwargs)
        return super().search_iterator(*args, filter=_written(filter), **kwargs)

    def delete(
        self, collection_name: str, ids: Any = None, timeout: Any = None, filter: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """As in pymilvus."""
        return super().delete(collection_name, ids, timeout, _written(filter), *args, **kwargs)

    def hybrid_search(self, collection_name: str, reqs: Sequence[Any], ranker: Any, *args: Any, **kwargs: Any) -> Any:
        """As in pymilvus."""
        _refuse_ours([request.param for request in reqs], kwargs)
        translated = [_pymilvus(request) for request in reqs]
        return super().hybrid_search(collection_name, translated, _ranker(ranker), *args, **kwargs)


class _Schema(pymilvus.CollectionSchema):  # type: ignore[misc]
    def add_field(self, field_name: str, datatype: Any, **kwargs: Any) -> Any:
        return super().add_field(field_name, datatype, **for_server(kwargs))

    def add_function(self, function: Any) -> Any:
        return super().add_function(_pymilvus(function))


def _refuse_ours(args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse what a server would ignore in silence.

    Raises:
        NotSupported: `explain`, or a `target_recall` in search parameters.
    """
    if kwargs.get("explain"):
        raise NotSupported("explain: a Milvus server does not explain its hits; leave it out with a server")
    for params in filter(lambda given: isinstance(given, Mapping), (*args, *kwargs.values())):
        if "target_recall" in {**params, **(params.get("params") or {})}:
            raise NotSupported(
                "search_params: a Milvus server takes no target_recall; give its index's own, such as ef"
            )


def _written(filter: Any) -> Any:
    """A filter with its values written out, for servers before 2.5 have no templates."""
    text = str(filter) if isinstance(filter, Expression) else filter
    option = beyond_milvus(text) if isinstance(text, str) else None
    if option is not None:
        raise NotSupported(f"a Milvus server has no '{option}' in text_match; leave it out, or use like on the field")
    return text


def _request(request: AnnSearchRequest) -> Any:
    params = None if isinstance(request.filter, Expression) else request.expr_params
    return pymilvus.AnnSearchRequest(
        request.data,
        request.anns_field,
        request.param,
        request.limit,
        expr=_written(request.filter),
        expr_params=params,
    )


def _ranker(ranker: Any) -> Any:
    """A ranker for a server, which calls its models itself."""
    if callable(getattr(ranker, "rerank", None)):
        raise NotSupported(
            f"a Milvus server cannot call {type(ranker).__name__}; give a Function(RERANK), whose model the server "
            "calls, or search without it and rank the hits with elanus.rerank_scores"
        )
    return _pymilvus(ranker)


def _no_dbsf(ranker: DBSFRanker) -> Any:
    raise NotSupported("a Milvus server has no DBSFRanker; use RRFRanker or WeightedRanker")


def _function(function: Function) -> Any:
    raw = function.to_dict()
    _written(function.params.get("filter"))
    if function.type == FunctionType.RERANK and function.params.get("reranker") == "dbsf":
        raise NotSupported(f"function '{function.name}': a Milvus server has no reranker 'dbsf'; use rrf or weighted")
    if function.type == FunctionType.RERANK and "candidates" in function.params:
        raise NotSupported(f"function '{function.name}': Milvus has no 'candidates'; leave it out with a server")
    return pymilvus.Function(
        raw["name"],
        pymilvus.FunctionType(int(raw["type"])),
        list(raw["input_field_names"]),
        list(raw["output_field_names"]),
        raw.get("description", ""),
        raw.get("params") or {},
    )


def _function_score(score: FunctionScore) -> Any:
    return pymilvus.FunctionScore([_pymilvus(function) for function in score.functions], score.params)


def _schema(schema: CollectionSchema) -> Any:
    raw = schema.to_dict()
    fields = [{**field, "params": for_server(field["params"])} for field in raw["fields"]]
    return pymilvus.CollectionSchema.construct_from_dict({**raw, "fields": fields})


def _index_params(params: IndexParams) -> Any:
    translated = pymilvus.MilvusClient.prepare_index_params()
    for index in params:
        raw = dict(index.to_dict())
        translated.add_index(raw.pop("field_name"), raw.pop("index_type", ""), raw.pop("index_name", ""), **raw)
    return translated


TRANSLATED: Mapping[type, Callable[[Any], Any]] = {
    AnnSearchRequest: _request,
    Function: _function,
    FunctionScore: _function_score,
    CollectionSchema: _schema,
    IndexParams: _index_params,
    DBSFRanker: _no_dbsf,
    RRFRanker: lambda ranker: pymilvus.RRFRanker(ranker.k),
    WeightedRanker: lambda ranker: pymilvus.WeightedRanker(*ranker.weights, norm_score=ranker.norm_score),
}


def _pymilvus(value: Any) -> Any:
    translate = TRANSLATED.get(type(value))
    return value if translate is None else translate(value)
